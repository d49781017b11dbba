/** What every implementation of `ContainerLogs` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import type { ContainerLogs } from "../../../src/adapters/logs/port.ts"

export interface LogsUnderTest {
  readonly logs: (typeof ContainerLogs)["Service"]
  /** A directory that the test may use. */
  readonly directory: string
  readonly write: (path: string, bytes: number) => Effect.Effect<void>
  /** Names of the files in the directory, sorted; links are none. */
  readonly files: Effect.Effect<ReadonlyArray<string>>
  /** Target by name of the link in a directory. */
  readonly links: (directory: string) => Effect.Effect<Readonly<Record<string, string>>>
}

const second = 1000
const noon = Date.parse("2026-11-24T12:00:00Z")

export const logsContract = (name: string, make: Effect.Effect<LogsUnderTest, never, Scope.Scope>): void => {
  const withIt = (use: (it: LogsUnderTest) => Effect.Effect<void, unknown>): Promise<void> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))

  describe(`${name} keeps the contract of logs`, () => {
    it("names the directories of logs and removes them whole", () =>
      withIt(({ logs, directory, write }) =>
        Effect.gen(function* () {
          assert.deepEqual(yield* logs.directories(`${directory}/pods`), [])
          yield* write(`${directory}/pods/default_b_uid-b/app/0.log`, 1)
          yield* write(`${directory}/pods/default_a_uid-a/app/0.log`, 1)
          yield* write(`${directory}/pods/stray.log`, 1)
          assert.deepEqual(yield* logs.directories(`${directory}/pods`), ["default_a_uid-a", "default_b_uid-b"])
          for (let i = 0; i < 2; i++) yield* logs.removeDirectory(`${directory}/pods/default_a_uid-a`)
          assert.deepEqual(yield* logs.directories(`${directory}/pods`), ["default_b_uid-b"])
        })
      ))

    it("rotates: one is plain, the older ones are packed, and not more than may be", () =>
      withIt(({ logs, directory, write, files }) =>
        Effect.gen(function* () {
          const path = `${directory}/0.log`
          for (let round = 0; round < 6; round++) {
            yield* write(path, 100 + round)
            assert.equal(yield* logs.size(path), 100 + round)
            yield* logs.makeRoom(path, 4)
            assert.equal(yield* logs.setAside(path, noon + round * second), `${path}.20261124-12000${round}`)
            assert.equal(yield* logs.size(path), undefined)
          }
          const there = ["0.log.20261124-120003.gz", "0.log.20261124-120004.gz", "0.log.20261124-120005"]
          assert.deepEqual(yield* files, there)
          yield* logs.makeRoom(path, 2)
          assert.deepEqual(yield* files, [])
        })
      ))

    it("gives a name of its own to each file, however fast they follow each other", () =>
      withIt(({ logs, directory, write, files }) =>
        Effect.gen(function* () {
          for (const _ of [1, 2, 3]) {
            yield* write(`${directory}/0.log`, 10)
            yield* logs.setAside(`${directory}/0.log`, noon)
          }
          assert.deepEqual(
            yield* files,
            [0, 1, 2].map((i) => `0.log.20261124-12000${i}`)
          )
        })
      ))

    it("puts back what was set aside, unless there is a new file", () =>
      withIt(({ logs, directory, write, files }) =>
        Effect.gen(function* () {
          const path = `${directory}/0.log`
          yield* write(path, 10)
          const first = yield* logs.setAside(path, noon)
          yield* logs.putBack(first, path)
          yield* logs.putBack(first, path)
          assert.deepEqual(yield* files, ["0.log"])
          const second = yield* logs.setAside(path, noon)
          yield* write(path, 20)
          yield* logs.putBack(second, path)
          assert.equal(yield* logs.size(path), 20)
          assert.equal((yield* files).length, 2)
        })
      ))

    it("fails by name where there is nothing to set aside", () =>
      withIt(({ logs, directory }) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(logs.setAside(`${directory}/0.log`, noon))
          assert.match(error.message, /ENOENT.*0\.log/u)
          assert.equal(error.path, `${directory}/0.log`)
        })
      ))

    it("removes a log with all that belongs to it, and nothing else", () =>
      withIt(({ logs, directory, write, files }) =>
        Effect.gen(function* () {
          for (const file of ["0.log", "0.log.20261124-120000", "0.log.20261124-110000.gz", "0.log.mine", "1.log"])
            yield* write(`${directory}/${file}`, 10)
          yield* logs.remove(`${directory}/0.log`)
          yield* logs.remove(`${directory}/0.log`)
          assert.deepEqual(yield* files, ["0.log.mine", "1.log"])
        })
      ))

    it("links a log that is there, and removes the links that lead into a directory or to a log", () =>
      withIt(({ logs, directory, write, links }) =>
        Effect.gen(function* () {
          const here = `${directory}/links`
          yield* write(`${directory}/0.log`, 10)
          yield* write(`${directory}/1.log`, 10)
          yield* logs.link(`${here}/a.log`, `${directory}/0.log`)
          yield* logs.link(`${here}/a.log`, `${directory}/0.log`)
          yield* logs.link(`${here}/b.log`, `${directory}/1.log`)
          yield* logs.link(`${here}/c.log`, `${directory}/none.log`)
          assert.deepEqual(yield* links(here), { "a.log": `${directory}/0.log`, "b.log": `${directory}/1.log` })
          yield* logs.unlink(here, `${directory}/0.log`)
          assert.deepEqual(yield* links(here), { "b.log": `${directory}/1.log` })
          yield* logs.unlink(here, directory)
          yield* logs.unlink(here, directory)
          assert.deepEqual(yield* links(here), {})
          yield* logs.unlink(`${directory}/nowhere`, directory)
        })
      ))
  })
}
