import assert from "node:assert/strict"
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, it } from "node:test"
import { gunzipSync } from "node:zlib"
import { Effect } from "effect"
import { service } from "../../../src/adapters/logs/live.ts"
import { judge, type RowValue, tables } from "../../support/cases.ts"
import { temporaryDirectory, withTemporaryDirectory } from "../../support/temporary-directory.ts"
import { logsContract } from "./logs-contract.ts"

const filesIn = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort()

logsContract(
  "the logs in the file system",
  Effect.map(temporaryDirectory, (directory) => ({
    logs: service,
    directory,
    write: (path: string, bytes: number) =>
      Effect.sync(() => {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, "x".repeat(bytes))
      }),
    files: Effect.sync(() => filesIn(directory)),
    links: (at: string) =>
      Effect.sync(() => Object.fromEntries(readdirSync(at).map((name) => [name, readlinkSync(join(at, name))])))
  }))
)

describe("the logs in the file system", () => {
  it("rotate as upstream: what is too large of running containers (TestRotateLogs)", async () => {
    for (const table of tables("logs.json", "TestRotateLogs")) {
      const found = new Map<RowValue, ReadonlyArray<string>>()
      for (const row of table.rows) {
        await withTemporaryDirectory(async (directory) => {
          const { files, containers, maxFiles, maxSizeBytes } = row.in
          for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content as string)
          for (const { log, state } of containers) {
            const path = join(directory, log)
            const size = (await Effect.runPromise(service.size(path))) ?? 0
            if (state !== "CONTAINER_RUNNING" || size < maxSizeBytes) continue
            await Effect.runPromise(
              Effect.andThen(service.makeRoom(path, maxFiles), service.setAside(path, Date.now()))
            )
          }
          // The time of the rotation is the only one of this century there.
          found.set(
            row,
            filesIn(directory).map((name) => name.replace(/\.2\d{7}-\d{6}$/u, ".$now"))
          )
        })
      }
      judge("logs.json TestRotateLogs", table.rows, (row) => void assert.deepEqual(found.get(row), row.want.directory))
    }
  })

  it("keep every byte of what they pack", () =>
    withTemporaryDirectory(async (directory) => {
      const path = join(directory, "0.log")
      const content = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join("")
      writeFileSync(path, content)
      const rotated = await Effect.runPromise(service.setAside(path, Date.now()))
      await Effect.runPromise(service.makeRoom(path, 5))
      assert.equal(gunzipSync(readFileSync(`${rotated}.gz`)).toString("utf8"), content)
      assert.deepEqual(filesIn(directory).length, 1)
    }))
})
