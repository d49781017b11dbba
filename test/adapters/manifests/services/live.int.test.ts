import assert from "node:assert/strict"
import { mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Effect, Stream } from "effect"
import { make } from "../../../../src/adapters/manifests/services/live.ts"
import { servicesContract, serviceText } from "./services-contract.ts"

const directoryUnderTest = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "chronode-services-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  return {
    directory,
    manifests: yield* make({ directory }),
    write: (name: string, text: string) => Effect.sync(() => writeFileSync(join(directory, name), text)),
    remove: (name: string) => Effect.sync(() => rmSync(join(directory, name))),
    breakDirectory: Effect.sync(() => rmSync(directory, { recursive: true }))
  }
})

servicesContract("a directory of Services on disk", directoryUnderTest)

describe("a directory of Services on disk", () => {
  it("sees an edit of the same length with the old time of modification", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, manifests, write } = yield* directoryUnderTest
          yield* write("a.yaml", serviceText("a", "10.96.0.1"))
          const { atime, mtime } = statSync(join(directory, "a.yaml"))
          yield* manifests.scan
          // So long that the file counts as settled: its stat(2) alone tells that it is another one.
          yield* Effect.sleep(2_100)
          yield* manifests.scan
          yield* write(".new", serviceText("a", "10.96.0.2"))
          yield* Effect.sync(() => {
            utimesSync(join(directory, ".new"), atime, mtime)
            renameSync(join(directory, ".new"), join(directory, "a.yaml"))
          })
          const snapshot = yield* manifests.scan
          assert.ok(snapshot._tag === "Readable")
          assert.deepEqual(snapshot.services[0]?.spec.clusterIPs, ["10.96.0.2"])
        })
      )
    ))

  it("looks at what is written while somebody writes all the time", { timeout: 30_000 }, () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { manifests, write } = yield* directoryUnderTest
          const ticks: Array<number> = []
          const count = Stream.runForEach(manifests.changes, () =>
            Effect.sync(() => void ticks.push(performance.now()))
          )
          yield* Effect.forkScoped(count)
          while (ticks.length === 0) yield* Effect.sleep(10)
          for (let n = 0; n < 60; n++) {
            yield* write("a.yaml", serviceText("a", `10.96.0.${n}`))
            yield* Effect.sleep(50)
          }
          // Three seconds without quiet, and a look in each; the first one is that at the start.
          assert.ok(ticks.length >= 3, `ticks: ${ticks.length}`)
        })
      )
    )
  )
})
