import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Exit, Fiber, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { mailboxCapacity, restartIntensity } from "../../../src/actors/kernel/limits.ts"
import { type ActorSystemShape, makeActorSystem, type SystemOptions } from "../../../src/actors/kernel/system.ts"
import { nodeDecider } from "../../../src/actors/node/decider.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { decodeLine } from "../../../src/events/decode.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { Journal, JournalError } from "../../../src/events/journal/port.ts"
import { type CounterLog, type CounterState, counter, counterBehavior } from "./counter.ts"

const node = actorId("node", "", "n1")
const emptyLog = (): CounterLog => ({ reactions: [], resumed: [] })

const system = (journal: Journal["Service"], log: CounterLog, options: SystemOptions = { recording: "events" }) =>
  makeActorSystem<never>([nodeDecider, counterBehavior(log)], options).pipe(Effect.provideService(Journal, journal))

const started = (journal: Journal["Service"], log: CounterLog, options?: SystemOptions) =>
  Effect.gen(function* () {
    const actors = yield* system(journal, log, options)
    yield* actors.recover
    yield* actors.start([node])
    return actors
  })

const eventsOf = (journal: Journal["Service"]) =>
  Effect.map(Stream.runCollect(journal.read({})), (rows) =>
    rows.map((row) => {
      const decoded = decodeLine(row.line)
      assert.ok(Result.isSuccess(decoded))
      return decoded.success as RecordedEvent
    })
  )

const totalOf = (actors: ActorSystemShape, name: string) =>
  (actors.state(counter(name)) as CounterState | undefined)?.total

const run = <A, E>(effect: Effect.Effect<A, E, never>) => Effect.runPromise(effect)
const scoped = <A, E>(effect: Effect.Effect<A, E, import("effect").Scope.Scope>) => run(Effect.scoped(effect))

const at = 1_000

