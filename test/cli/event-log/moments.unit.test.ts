import assert from "node:assert/strict"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { momentFlag, parseLogPoint, parseMoment } from "../../../src/cli/event-log/moments.ts"
import { UsageError } from "../../../src/cli/exit.ts"
import { withTemporaryDirectory } from "../../support/temporary-directory.ts"

const now = Date.UTC(2026, 0, 15, 12)
const id = "019a9f3c-5b1e-7c3a-9d2f-0123456789ab"

describe("a point in a log", () => {
  it("is a time, in every way that times are written", () => {
    assert.deepEqual(parseMoment("2026-01-15T09:30:00Z", now), { _tag: "Time", at: Date.UTC(2026, 0, 15, 9, 30) })
    assert.deepEqual(parseMoment("10m", now), { _tag: "Time", at: now - 600_000 })
    assert.deepEqual(parseMoment("now", now), { _tag: "Time", at: now })
  })

  it("or the id of an event", () => {
    assert.deepEqual(parseMoment(id, now), { _tag: "Event", id })
  })

  it("and nothing else", () => {
    for (const text of ["", "soon enough", "2026-02-30", "2026-01-15T25:00:00Z", "a/b", "05:99"])
      assert.equal(parseMoment(text, now), undefined, text)
    assert.throws(
      () => momentFlag("--at", "5 o'clock", now),
      (error) => error instanceof UsageError && /--at: '5 o'clock' is no time and no event/u.test(error.message)
    )
    assert.equal(momentFlag("--at", undefined, now), undefined)
  })
})

describe("a log and a point in it", () => {
  it("are parted at the last @", () => {
    assert.deepEqual(parseLogPoint("a.ndjson", now), { from: "a.ndjson", moment: undefined })
    assert.deepEqual(parseLogPoint(`a@b.ndjson@${id}`, now), { from: "a@b.ndjson", moment: { _tag: "Event", id } })
    assert.deepEqual(parseLogPoint("journal@10m", now), {
      from: "journal",
      moment: { _tag: "Time", at: now - 600_000 }
    })
  })

  it("are a file where one is called so", () =>
    withTemporaryDirectory(async (directory) => {
      mkdirSync(join(directory, "x"))
      const file = join(directory, "x", "web@10m")
      writeFileSync(file, "")
      assert.deepEqual(parseLogPoint(file, now), { from: file, moment: undefined })
    }))
})
