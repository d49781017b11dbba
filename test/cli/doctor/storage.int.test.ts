/** What doctor says of the data directory and the journal in it. */
import assert from "node:assert/strict"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, it } from "node:test"
import { checkDataDir } from "../../../src/cli/doctor/storage.ts"
import { journalPath } from "../../../src/cli/event-log/journal-path.ts"
import { withTemporaryDirectory } from "../../support/temporary-directory.ts"

const journalOf = (directory: string) => checkDataDir(directory).find(({ name }) => name === "journal")

describe("doctor, of the data directory", () => {
  it("counts what stands in the write-ahead log as the journal's too", () =>
    withTemporaryDirectory(async (directory) => {
      assert.match(journalOf(directory)?.found ?? "", /does not exist yet$/u)
      const path = journalPath(directory)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, Buffer.alloc(1024), { mode: 0o600 })
      writeFileSync(`${path}-wal`, Buffer.alloc(3 * 1024))
      assert.match(journalOf(directory)?.found ?? "", /journal\.sqlite, 4\.0 KiB; no agent holds it$/u)
    }))

  it("is told that a file is no directory", () =>
    withTemporaryDirectory(async (directory) => {
      const file = join(directory, "file")
      writeFileSync(file, "")
      const [check] = checkDataDir(file)
      assert.deepEqual([check?.status, check?.found], ["fail", `${file} is no directory`])
    }))
})
