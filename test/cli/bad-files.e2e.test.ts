import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { chronode } from "./program.ts"

const directory = mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "bad-"))
after(() => rmSync(directory, { recursive: true, force: true }))
const at = (name: string): string => join(directory, name)
const golden = fileURLToPath(new URL("../golden/0.1.0/liveness-kill.ndjson", import.meta.url))
const run = (...words: ReadonlyArray<string>) => chronode("bun", words, { XDG_CACHE_HOME: at("cache") })

describe("packed and damaged files on the command line", () => {
  it("a packed slice leads where the whole log leads, and is decided again", { timeout: 60_000 }, async () => {
    const slice = at("slice.ndjson.zst")
    const exported = await run("export", "--from", golden, "--out", slice, "--since", "2026-01-01T00:00:10Z")
    assert.deepEqual([exported.code, exported.err], [0, ""])
    const states = await Promise.all([golden, slice].map((file) => run("state", file, "-o", "json")))
    const [whole, part] = states.map(({ out }) => JSON.parse(out)) as [Record<string, unknown>, Record<string, unknown>]
    assert.equal(part.stateHash, whole.stateHash)
    const verified = await run("replay", slice, "--verify")
    assert.equal(verified.code, 0)
    assert.match(verified.out, /decisions: \d+ taken again, all the same\n$/u)
    const cut = at("cut.ndjson.zst")
    writeFileSync(cut, readFileSync(slice).subarray(0, -20))
    const [broken, state] = await Promise.all([run("verify", cut), run("state", cut)])
    assert.equal(broken.code, 3)
    assert.match(broken.out, /^broken: .*it was cut off/u)
    assert.equal(state.code, 1)
    assert.match(state.err, /is damaged after \d+ bytes/u)
  })

  it("a file that was cut between two lines is told: verify exits with 3, state and replay with 1", {
    timeout: 60_000
  }, async () => {
    const cut = at("cut.ndjson")
    writeFileSync(cut, `${readFileSync(golden, "utf8").split("\n").slice(0, 31).join("\n")}\n`)
    const [verify, state, replay] = await Promise.all(["verify", "state", "replay"].map((command) => run(command, cut)))
    const said = /line 32: the file ends at sequence 30 \(30 events\); its header says 64 \(64 events\)/u
    assert.deepEqual([verify?.code, state?.code, replay?.code], [3, 1, 1])
    assert.match(verify?.out ?? "", said)
    for (const finished of [state, replay]) assert.match(finished?.err ?? "", said)
    assert.match(state?.out ?? "", /^node: sim\n/u)
  })

  it("what is no log is told without a byte of it that a terminal would obey", { timeout: 60_000 }, async () => {
    const other = at("other.ndjson")
    writeFileSync(other, "\u001b[31mred\n\u001b]0;title\u0007\n")
    const [state, events] = await Promise.all([run("state", other), run("events", "--from", other)])
    for (const { code, out, err } of [state, events]) {
      assert.deepEqual([code, out], [1, ""])
      assert.match(err, /chronode: .*other\.ndjson holds no event \(line 1: [^ ]/u)
      assert.doesNotMatch(err, /[\u0000-\u0009\u000b-\u001f]/u)
    }
  })

  it("gzip is refused by name, also as a name to write", { timeout: 60_000 }, async () => {
    const gzip = at("gzip.ndjson.zst")
    writeFileSync(gzip, gzipSync(readFileSync(golden)))
    const [state, written] = await Promise.all([
      run("state", gzip),
      run("export", "--from", golden, "--out", at("out.ndjson.gz"))
    ])
    assert.equal(state.code, 1)
    assert.match(state.err, /is compressed with gzip, which is not read: unpack it with gzip -d/u)
    assert.equal(written.code, 2)
    assert.match(written.err, /no \.gz files are written; name it \.ndjson, or \.ndjson\.zst/u)
  })
})
