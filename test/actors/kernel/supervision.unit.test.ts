/** What an actor's failure, a full mailbox and time do to it and to its neighbours, in virtual time. */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { Context, Effect, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { AnyBehavior } from "../../../src/actors/kernel/behavior.ts"
import {
  mailboxCapacity,
  observationPause,
  restartIntensity,
  restartPause,
  restartPeriod
} from "../../../src/actors/kernel/limits.ts"
import { type ActorSystemShape, makeActorSystem } from "../../../src/actors/kernel/system.ts"
import { nodeDecider } from "../../../src/actors/node/decider.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { decodeLine } from "../../../src/events/decode.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { Journal } from "../../../src/events/journal/port.ts"
import { effectTest } from "../../support/effect.ts"
import { type CounterCommand, type CounterState, counter, counterBehavior } from "./counter.ts"

const root = actorId("node", "", "n1")
type Counter = ReturnType<typeof counterBehavior>
const plain = counterBehavior({ reactions: [], resumed: [] })

const startOn = (journal: Journal["Service"], behavior: Counter = plain) =>
  Effect.gen(function* () {
    const behaviors: ReadonlyArray<AnyBehavior<never>> = [nodeDecider, behavior]
    const actors = yield* makeActorSystem(behaviors, { recording: "events" }).pipe(
      Effect.provideContext(Context.make(Journal, journal))
    )
    yield* actors.recover
    yield* actors.start([root])
    return actors
  })
const start = (behavior?: Counter) =>
  Effect.gen(function* () {
    const { journal } = yield* makeMemoryJournal({ node: "n1" })
    return { journal, actors: yield* startOn(journal, behavior) }
  })

const tell = (actors: ActorSystemShape, name: string, command: CounterCommand) => actors.tell(counter(name), command)
const add = (n: number): CounterCommand => ({ _tag: "Add", at: 1, n })
const die: CounterCommand = { _tag: "Die", at: 1 }
const stateOf = (actors: ActorSystemShape, name: string) => actors.state(counter(name)) as CounterState | undefined

/** Lets everything go on that needs no time to pass. */
const settle = Effect.promise(async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
})

const tagsOf = (journal: Journal["Service"], name?: string) =>
  Effect.map(Stream.runCollect(journal.read({})), (rows) =>
    rows
      .map((row) => Result.getOrThrow(decodeLine(row.line)) as RecordedEvent)
      .filter((event) => name === undefined || event.actor.name === name)
      .map((event) => event.event._tag)
  )
const countOf = (journal: Journal["Service"], tag: string, name?: string) =>
  Effect.map(tagsOf(journal, name), (tags) => tags.filter((other) => other === tag).length)

describe("an actor that failed", () => {
  effectTest(
    "has the state that its events give, whatever it had in memory",
    Effect.gen(function* () {
      const spoiling: Counter = {
        ...plain,
        decide: (state, command, flags) => {
          // What no decider may do: change its state in place.
          if (command._tag === "Die") (state as { total: number }).total = 1_000
          return plain.decide(state, command, flags)
        }
      }
      const { actors } = yield* start(spoiling)
      yield* tell(actors, "a", add(2))
      yield* actors.idle
      yield* tell(actors, "a", die)
      yield* actors.idle
      assert.equal(stateOf(actors, "a")?.total, 2)
    })
  )

  effectTest(
    "is rebuilt at once the first time, and after a pause that doubles the next ones; its mail waits",
    Effect.gen(function* () {
      const { actors, journal } = yield* start()
      yield* tell(actors, "a", add(1))
      yield* tell(actors, "a", die)
      yield* settle
      assert.equal(yield* countOf(journal, "ActorRestarted", "a"), 1)
      for (const pause of [restartPause, 2 * restartPause]) {
        const before = yield* countOf(journal, "ActorRestarted", "a")
        yield* tell(actors, "a", die)
        yield* tell(actors, "a", add(1))
        yield* settle
        const total = stateOf(actors, "a")?.total
        yield* TestClock.adjust(pause - 1)
        yield* settle
        assert.equal(yield* countOf(journal, "ActorRestarted", "a"), before, `before ${pause} ms`)
        assert.equal(stateOf(actors, "a")?.total, total)
        yield* TestClock.adjust(1)
        yield* settle
        assert.equal(yield* countOf(journal, "ActorRestarted", "a"), before + 1, `after ${pause} ms`)
      }
      assert.equal(stateOf(actors, "a")?.total, 3)
    })
  )

  effectTest(
    "does not go up to its supervisor for failures that are longer ago than the period",
    Effect.gen(function* () {
      const { actors, journal } = yield* start()
      yield* tell(actors, "a", add(1))
      for (let row = 0; row < 3; row++) {
        for (let n = 0; n < restartIntensity; n++) yield* tell(actors, "a", die)
        yield* TestClock.adjust(restartPeriod + 1)
        yield* settle
      }
      assert.equal(yield* countOf(journal, "ActorFailed", "a"), 3 * restartIntensity)
      assert.equal(yield* countOf(journal, "ActorEscalated"), 0)
    })
  )

  effectTest(
    "takes the others of its supervisor along once it fails too often: all are rebuilt from the journal",
    Effect.gen(function* () {
      const { actors, journal } = yield* start()
      yield* tell(actors, "well", add(7))
      yield* tell(actors, "a", add(1))
      yield* actors.idle
      for (let n = 0; n <= restartIntensity; n++) yield* tell(actors, "a", die)
      yield* TestClock.adjust(restartPeriod)
      yield* settle
      assert.equal(yield* countOf(journal, "ActorEscalated"), 1)
      assert.deepEqual((yield* tagsOf(journal, "well")).slice(1), ["ActorRestarted"])
      assert.equal(stateOf(actors, "well")?.total, 7)
    })
  )

  effectTest(
    "has each of its timers once",
    Effect.gen(function* () {
      const { actors } = yield* start()
      yield* tell(actors, "a", { _tag: "Wake", at: 0, in: 5_000 })
      yield* tell(actors, "a", die)
      yield* settle
      const before = actors.counts().commands
      yield* TestClock.adjust("10 seconds")
      yield* settle
      assert.equal(stateOf(actors, "a")?.woken, 1)
      assert.equal(actors.counts().commands, before + 1)
    })
  )
})

