import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Clock, Duration, Effect, Fiber, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { LogLine } from "../../../src/cli/event-log/log.ts"
import { UsageError } from "../../../src/cli/exit.ts"
import { paced, parsePace, parseSpeed } from "../../../src/cli/replay/playback.ts"
import { parsePrefix } from "../../../src/cli/replay/publish.ts"
import { keysOf, lines } from "../../../src/cli/replay/steps.ts"
import { encode } from "../../../src/events/envelope.ts"
import { recordedEvents } from "../../events/recorded.ts"
import { effectTest } from "../../support/effect.ts"

const stopped = { _tag: "SandboxStopped", sandboxId: "s1" } as const
/** Lines whose events were recorded so many seconds after the first. */
const logOf = (...seconds: ReadonlyArray<number>): ReadonlyArray<LogLine> =>
  recordedEvents(seconds.map((after) => ({ event: stopped, after }))).map((recorded, i) => ({
    line: encode(recorded),
    place: `line ${i + 2}`,
    event: Result.succeed(recorded)
  }))

/** Plays the lines in virtual time: when each came, in milliseconds from the beginning, and what was said. */
const played = (log: ReadonlyArray<LogLine>, speed: number | "max") =>
  Effect.gen(function* () {
    const came: Array<number> = []
    const notes: Array<string> = []
    const playing = paced(Stream.fromIterable(log), speed, (text) => notes.push(text)).pipe(
      Stream.runForEach(() => Effect.map(Clock.currentTimeMillis, (at) => came.push(at)))
    )
    const fiber = yield* Effect.forkChild(playing)
    yield* TestClock.adjust(Duration.days(60))
    yield* Fiber.join(fiber)
    return { came, notes }
  })

describe("playback at a speed", () => {
  effectTest(
    "gives each event as long after the first as it was, divided by the speed",
    Effect.gen(function* () {
      assert.deepEqual((yield* played(logOf(0, 1, 1, 3.5), 1)).came, [0, 1000, 1000, 3500])
      assert.deepEqual(
        (yield* played(logOf(0, 1, 1, 3.5), 10)).came,
        [0, 100, 100, 350].map((at) => at + 60 * 864e5)
      )
    })
  )
  effectTest(
    "waits for nothing at max",
    Effect.gen(function* () {
      assert.deepEqual(yield* played(logOf(0, 1000, 5), "max"), { came: [0, 0, 0], notes: [] })
    })
  )
  effectTest(
    "does not wait where the clock was set back, says so, and goes on from there",
    Effect.gen(function* () {
      const { came, notes } = yield* played(logOf(0, 2, -60, -58), 1)
      assert.deepEqual(came, [0, 2000, 2000, 4000])
      assert.deepEqual(notes, ["chronode: the node's clock was set back by 1m2s before line 4"])
    })
  )
  effectTest(
    "tells of a long wait before it, and can wait for longer than one timer",
    Effect.gen(function* () {
      const month = 30 * 86_400
      const { came, notes } = yield* played(logOf(0, month), 1)
      assert.deepEqual(came, [0, month * 1000])
      assert.deepEqual(notes, ["chronode: nothing for 30d before line 3; the wait is 30d"])
    })
  )
  effectTest(
    "lets a line that is no event pass at once",
    Effect.gen(function* () {
      const [first, last] = logOf(0, 4)
      const torn = { line: "{", place: "line 3", event: Result.fail({ where: "", message: "torn" }) }
      assert.deepEqual((yield* played([first!, torn, last!], 1)).came, [0, 0, 4000])
    })
  )
})

describe("the flags of a playback", () => {
  it("are a positive number or max", () => {
    assert.deepEqual(["1", "0.5", "250", "max"].map(parseSpeed), [1, 0.5, 250, "max"])
    for (const text of ["0", "-1", "fast", "", "1e3", "Infinity", "1/2"])
      assert.throws(() => parseSpeed(text), UsageError, text)
  })
  it("are a speed or steps, not both", () => {
    assert.deepEqual([parsePace({}, 1), parsePace({ step: true }, 1), parsePace({ speed: "2" }, 1)], [1, "step", 2])
    assert.throws(() => parsePace({ step: true, speed: "2" }, 1), /one or the other/u)
  })
  it("name a prefix that no real event has", () => {
    assert.deepEqual(["replay", "replay.", "a.b"].map(parsePrefix), ["replay.", "replay.", "a.b."])
    for (const text of ["chronode", "chronode.x", "$JS.API", "_INBOX", "a b", "a.*", ">", "", "a..b"])
      assert.throws(() => parsePrefix(text), UsageError, text)
  })
})

describe("steps by hand", () => {
  const collect = async (...chunks: ReadonlyArray<string>) => {
    const found: Array<string> = []
    const input = (async function* () {
      yield* chunks
    })()
    for await (const line of lines(input)) found.push(line)
    return found
  }
  it("are lines, however they are cut into chunks, with or without a last line feed", async () => {
    assert.deepEqual(await collect("a\nb", "c\n", "\r\n", "q"), ["a", "bc", "", "q"])
    assert.deepEqual(await collect(), [])
  })
  it("are keys on a terminal, an arrow key being one", () => {
    assert.deepEqual(keysOf("\r"), ["\r"])
    assert.deepEqual(keysOf("  q"), [" ", " ", "q"])
    assert.deepEqual(keysOf("\u001b[B"), ["\u001b[B"])
  })
})
