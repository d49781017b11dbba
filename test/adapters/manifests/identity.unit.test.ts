import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { fnv128a } from "../../../src/adapters/manifests/identity.ts"
import { maxMessageCharacters } from "../../../src/adapters/manifests/limits.ts"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"
import { quantityNumber } from "../../../src/adapters/manifests/quantity.ts"
import { toSnapshot } from "../../../src/adapters/manifests/snapshot.ts"

const pod = (name: string, more = "") => `apiVersion: v1
kind: Pod
metadata: {name: ${name}${more}}
spec: {containers: [{name: c, image: i}]}
`
const read = (name: string, text: string) => {
  const file = `/m/${name}`
  return { file, hash: name, parsed: parseManifest(text, file, "n") }
}

describe("128-bit FNV-1a", () => {
  it("agrees with the published vectors", () => {
    const hash = (text: string) => fnv128a(new TextEncoder().encode(text))
    assert.equal(hash(""), "6c62272e07bb014262b821756295c58d")
    assert.equal(hash("a"), "d228cb696f1a8caf78912b704e4a8964")
    assert.equal(hash("foobar"), "343e1662793c64bf6f0d3597ba446f18")
  })

  it("agrees with plain arithmetic on random bytes", () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.log(`seed ${seed}`)
    let x = seed
    const bytes = Uint8Array.from({ length: 300 }, () => {
      x = (x * 1103515245 + 12345) & 0x7fffffff
      return x >> 16
    })
    let want = 0x6c62272e07bb014262b821756295c58dn
    for (const byte of bytes) want = ((want ^ BigInt(byte)) * ((1n << 88n) + 0x13bn)) & ((1n << 128n) - 1n)
    assert.equal(fnv128a(bytes), want.toString(16).padStart(32, "0"))
  })
})

describe("quantities of a manifest", () => {
  it("reads those that Kubernetes reads and no others", () => {
    for (const [text, value] of [
      ["1", 1],
      ["100m", 0.1],
      ["1.5Gi", 1.5 * 2 ** 30],
      ["2e3", 2000],
      [".5", 0.5],
      ["5.", 5],
      ["1E", 1e18],
      ["-1k", -1000]
    ] as const) {
      assert.equal(quantityNumber(text), value, text)
    }
    for (const text of ["", "m", "1KI", "1 Gi", "1.2.3", "0x10", "1Mi5", `${"1".repeat(200)}`]) {
      assert.equal(quantityNumber(text), undefined, text)
    }
  })
})

describe("a snapshot", () => {
  it("gives a pod that two files declare to the first by name, and tells the other", () => {
    const { files, pods } = toSnapshot([read("a.yaml", pod("web")), read("b.yaml", `${pod("web")}---\n${pod("db")}`)])
    assert.deepEqual(
      files.map((f) => f.pods.map((p) => p.metadata.name)),
      [["web"], ["db"]]
    )
    assert.deepEqual(files[1]?.problems, [
      { line: 3, column: 18, field: "metadata.name", message: "pod default/web is declared in /m/a.yaml already" }
    ])
    assert.equal(pods.size, 2)
  })

  it("does not let two pods share a uid", () => {
    const { files } = toSnapshot([read("a.yaml", `${pod("a", ", uid: u")}---\n${pod("b", ", uid: u")}`)])
    assert.deepEqual(
      files[0]?.problems.map((p) => p.message),
      ["a pod with uid u is declared earlier in this file already"]
    )
  })

  it("bounds what it tells of one file", () => {
    const many = Array.from({ length: 300 }, (_, i) => pod(`pod-${i}`, `, uid: ${"u".repeat(90)}-${i}`)).join("---\n")
    const [file] = toSnapshot([read("a.yaml", many)]).files
    assert.equal((file?.pods.length ?? 0) < 100, true)
    assert.match(file?.problems[0]?.message ?? "", /too many pods/u)

    const wrong = Array.from({ length: 300 }, (_, i) => pod(`P${i}`, `, x${"y".repeat(1000)}: 1`)).join("---\n")
    const [bad] = toSnapshot([read("a.yaml", wrong)]).files
    assert.match(bad?.problems.at(-1)?.message ?? "", /^and \d+ more problems$/u)
    assert.match(bad?.ignoredFields.at(-1)?.message ?? "", /^and \d+ more fields$/u)
    assert.equal(JSON.stringify(bad).length < 16 * 1024, true)
    assert.equal(
      bad?.ignoredFields.every((f) => f.field.length <= maxMessageCharacters + 1),
      true
    )
  })
})
