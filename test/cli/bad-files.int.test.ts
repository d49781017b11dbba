// runtimes: bun (deno)
import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "node:test"
import { gzipSync } from "node:zlib"
import { Effect, Result, Stream } from "effect"
import { codeOf, remarks } from "../../src/cli/event-log/fold-log.ts"
import { openIncidentLog } from "../../src/cli/event-log/incident-log.ts"
import { foldAt } from "../../src/cli/snapshots/fold-at.ts"
import { verifyIncident } from "../../src/events/incident/verify.ts"
import { writeIncident } from "../../src/events/incident/writer.ts"
import { liveTest } from "../support/effect.ts"
import { longLogRows } from "../support/long-log.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

const origin = { node: "node-1", chronodeVersion: "0.1.0", exportedAt: 0, filter: {} }

/** A whole file of so many events, and the path of a file beside it that is to be bad. */
const small = (events: number, name = "good.ndjson") =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    const path = join(directory, name)
    yield* writeIncident(path, origin, Stream.fromIterable(longLogRows(events, 2)))
    return { good: readFileSync(path), bad: join(directory, `bad-${name}`) }
  })

/** `whole`, `broken`, or why it is refused. */
const verdict = (path: string) =>
  Effect.match(verifyIncident(path), { onFailure: ({ reason }) => reason as string, onSuccess: ({ chain }) => chain })

/** What `state`, `get`, `diff` and `replay` make of it: the exit code, and what is said. Dies where a reader crashes. */
const folded = (path: string) =>
  Effect.gen(function* () {
    const log = yield* openIncidentLog(path)
    return yield* foldAt(log, undefined, { snapshots: false, progress: () => {}, note: () => {} })
  }).pipe(
    Effect.match({
      onFailure: ({ message }) => ({ code: 1, said: message }),
      onSuccess: (all) => ({ code: codeOf(all), said: remarks(all).join("\n") })
    })
  )

const flip = (bytes: Buffer, at: number, bit: number): Buffer => {
  const changed = Buffer.from(bytes)
  changed[at] = (bytes[at] as number) ^ (1 << bit)
  return changed
}

describe("a file that is cut", () => {
  liveTest(
    "at any byte is found by verify, and by every reader",
    Effect.gen(function* () {
      const { good, bad } = yield* small(2)
      // Without its last line feed it is whole still.
      for (let length = 0; length < good.length - 1; length++) {
        writeFileSync(bad, good.subarray(0, length))
        assert.match(yield* verdict(bad), /^(?:broken|NotIncident)$/u, `cut to ${length} bytes`)
        const { code, said } = yield* folded(bad)
        assert.equal(code, 1, `cut to ${length} bytes`)
        assert.match(
          said,
          /is empty|holds no event|the file ends at sequence \d \(\d events\); its header says 2|is no event/u
        )
      }
      writeFileSync(bad, good.subarray(0, good.length - 1))
      assert.deepEqual([yield* verdict(bad), (yield* folded(bad)).code], ["whole", 0])
    }),
    { timeout: 120_000 }
  )
})

describe("a file of which a bit was flipped", () => {
  liveTest(
    "anywhere in the header is found by verify, and crashes no reader",
    Effect.gen(function* () {
      const { good, bad } = yield* small(2)
      const end = good.indexOf("\n")
      for (let at = 0; at <= end; at++) {
        writeFileSync(bad, flip(good, at, at % 8))
        assert.match(yield* verdict(bad), /^(?:broken|NotIncident|NewerVersion)$/u, `byte ${at}`)
        yield* folded(bad)
      }
    }),
    { timeout: 120_000 }
  )

  liveTest(
    "anywhere in an event, each bit of it, is found by verify, and by every reader",
    Effect.gen(function* () {
      const { good, bad } = yield* small(2)
      const start = good.indexOf("\n") + 1
      const end = good.indexOf("\n", start)
      assert.ok(end - start > 500)
      for (let at = start; at <= end; at++)
        for (let bit = 0; bit < 8; bit++) {
          writeFileSync(bad, flip(good, at, bit))
          assert.equal(yield* verdict(bad), "broken", `bit ${bit} of byte ${at}`)
          if (bit !== at % 8) continue
          const { code, said } = yield* folded(bad)
          assert.equal(code, 1, `bit ${bit} of byte ${at}: ${said}`)
          assert.notEqual(said, "")
        }
    }),
    { timeout: 120_000 }
  )
})

describe("a file that is something else, or of another time", () => {
  const cases: ReadonlyArray<
    readonly [what: string, make: (good: string) => string | Buffer, code: number, said: RegExp]
  > = [
    ["gzip where zstd was meant", (good) => gzipSync(good), 1, /is compressed with gzip.*gzip -d.*chronode export/u],
    ["nothing at all", () => "", 1, /is empty\. Give a file made by/u],
    [
      "a format of the future",
      (good) => good.replace('"formatVersion":2', '"formatVersion":3'),
      1,
      /format 3; this program reads up to 2\. Use/u
    ],
    [
      "an event of a version of the future",
      (good) => good.replace("PodAdmitted.v1", "PodAdmitted.v9"),
      1,
      /1 events are of types or versions[\s\S]*chain is broken at line 2/u
    ],
    ["a first line that is no header, and no event", (good) => `x${good}`, 1, /line 1 is no event/u]
  ]
  for (const [what, make, code, said] of cases)
    liveTest(
      `${what} is told`,
      Effect.gen(function* () {
        const { good, bad } = yield* small(3)
        writeFileSync(bad, make(good.toString("utf8")))
        const answer = yield* folded(bad)
        assert.equal(answer.code, code)
        assert.match(answer.said, said)
      })
    )

  liveTest(
    "events of types and versions that are not known are counted, and the rest is folded",
    Effect.gen(function* () {
      const { good, bad } = yield* small(5)
      // As a newer program writes it: without a chain here, so that nothing else is wrong with it.
      const log = yield* openIncidentLog(bad.replace("bad-", ""))
      const lines = yield* Stream.runCollect(log.read({}, false))
      const texts = lines.map(({ line }) => line)
      texts[3] = (texts[3] as string).replace("ContainerCreated.v1", "ContainerCreated.v2")
      texts[4] = (texts[4] as string).replace("ContainerStarted.v1", "PodTeleported.v1")
      assert.ok(good.length > 0)
      writeFileSync(bad, `${texts.join("\n")}\n`)
      const { code, said } = yield* folded(bad)
      assert.equal(code, 0)
      assert.match(
        said,
        /^chronode: 2 events are of types or versions that this program does not know: .*newer Chronode/u
      )
      const read = yield* Stream.runCollect((yield* openIncidentLog(bad)).read({}, false))
      assert.deepEqual(
        read.map(({ event }) => Result.getOrThrow(event).event._tag),
        ["PodAdmitted", "PodAdmitted", "ContainerCreated", "Unknown", "Unknown"]
      )
    })
  )

  liveTest(
    "a packed file that is cut gives what is good before the cut, and is told",
    Effect.gen(function* () {
      const { good, bad } = yield* small(5000, "good.ndjson.zst")
      writeFileSync(bad, good.subarray(0, good.length - 10))
      const { code, said } = yield* folded(bad)
      assert.equal(code, 1)
      assert.match(said, /is damaged after \d+ bytes: .*it was cut off\. What could be unpacked before it/u)
      const log = yield* openIncidentLog(bad)
      const { fold } = yield* foldAt(log, undefined, { snapshots: false, progress: () => {}, note: () => {} })
      assert.ok(fold.events > 1000 && fold.events < 5000)
    })
  )
})