describe("the actor kernel", () => {
  it("folds a command's events, after they are in the journal, and reacts then", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const log = emptyLog()
        const order: Array<string> = []
        const watched: Journal["Service"] = {
          ...journal,
          append: (drafts) =>
            Effect.tap(journal.append(drafts), () =>
              Effect.sync(() => order.push(`stored, ${log.reactions.length} reactions`))
            )
        }
        const actors = yield* started(watched, log)
        yield* actors.tell(counter("a"), { _tag: "Add", at, n: 2 } as never)
        yield* actors.idle
        assert.equal(totalOf(actors, "a"), 2)
        assert.deepEqual(order, ["stored, 0 reactions"])
        assert.deepEqual(log.reactions, ["add 2"])
      })
    ))

  it("writes the command on the first event of a decision, and its cause", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const actors = yield* started(journal, emptyLog())
        yield* actors.tell(counter("a"), { _tag: "Add", at, n: 2 } as never, "cause-1")
        yield* actors.idle
        const [event] = yield* eventsOf(journal)
        assert.equal(event?.cause, "cause-1")
        assert.deepEqual(JSON.parse(event?.command ?? ""), { _tag: "Add", at, n: 2 })
        assert.equal(event?.actorSequence, 1)
        assert.equal(event?.time, "1970-01-01T00:00:01.000Z")
      })
    ))

  it("writes nothing for a command that changes nothing, but in flight-recorder mode", () =>
    scoped(
      Effect.gen(function* () {
        for (const [recording, expected] of [
          ["events", []],
          ["inputs", ["InputRecorded"]]
        ] as const) {
          const { journal } = yield* makeMemoryJournal({ node: "n1" })
          const actors = yield* started(journal, emptyLog(), { recording })
          yield* actors.tell(counter("a"), { _tag: "Nothing", at } as never)
          yield* actors.idle
          assert.deepEqual(
            (yield* eventsOf(journal)).map((e) => e.event._tag),
            expected
          )
        }
      })
    ))

  it("gives each actor a sequence without gaps, also over many turns", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const actors = yield* started(journal, emptyLog())
        for (let n = 0; n < 500; n++)
          yield* actors.tell(counter(n % 2 === 0 ? "a" : "b"), { _tag: "Add", at, n: 1 } as never)
        yield* actors.idle
        const events = yield* eventsOf(journal)
        for (const name of ["a", "b"]) {
          const mine = events.filter((e) => e.actor.name === name).map((e) => e.actorSequence)
          assert.deepEqual(
            mine,
            Array.from({ length: 250 }, (_, i) => i + 1)
          )
        }
      })
    ))

  it("bounds a mailbox: a sender waits, and nothing is lost", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const actors = yield* started(journal, emptyLog())
        let refused = 0
        for (let n = 0; n < mailboxCapacity + 10; n++) {
          if (!actors.offer(counter("a"), { _tag: "Add", at, n: 1 } as never)) refused += 1
        }
        assert.equal(refused, 10)
        yield* Effect.forEach(
          Array.from({ length: 10 }),
          () => actors.tell(counter("a"), { _tag: "Add", at, n: 1 } as never),
          {
            concurrency: "unbounded"
          }
        )
        yield* actors.idle
        assert.equal(totalOf(actors, "a"), mailboxCapacity + 10)
      })
    ))

  it("fires a timer that the state asks for, once, at its time", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const actors = yield* started(journal, emptyLog())
        yield* actors.tell(counter("a"), { _tag: "Wake", at: 0, in: 5_000 } as never)
        yield* actors.idle
        yield* TestClock.adjust("4 seconds")
        yield* actors.idle
        assert.equal((actors.state(counter("a")) as CounterState).woken, 0)
        yield* TestClock.adjust("2 seconds")
        yield* actors.idle
        assert.equal((actors.state(counter("a")) as CounterState).woken, 1)
        yield* TestClock.adjust("1 hour")
        yield* actors.idle
        assert.equal((actors.state(counter("a")) as CounterState).woken, 1)
      }).pipe(Effect.provide(TestClock.layer()))
    ))

  it("restarts one actor from the journal after a defect, drops the command, and leaves others alone", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const log = emptyLog()
        const actors = yield* started(journal, log)
        yield* actors.tell(counter("b"), { _tag: "Add", at, n: 7 } as never)
        for (const command of [
          { _tag: "Add", at, n: 2 },
          { _tag: "Die", at },
          { _tag: "Add", at, n: 3 }
        ]) {
          yield* actors.tell(counter("a"), command as never)
        }
        yield* actors.idle
        assert.equal(totalOf(actors, "a"), 5)
        assert.equal(totalOf(actors, "b"), 7)
        const mine = (yield* eventsOf(journal)).filter((e) => e.actor.name === "a")
        assert.deepEqual(
          mine.map((e) => e.event._tag),
          ["VolumeMountFailed", "ActorFailed", "ActorRestarted", "VolumeMountFailed"]
        )
        assert.deepEqual(
          mine.map((e) => e.actorSequence),
          [1, 2, 3, 4]
        )
        assert.equal(mine[2]?.cause, mine[1]?.id)
        assert.deepEqual(log.resumed, [2], "only the failed actor resumes, with its folded state")
      })
    ))

  it("takes a defect in a reaction for the actor's failure", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const actors = yield* started(journal, emptyLog())
        yield* actors.tell(counter("a"), { _tag: "ReactAndDie", at } as never)
        yield* actors.idle
        const failure = (yield* eventsOf(journal)).find((e) => e.event._tag === "ActorFailed")
        assert.match(JSON.stringify(failure?.event), /died while reacting/u)
        yield* actors.tell(counter("a"), { _tag: "Add", at, n: 4 } as never)
        yield* actors.idle
        assert.equal(totalOf(actors, "a"), 4)
      })
    ))

  it("sends a row of failures up to the supervisor once, and goes on alone with one that fails on", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const actors = yield* started(journal, emptyLog(), { recording: "events", restartPause: 0 })
        yield* actors.tell(counter("well"), { _tag: "Add", at, n: 1 } as never)
        for (let n = 0; n < 4 * restartIntensity; n++) yield* actors.tell(counter("a"), { _tag: "Die", at } as never)
        yield* actors.tell(counter("a"), { _tag: "Add", at, n: 3 } as never)
        yield* actors.idle
        const tags = (yield* eventsOf(journal)).map((e) => `${e.actor.kind} ${e.event._tag}`)
        assert.equal(tags.filter((t) => t === "volume ActorFailed").length, 4 * restartIntensity)
        assert.equal(tags.filter((t) => t === "volume ActorEscalated").length, 1)
        assert.equal(tags.filter((t) => t === "node ActorFailed").length, 1)
        assert.deepEqual([totalOf(actors, "a"), totalOf(actors, "well")], [3, 1])
      })
    ))

  it("fails as a whole when more actors fail than the root bears", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const actors = yield* started(journal, emptyLog(), { recording: "events", restartPause: 0 })
        const failure = yield* Effect.forkChild(actors.failure)
        for (let actor = 0; actor <= restartIntensity; actor++) {
          for (let n = 0; n <= restartIntensity; n++)
            yield* actors.tell(counter(`a${actor}`), { _tag: "Die", at } as never)
        }
        const exit = yield* Fiber.await(failure)
        assert.ok(Exit.isFailure(exit))
        assert.match(String(exit.cause), /nobody supervises it/u)
      })
    ))

  it("recovers all actors from the journal, resumes them, and goes on with their sequences", () =>
    run(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const actors = yield* started(journal, emptyLog())
            yield* actors.tell(counter("a"), { _tag: "Add", at, n: 2 } as never)
            yield* actors.tell(counter("gone"), { _tag: "Add", at, n: 9 } as never)
            yield* actors.tell(counter("gone"), { _tag: "End", at } as never)
            yield* actors.idle
          })
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            const log = emptyLog()
            const actors = yield* system(journal, log)
            assert.deepEqual(yield* actors.recover, { events: 3, actors: 1, unknown: 0 })
            yield* actors.start([node])
            yield* actors.idle
            assert.deepEqual(log.resumed, [2])
            assert.deepEqual(log.reactions, [], "what happened before is not acted on again")
            yield* actors.tell(counter("a"), { _tag: "Add", at, n: 1 } as never)
            yield* actors.tell(counter("gone"), { _tag: "Add", at, n: 1 } as never)
            yield* actors.idle
            assert.equal(totalOf(actors, "a"), 3)
            assert.equal(totalOf(actors, "gone"), 1, "a finished actor begins anew")
            const last = (yield* eventsOf(journal)).slice(-2)
            assert.deepEqual(last.map((e) => e.actorSequence).sort(), [2, 3])
          })
        )
      })
    ))

  it("folds from a checkpoint as from the events before it", () =>
    run(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const actors = yield* started(journal, emptyLog())
            yield* actors.tell(counter("a"), { _tag: "Add", at, n: 2 } as never)
            yield* actors.idle
            yield* actors.checkpoint(counter("a"))
            yield* actors.tell(counter("a"), { _tag: "Add", at, n: 5 } as never)
            yield* actors.idle
          })
        )
        yield* journal.prune(1)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const actors = yield* system(journal, emptyLog())
            yield* actors.recover
            assert.equal(totalOf(actors, "a"), 7)
          })
        )
      })
    ))

  it("says of a state that is too large that it cannot be written down, and that is no failure of its actor", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const tooLarge = new JournalError({ reason: "EventTooLarge", path: "/x", message: "65,537 bytes" })
        const faulty: Journal["Service"] = {
          ...journal,
          append: (drafts) =>
            drafts[0]?.event._tag === "ActorCheckpointed" ? Effect.fail(tooLarge) : journal.append(drafts)
        }
        const actors = yield* started(faulty, emptyLog())
        yield* actors.tell(counter("a"), { _tag: "Add", at, n: 2 } as never)
        yield* actors.idle
        assert.equal(yield* Effect.flip(actors.checkpoint(counter("a"))), tooLarge)
        yield* actors.tell(counter("a"), { _tag: "Add", at, n: 3 } as never)
        yield* actors.idle
        assert.equal(totalOf(actors, "a"), 5)
        const mine = yield* eventsOf(journal)
        assert.deepEqual(
          mine.map((e) => [e.event._tag, e.actorSequence]),
          [
            ["VolumeMountFailed", 1],
            ["VolumeMountFailed", 2]
          ]
        )
      })
    ))

  it("fails as a whole when the journal cannot be written", () =>
    scoped(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal({ node: "n1" })
        const broken = new JournalError({ reason: "InputOutput", path: "/x", message: "no more disk" })
        const faulty: Journal["Service"] = { ...journal, append: () => Effect.fail(broken) }
        const log = emptyLog()
        const actors = yield* started(faulty, log)
        yield* actors.tell(counter("a"), { _tag: "Add", at, n: 2 } as never)
        const failure = yield* Effect.flip(actors.failure)
        assert.match(failure.message, /no more disk/u)
        assert.deepEqual(log.reactions, [], "nothing is done that is not written")
        assert.equal(totalOf(actors, "a"), 0)
      })
    ))
})
