/** The upstream rows about containers' logs: reading, writing, tails, rotated files, and whose log is meant. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { Effect, Result, Stream } from "effect"
import { logContainer } from "../../../src/actors/pod/effects/log-container.ts"
import { nanoseconds, parseLine } from "../../../src/adapters/logs/line.ts"
import { inOrder, inUse, kept } from "../../../src/adapters/logs/names.ts"
import type { LogRecord } from "../../../src/adapters/logs/port.ts"
import { readLog } from "../../../src/adapters/logs/read.ts"
import { tailStart } from "../../../src/adapters/logs/tail.ts"
import { ByteLimit, LinePrinter } from "../../../src/cli/logs/printer.ts"
import { itMeets, judge, type RowValue, tables } from "../../support/cases.ts"

const text = (bytes: ReadonlyArray<Uint8Array>): string => Buffer.concat(bytes).toString("utf8")

/** What the printer makes of records, and cuts off at a number of bytes. */
const printed = (records: ReadonlyArray<LogRecord>, timestamps: boolean, limit?: number): string => {
  const out: Array<Uint8Array> = []
  const bound = limit === undefined ? undefined : new ByteLimit(limit)
  const printer = new LinePrinter({ timestamps, prefix: "", json: undefined }, (bytes) =>
    out.push(bound === undefined ? bytes : bound.take(bytes))
  )
  for (const record of records) printer.print(record)
  printer.end()
  return text(out)
}

const messageOf = ({ timestamp, log }: RowValue, stream: LogRecord["stream"]): LogRecord => ({
  time: timestamp,
  stream,
  bytes: Buffer.from(log)
})

describe("the upstream tables about logs", () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "chronode-logs-"))
  })
  after(() => rmSync(dir, { recursive: true }))

  itMeets(
    "logs.json",
    "TestValidateContainerLogStatus",
    "finds the container whose log is meant",
    ({ in: given, want }) => {
      const { podName, podStatus, containerName, previous } = given
      const found = logContainer(podName, podStatus.containerStatuses, containerName, previous)
      if (want.error !== null) assert.equal(Result.isFailure(found) && found.failure, want.error)
      // An empty id is written `://` there: of a running container that has none in its status.
      else assert.equal(Result.isSuccess(found) && found.success, want.containerID === "://" ? "" : want.containerID)
      return undefined
    }
  )

  itMeets("logs.json", "TestParseLog", "parses a line of either format", ({ in: { line }, want }) => {
    const record = parseLine(Buffer.from(line))
    if (want.isError) assert.equal(record, undefined)
    else {
      const { timestamp, stream, log } = want.message
      assert.deepEqual(
        {
          time: nanoseconds(record?.time ?? ""),
          stream: record?.stream,
          log: text([record?.bytes ?? Buffer.alloc(0)])
        },
        { time: nanoseconds(timestamp), stream, log }
      )
    }
    return undefined
  })

  const write = (message: RowValue, given: RowValue, lines: ReadonlyArray<LogRecord["stream"]>): string => {
    const since = given.since === null || given.since === undefined ? 0n : (nanoseconds(given.since) ?? 0n)
    const records = lines
      .map((stream) => messageOf(message, stream))
      .filter((record) => (nanoseconds(record.time) ?? 0n) >= since)
    return printed(records, given.timestamp, given.bytes)
  }

  // Both streams go to stdout here, as with kubectl logs.
  itMeets("logs.json", "TestWriteLogs", "writes a message", ({ in: given, want }) => {
    assert.equal(write(given.message, given, [given.stream]), want[given.stream])
    return undefined
  })

  itMeets("logs.json", "TestWriteLogsWithBytesLimit", "stops at the byte limit", ({ in: given, want }) => {
    const streams = [...Array(given.stdoutLines).fill("stdout"), ...Array(given.stderrLines).fill("stderr")]
    assert.equal(write(given.message, given, streams), want.stdout + want.stderr)
    return undefined
  })

  it("reads a file with every option (TestReadLogs)", async () => {
    for (const table of tables("logs.json", "TestReadLogs")) {
      const found = new Map<RowValue, string>()
      for (const row of table.rows) {
        const { options, content } = row.in
        const path = join(dir, "read.log")
        writeFileSync(path, content)
        const request = {
          path,
          tail: options.tailLines ?? undefined,
          since: options.since === null ? undefined : nanoseconds(options.since),
          follow: options.follow ? { hasEnded: () => true } : undefined
        }
        const records = (await Effect.runPromise(Stream.runCollect(readLog(request)))).flat()
        found.set(row, printed(records, options.timestamp, options.limitBytes ?? undefined))
      }
      judge("logs.json TestReadLogs", table.rows, (row) => void assert.equal(found.get(row), row.want.output))
    }
  })

  it("finds where the last lines begin (TestTail)", async () => {
    const line = `${"a".repeat(1024)}\n`
    const path = join(dir, "tail.log")
    writeFileSync(path, line.repeat(4) + "a".repeat(512))
    const file = await open(path)
    for (const table of tables("logs.json", "TestTail")) {
      const starts = new Map<RowValue, number>()
      for (const row of table.rows) starts.set(row, (await tailStart(file, (await file.stat()).size, row.in.n)).offset)
      judge("logs.json TestTail", table.rows, (row) => void assert.equal(starts.get(row), row.want.start))
    }
    await file.close()
  })

  itMeets(
    "logs.json",
    "TestGetAllLogs",
    "knows the files of a log, oldest first",
    ({ in: { log, directory }, want }) => {
      assert.deepEqual(inOrder(log, directory), want.files)
      return undefined
    }
  )
  itMeets("logs.json", "TestCleanupUnusedLog", "knows what an interrupted rotation left", ({ in: { files }, want }) => {
    assert.deepEqual(inUse(files), want.kept)
    return undefined
  })
  itMeets("logs.json", "TestRemoveExcessLog", "keeps the newest files", ({ in: { maxFiles, rotated }, want }) => {
    assert.deepEqual(kept(rotated, maxFiles), want.kept)
    return undefined
  })
})
