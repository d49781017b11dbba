/** Reading logs that grow, that are rotated under the reader, and that hold what no log should. */
import assert from "node:assert/strict"
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { gzipSync } from "node:zlib"
import { Effect, Stream } from "effect"
import type { LogRecord, ReadLogRequest } from "../../../src/adapters/logs/port.ts"
import { readLog } from "../../../src/adapters/logs/read.ts"
import { maxHeldBytes, RecordSplitter } from "../../../src/adapters/logs/splitter.ts"
import { withTemporaryDirectory } from "../../support/temporary-directory.ts"

const line = (text: string, tag = "F"): string => `2026-11-24T18:40:00.123456789Z stdout ${tag} ${text}\n`
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => line(`line ${from + i}`)).join("")

const collect = async (request: ReadLogRequest): Promise<ReadonlyArray<LogRecord>> =>
  (await Effect.runPromise(Stream.runCollect(readLog(request)))).flat()
const texts = (records: ReadonlyArray<LogRecord>): ReadonlyArray<string> =>
  records.map(({ bytes }) => Buffer.from(bytes).toString("utf8").trimEnd())
const numbered = (from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`)

describe("a container's log", () => {
  it("is read with what rotation has set aside and packed, and its tail too", () =>
    withTemporaryDirectory(async (dir) => {
      const path = join(dir, "0.log")
      writeFileSync(`${path}.20261124-100000.gz`, gzipSync(lines(1, 100)))
      writeFileSync(`${path}.20261124-110000`, lines(101, 150))
      writeFileSync(`${path}.20261124-110000.tmp`, "half packed")
      writeFileSync(path, lines(151, 160))
      assert.deepEqual(texts(await collect({ path })), numbered(1, 160))
      assert.deepEqual(texts(await collect({ path, tail: 5 })), numbered(156, 160))
      assert.deepEqual(texts(await collect({ path, tail: 30 })), numbered(131, 160))
      assert.deepEqual(texts(await collect({ path, tail: 65 })), numbered(96, 160))
      assert.deepEqual(texts(await collect({ path, tail: 1000 })), numbered(1, 160))
      assert.deepEqual(await collect({ path, tail: 0 }), [])
    }))

  it("is followed across rotations, each line once", () =>
    withTemporaryDirectory(async (dir) => {
      const path = join(dir, "0.log")
      let hasEnded = false
      const following = collect({ path, follow: { hasEnded: () => hasEnded } })
      const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds))
      // As the runtime does it: the old file may still get lines when the new one is there.
      for (let round = 0; round < 3; round++) {
        const old = `${path}.20261124-18000${round}`
        appendFileSync(path, lines(round * 100 + 1, round * 100 + 50))
        await pause(250)
        renameSync(path, old)
        appendFileSync(old, lines(round * 100 + 51, round * 100 + 90))
        writeFileSync(path, "")
        appendFileSync(old, lines(round * 100 + 91, round * 100 + 100))
        await pause(700)
        if (round < 2) {
          writeFileSync(`${old}.gz`, gzipSync(readFileSync(old)))
          rmSync(old)
        }
      }
      appendFileSync(path, lines(301, 310))
      hasEnded = true
      assert.deepEqual(texts(await following), numbered(1, 310))
    }))

  it("fails by name where there is none, and waits for it where it is followed", () =>
    withTemporaryDirectory(async (dir) => {
      const path = join(dir, "0.log")
      await assert.rejects(collect({ path }), /there is no log .*0\.log/u)
      let looks = 0
      const hasEnded = () => {
        looks += 1
        if (looks === 2) writeFileSync(path, lines(1, 3))
        return looks > 2
      }
      assert.deepEqual(texts(await collect({ path, follow: { hasEnded } })), numbered(1, 3))
    }))

  it("tells of lines that are none, once, and goes on", () =>
    withTemporaryDirectory(async (dir) => {
      const path = join(dir, "0.log")
      const told: Array<string> = []
      writeFileSync(path, `${line("good")}what is this\nand this\n${line("better")}`)
      const records = await collect({ path, onUnreadable: (_, bad) => told.push(bad) })
      assert.deepEqual(texts(records), ["good", "better"])
      assert.deepEqual(told, ["what is this"])
    }))
})

describe("the splitter", () => {
  const split = (bytes: Uint8Array, chunk: number) => {
    const splitter = new RecordSplitter((bad) => assert.fail(`took for no line: ${bad}`))
    const records: Array<LogRecord> = []
    for (let at = 0; at < bytes.length; at += chunk) records.push(...splitter.push(bytes.subarray(at, at + chunk)))
    return [...records, ...splitter.end()]
  }

  it("gives a line of 5 MB in pieces that are bounded, with nothing lost", () => {
    const long = "x".repeat(5_000_000)
    const records = split(Buffer.from(line(long) + line("next")), 65_536)
    assert.ok(records.every(({ bytes }) => bytes.length <= maxHeldBytes + 65_536))
    assert.equal(Buffer.concat(records.map(({ bytes }) => bytes)).toString("utf8"), `${long}\nnext\n`)
    assert.ok(records.every(({ time, stream }) => time === "2026-11-24T18:40:00.123456789Z" && stream === "stdout"))
  })

  it("leaves bytes as they are, however they are cut", () => {
    const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i).filter((byte) => byte !== 0x0a))
    const head = Buffer.from("2026-11-24T18:40:00Z stderr F ")
    const log = Buffer.concat([head, binary, Buffer.from("\n"), head, Buffer.from("no line feed")])
    for (const chunk of [1, 7, 64, 4096]) {
      const [first, second] = split(log, chunk)
      assert.deepEqual(Buffer.from(first!.bytes), Buffer.concat([binary, Buffer.from("\n")]))
      assert.deepEqual(Buffer.from(second!.bytes), Buffer.from("no line feed"))
    }
  })
})
