import assert from "node:assert/strict"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "node:test"
import { constants, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { Effect, Result, Stream } from "effect"
import { openBytes } from "../../../src/events/incident/byte-source.ts"
import { maxLineBytes } from "../../../src/events/incident/format.ts"
import { readIncident, readIncidentHeader } from "../../../src/events/incident/reader.ts"
import { verifyIncident } from "../../../src/events/incident/verify.ts"
import { writeIncident } from "../../../src/events/incident/writer.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { sampleDrafts, sampleTime } from "../journal/sample.ts"

const origin = { node: "n1", chronodeVersion: "0.1.0", exportedAt: sampleTime, filter: {} }

/** The same `count` events as a plain and as a packed file. */
const both = (count: number, text?: string) =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const { journal } = yield* makeMemoryJournal({ node: "n1" })
    const drafts = sampleDrafts(1, count, text === undefined ? {} : { text })
    for (let i = 0; i < count; i += 100) yield* journal.append(drafts.slice(i, i + 100))
    const plain = join(directory, "plain.ndjson")
    const packed = join(directory, "packed.ndjson.zst")
    yield* writeIncident(plain, origin, journal.read({}))
    yield* writeIncident(packed, origin, journal.read({}))
    return { directory, plain, packed }
  })

const linesIn = (path: string) =>
  Effect.map(Stream.runCollect(readIncident(path)), (entries) =>
    entries.map(({ line, broken, event }) => [line, broken, Result.isSuccess(event)])
  )
/** `whole`, `broken`, or why it is refused. */
const verdict = (path: string) =>
  Effect.match(verifyIncident(path), { onFailure: ({ reason }) => reason as string, onSuccess: ({ chain }) => chain })