describe("a timer", () => {
  effectTest(
    "that has fired stays spent as long as the state asks for the same moment",
    Effect.gen(function* () {
      const deaf: Counter = {
        ...plain,
        decide: (state, command, flags) => (command._tag === "TimerFired" ? [] : plain.decide(state, command, flags))
      }
      const { actors } = yield* start(deaf)
      yield* tell(actors, "a", { _tag: "Wake", at: 0, in: 1_000 })
      yield* TestClock.adjust("2 seconds")
      yield* settle
      const before = actors.counts().commands
      yield* tell(actors, "a", add(1))
      yield* settle
      yield* TestClock.adjust("1 minute")
      yield* settle
      assert.equal(actors.counts().commands, before + 1)
    })
  )

  effectTest(
    "is due after a new start when it was before it",
    Effect.gen(function* () {
      const { journal } = yield* makeMemoryJournal({ node: "n1" })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const actors = yield* startOn(journal)
          yield* tell(actors, "a", { _tag: "Wake", at: 0, in: 10_000 })
          yield* tell(actors, "late", { _tag: "Wake", at: 0, in: 3_000 })
          yield* settle
        })
      )
      yield* TestClock.adjust("6 seconds")
      const actors = yield* startOn(journal)
      yield* settle
      assert.deepEqual([stateOf(actors, "a")?.woken, stateOf(actors, "late")?.woken], [0, 1])
      yield* TestClock.adjust("4 seconds")
      yield* settle
      assert.equal(stateOf(actors, "a")?.woken, 1)
    })
  )

  effectTest(
    "of an actor whose mailbox is full holds up none of another's, and comes when there is room",
    Effect.gen(function* () {
      const { journal } = yield* makeMemoryJournal({ node: "n1" })
      let release: () => void = () => {}
      const room = new Promise<void>((resolve) => {
        release = resolve
      })
      let slow = false
      const held: Journal["Service"] = {
        ...journal,
        append: (drafts) =>
          slow && drafts[0]?.actor.name === "full"
            ? Effect.andThen(
                Effect.promise(() => room),
                journal.append(drafts)
              )
            : journal.append(drafts)
      }
      const actors = yield* startOn(held)
      yield* tell(actors, "full", { _tag: "Wake", at: 0, in: 1_000 })
      yield* tell(actors, "other", { _tag: "Wake", at: 0, in: 2_000 })
      yield* settle
      slow = true
      yield* tell(actors, "full", add(0))
      yield* settle
      while (actors.offer(counter("full"), add(0))) {}
      assert.equal(actors.counts().deepest, mailboxCapacity)
      yield* TestClock.adjust("3 seconds")
      yield* settle
      assert.equal(stateOf(actors, "other")?.woken, 1)
      assert.equal(stateOf(actors, "full")?.woken, 0)
      release()
      yield* settle
      yield* actors.idle
      assert.equal(stateOf(actors, "full")?.woken, 1)
    })
  )
})

describe("an observation", () => {
  effectTest(
    "that dies is started again after a pause, and ends with what asked for it",
    Effect.gen(function* () {
      let runs = 0
      let ended = 0
      const note = Effect.sync(() => {
        ended += 1
      })
      const watching: Counter = {
        ...plain,
        observe: (state) =>
          state.total < 5
            ? [
                {
                  key: "look",
                  run: () =>
                    Effect.suspend(() => {
                      runs += 1
                      if (runs === 1) return Effect.die(new Error("cannot look"))
                      return Effect.onInterrupt(Effect.never, () => note)
                    })
                }
              ]
            : []
      }
      const { actors } = yield* start(watching)
      yield* tell(actors, "a", add(1))
      yield* settle
      assert.equal(runs, 1)
      yield* TestClock.adjust(observationPause)
      yield* settle
      assert.equal(runs, 2)
      yield* tell(actors, "a", add(1))
      yield* settle
      assert.deepEqual([runs, ended], [2, 0])
      yield* tell(actors, "a", add(9))
      yield* settle
      assert.deepEqual([runs, ended], [2, 1])
    })
  )
})

describe("an actor that is finished", () => {
  effectTest(
    "goes on with its sequence when it begins anew",
    Effect.gen(function* () {
      const { actors, journal } = yield* start()
      for (const command of [add(1), { _tag: "End", at: 1 }] as const) yield* tell(actors, "a", command)
      yield* settle
      assert.equal(stateOf(actors, "a"), undefined)
      yield* tell(actors, "a", add(1))
      yield* settle
      const rows = yield* Stream.runCollect(journal.read({}))
      assert.deepEqual(
        rows.map((row) => Result.getOrThrow(decodeLine(row.line)).actorSequence),
        [1, 2, 3]
      )
    })
  )
})
