import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { make } from "../../../src/adapters/manifests/live.ts"
import { manifestsContract, podText } from "./manifests-contract.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "chronode-manifests-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
const directoryUnderTest = Effect.gen(function* () {
  const directory = yield* temporary
  return {
    directory,
    manifests: yield* make({ directory, nodeName: "n", keyFile: join(directory, ".key") }),
    write: (name: string, text: string) => Effect.sync(() => writeFileSync(join(directory, name), text)),
    remove: (name: string) => Effect.sync(() => rmSync(join(directory, name))),
    breakDirectory: Effect.sync(() => rmSync(directory, { recursive: true }))
  }
})

manifestsContract("a directory on disk", directoryUnderTest)

describe("a directory on disk", () => {
  it("reads regular files only, and tells what it does not read", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, manifests, write } = yield* directoryUnderTest
          yield* write("ok.yaml", podText("ok"))
          mkdirSync(join(directory, "folder"))
          symlinkSync(join(directory, "ok.yaml"), join(directory, "z-link.yaml"))
          symlinkSync(join(directory, "nowhere"), join(directory, "dangling.yaml"))
          execFileSync("mkfifo", [join(directory, "fifo.yaml")])
          writeFileSync(join(directory, "large.yaml"), "")
          truncateSync(join(directory, "large.yaml"), 10 * 1024 * 1024 + 1)
          writeFileSync(join(directory, "latin1.yaml"), Uint8Array.of(0xe9, 0x0a))
          const snapshot = yield* manifests.scan
          assert.ok(snapshot._tag === "Readable")
          assert.deepEqual(
            snapshot.files.map((f) => [f.file.slice(directory.length + 1), f.problems.map((p) => p.message)]),
            [
              ["fifo.yaml", ["is no regular file"]],
              ["large.yaml", ["is larger than 10 MiB: 10485761 bytes"]],
              ["latin1.yaml", ["is not UTF-8 text"]],
              ["ok.yaml", []],
              ["z-link.yaml", [`pod default/ok is declared in ${directory}/ok.yaml already`]]
            ]
          )
          assert.equal(snapshot.files[1]?.hash, "")
        })
      )
    ))

  it("is not stalled by ten megabytes of YAML", { timeout: 60_000 }, () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { manifests, write } = yield* directoryUnderTest
          yield* write("big.yaml", `a:\n${"  - b\n".repeat(1_700_000)}`)
          yield* write("ok.yaml", podText("ok"))
          const snapshot = yield* manifests.scan
          assert.ok(snapshot._tag === "Readable")
          assert.deepEqual(
            snapshot.files.map((f) => [f.pods.length, f.problems.length]),
            [
              [0, 1],
              [1, 0]
            ]
          )
        })
      )
    )
  )
})