describe("a packed incident file", () => {
  liveTest(
    "holds what the plain one holds, is small and for its owner only, and any zstd program unpacks it",
    Effect.gen(function* () {
      const { plain, packed } = yield* both(5000)
      assert.equal(statSync(packed).mode & 0o777, 0o600)
      assert.ok(statSync(packed).size * 5 < statSync(plain).size)
      assert.deepEqual(yield* linesIn(packed), yield* linesIn(plain))
      assert.deepEqual(yield* readIncidentHeader(packed), yield* readIncidentHeader(plain))
      assert.deepEqual(yield* verifyIncident(packed), yield* verifyIncident(plain))
      // node:zlib of Deno 2.9 unpacks the first frame only.
      if (process.versions.bun !== undefined) {
        const unpacked = zstdDecompressSync(readFileSync(packed)).toString("utf8").split("\n")
        assert.deepEqual(unpacked.slice(1), readFileSync(plain, "utf8").split("\n").slice(1))
      }
    }),
    { timeout: 60_000 }
  )

  liveTest(
    "is told by its first bytes: its name may be any, and another program may have packed it",
    Effect.gen(function* () {
      const { directory, plain, packed } = yield* both(300, "ą".repeat(9000))
      const renamed = join(directory, "renamed.ndjson")
      writeFileSync(renamed, readFileSync(packed))
      assert.equal(yield* verdict(renamed), "whole")
      const other = join(directory, "other.ndjson.zst")
      const params = { [constants.ZSTD_c_compressionLevel]: 19 }
      writeFileSync(other, zstdCompressSync(readFileSync(plain), { params }))
      assert.deepEqual(yield* linesIn(other), yield* linesIn(plain))
      const misnamed = join(directory, "misnamed.ndjson.zst")
      writeFileSync(misnamed, readFileSync(plain))
      assert.equal(yield* verdict(misnamed), "whole")
    }),
    { timeout: 60_000 }
  )

  liveTest(
    "cut at any byte is found, and so is anything that was added",
    Effect.gen(function* () {
      const { directory, packed } = yield* both(1)
      const good = readFileSync(packed)
      const bad = join(directory, "bad.zst")
      for (let length = 0; length < good.length; length++) {
        writeFileSync(bad, good.subarray(0, length))
        assert.notEqual(yield* verdict(bad), "whole", `cut to ${length} bytes`)
      }
      for (const more of [Buffer.from("x"), Buffer.from("something else\n"), good, Buffer.alloc(40)]) {
        writeFileSync(bad, Buffer.concat([good, more]))
        assert.equal(yield* verdict(bad), "broken")
      }
    }),
    { timeout: 120_000 }
  )

  liveTest(
    "with any bit flipped behind the header, and any byte of the header's frame, is found, and crashes no reader",
    Effect.gen(function* () {
      const { directory, packed } = yield* both(1)
      const good = readFileSync(packed)
      const bad = join(directory, "bad.zst")
      const body = good.indexOf("\n") + 1
      assert.ok(body > 500 && good.length - body > 300)
      for (let at = 0; at < good.length; at++)
        for (let bit = at < body ? 7 : 0; bit < 8; bit++) {
          const changed = Buffer.from(good)
          changed[at] = (good[at] as number) ^ (1 << (at < body ? at % 8 : bit))
          writeFileSync(bad, changed)
          assert.notEqual(yield* verdict(bad), "whole", `bit ${bit} of byte ${at}`)
          if (bit === 7) yield* Effect.exit(linesIn(bad)) // ends, well or with a typed error
        }
    }),
    { timeout: 120_000 }
  )

  const refused: ReadonlyArray<readonly [string, (good: Buffer, plain: Buffer) => Buffer, string, RegExp]> = [
    ["gzip where zstd was meant", (_, plain) => gzipSync(plain), "NotIncident", /is compressed with gzip.*gzip -d/u],
    ["nothing", () => Buffer.alloc(0), "NotIncident", /is empty/u],
    [
      "a cut file",
      (good) => good.subarray(0, good.length - 60),
      "Damaged",
      /ends in the middle of a part: it was cut off/u
    ],
    [
      "something behind it",
      (good) => Buffer.concat([good, Buffer.from("tail")]),
      "Damaged",
      /something else than zstd/u
    ],
    ["a broken seal", (good) => Buffer.concat([good, good.subarray(0, 700)]), "Damaged", /damaged|cut off/u],
    [
      "a window that is too large",
      () => zstdCompressSync(Buffer.alloc(70_000_000, "x\n"), { params: { [constants.ZSTD_c_windowLog]: 26 } }),
      "Damaged",
      /window of more than 32 MiB.*zstd -19/u
    ],
    [
      "a line without an end",
      () => zstdCompressSync(Buffer.alloc(8_000_000, "x")),
      "LineTooLong",
      /:1: the line is longer/u
    ]
  ]
  for (const [what, make, reason, message] of refused)
    liveTest(
      `${what} is refused with a reason`,
      Effect.gen(function* () {
        const { directory, plain, packed } = yield* both(200)
        const bad = join(directory, "bad.ndjson.zst")
        writeFileSync(bad, make(readFileSync(packed), readFileSync(plain)))
        const error = yield* Effect.flip(linesIn(bad))
        assert.equal(error.reason, reason)
        assert.match(error.message, message)
      })
    )

  liveTest(
    "that unpacks to gigabytes is unpacked as it is asked for, a block at a time",
    Effect.gen(function* () {
      const path = join(yield* temporaryDirectory, "bomb.zst")
      // Frames of 64 MiB, 32 times: 2 GiB of line feeds in less than a megabyte.
      const frame = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024, "\n"), {
        params: { [constants.ZSTD_c_windowLog]: 20 }
      })
      writeFileSync(path, Buffer.concat(Array.from({ length: 32 }, () => frame)))
      const source = yield* Effect.promise(() => openBytes(path))
      const piece = new Uint8Array(maxLineBytes)
      const before = process.memoryUsage.rss()
      let unpacked = 0
      for (let i = 0; i < 4000; i++) unpacked += yield* Effect.promise(() => source.read(piece, 0, piece.length))
      yield* Effect.promise(source.close)
      assert.equal(unpacked, 4000 * maxLineBytes)
      assert.ok(process.memoryUsage.rss() - before < 128 * 1024 * 1024)
    }),
    { timeout: 60_000 }
  )
})
