/** Decisions taken again from a log: what the log says of each has to be compared whole. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { deciders } from "../../../src/actors/deciders.ts"
import { adviceOn } from "../../../src/actors/kernel/difference.ts"
import { knownFlags } from "../../../src/actors/kernel/flags.ts"
import { NodeFold } from "../../../src/actors/kernel/fold.ts"
import { Redecision, type RedecisionOptions } from "../../../src/actors/kernel/redecide.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { recordedEvents, start } from "../../events/recorded.ts"
import { logOf, probe, shortLog, startProbe } from "./difference-log.ts"

const redecided = (log: ReadonlyArray<RecordedEvent>, options: RedecisionOptions = {}) => {
  const redecision = new Redecision(deciders, options)
  for (const event of log) redecision.apply(event)
  redecision.end()
  return redecision
}
const summary = ({ differences }: Redecision) => differences.map(({ _tag, sequence }) => [_tag, sequence])
/** The log with one of its events, from 0, changed. */
const changed = (
  log: ReadonlyArray<RecordedEvent>,
  index: number,
  change: (event: RecordedEvent) => Partial<RecordedEvent>
): ReadonlyArray<RecordedEvent> => log.map((event, i) => (i === index ? { ...event, ...change(event) } : event))

describe("a decision that ends an actor and begins it anew", () => {
  const log = logOf([probe, startProbe("a", start)], [probe, startProbe("b", start + 1000)])

  it("is one decision of two events", () => {
    assert.deepEqual(
      log.map(({ event, command }) => [event._tag, command !== undefined]),
      [
        ["ProbeStarted", true],
        ["ProbeStopped", true],
        ["ProbeStarted", false]
      ]
    )
  })

  it("is compared whole", () => {
    const redecision = redecided(log)
    assert.deepEqual(redecision.differences, [])
    assert.equal(redecision.decisions, 2)
  })

  it("differs where its second half is missing", () => {
    assert.deepEqual(summary(redecided(log.slice(0, -1))), [["DeterminismViolation", 2]])
  })

  it("is not held against a log that was cut there, and is where the actor goes on without it", () => {
    const cut = redecided(log.slice(0, -1), { isCut: true })
    assert.deepEqual([cut.found, cut.decisions, cut.skipped], [0, 1, 1])
    const goesOn = [
      ...log.slice(0, -1),
      { ...log[2]!, actorSequence: 3, command: JSON.stringify(startProbe("c", start)) }
    ]
    assert.equal(summary(redecided(goesOn, { isCut: true }))[0]?.[0], "DeterminismViolation")
    const gap = [...log.slice(0, -1), { ...log[2]!, actorSequence: 9, command: JSON.stringify(startProbe("c", start)) }]
    assert.deepEqual(summary(redecided(gap, { isCut: true })), [])
  })

  it("leaves an actor that lives", () => {
    const { fold } = redecided(log)
    const [actor] = [...fold.actors.values()]
    assert.ok(actor !== undefined)
    assert.equal((actor.state as { asked: { containerId: string } }).asked.containerId, "b")
    assert.equal(actor.actorSequence, 3)
  })
})

describe("a determinism violation", () => {
  it("is told in the log's order, with both sides, the command, and the flags in force", () => {
    const log = shortLog()
    const answer = log.findIndex(({ event }) => event._tag === "ProbeSucceeded")
    const other = changed(log, answer, ({ event }) => ({ event: { ...event, duration: 4 } as never }))
    const redecision = redecided(changed(other, log.length - 1, () => ({ time: "2026-01-15T09:30:00.000Z" })))
    assert.deepEqual(summary(redecision), [
      ["DeterminismViolation", answer + 1],
      ["DeterminismViolation", log.length]
    ])
    const [first] = redecision.differences
    assert.ok(first?._tag === "DeterminismViolation")
    assert.deepEqual(
      [first.id, first.actor, first.command, first.position, first.recordedBy, first.flags],
      [log[answer]!.id, "probe/default/web.app.readiness", "ProbeObserved", 1, "0.1.0", [...knownFlags]]
    )
    const [was, is] = [first.recorded, first.decided] as ReadonlyArray<{
      readonly event: { readonly duration: number }
    }>
    assert.deepEqual([was?.event.duration, is?.event.duration], [4, 3])
    assert.match(adviceOn(first), /src\/actors\/kernel\/flags\.ts/u)
  })

  it("is also another cause, an event too many, and a decider that dies", () => {
    const log = shortLog()
    const second = log.findIndex(({ event }) => event._tag === "ProbeResultChanged")
    assert.deepEqual(summary(redecided(changed(log, second, () => ({ cause: "e1" })))), [
      ["DeterminismViolation", second + 1]
    ])
    const twice = [...log, { ...log.at(-1)!, command: undefined, actorSequence: log.at(-1)!.actorSequence + 1 }]
    assert.match(redecided(twice).differences[0]?.message ?? "", /1 events are decided, and the log holds 2/u)
    const dying = new Map(deciders)
    dying.set("probe", { ...deciders.get("probe")!, decide: () => assert.fail("no") })
    const redecision = new Redecision(dying)
    for (const event of log) redecision.apply(event)
    assert.match(redecision.end()[0]?.message ?? "", /deciding it died/u)
  })
})

describe("an incompatible history", () => {
  const only = (redecision: Redecision) => {
    const [difference, ...others] = redecision.differences
    assert.deepEqual(others, [])
    assert.ok(difference?._tag === "IncompatibleHistory", difference?.message)
    return difference
  }

  it("is a command of a shape that is not known, and what follows from its events is still decided", () => {
    const log = changed(shortLog(), 1, () => ({ command: '{"_tag":"StartProbe","at":1,"where":"mars"}' }))
    const redecision = redecided(log)
    const { what, command, message, sequence } = only(redecision)
    assert.deepEqual([what, command, sequence], ["command", "StartProbe", 2])
    assert.match(message, /its command cannot be read: /u)
    assert.equal(redecision.decisions, 4)
  })

  it("is an event of an unknown type: nothing more of its actor is compared", () => {
    const log = changed(shortLog(), 1, () => ({
      event: { _tag: "Unknown", type: "dev.chronode.ProbeStarted.v7", data: { a: 1 } }
    }))
    const redecision = redecided(log)
    const difference = only(redecision)
    assert.deepEqual([difference.what, difference.recorded], ["event", { a: 1 }])
    assert.match(difference.message, /dev\.chronode\.ProbeStarted\.v7 is not known/u)
    assert.match(adviceOn(difference), /upcast\.ts/u)
    assert.deepEqual([redecision.decisions, redecision.skipped], [1, 4])
  })

  it("is a flag of a newer program: nothing is decided until the next start", () => {
    const redecision = redecided(shortLog([1, 900]))
    const difference = only(redecision)
    assert.deepEqual([difference.what, difference.sequence, difference.recorded], ["flags", 1, [1, 900]])
    assert.match(difference.message, /flags 1, 900, and this program does not know 900/u)
    assert.match(adviceOn(difference), /newer one/u)
    assert.deepEqual([redecision.decisions, redecision.skipped], [0, 5])
  })

  it("is a checkpoint of another shape, where nothing else says what the actor was", () => {
    const [checkpoint] = recordedEvents([
      { event: { _tag: "ActorCheckpointed", stateVersion: 99, state: {} }, actor: probe }
    ])
    const late = { ...checkpoint!, sequence: 400, actorSequence: 30 }
    assert.equal(only(redecided([late])).what, "checkpoint")
    const log = shortLog()
    const known = { ...checkpoint!, sequence: log.length + 1, actorSequence: log.at(-1)!.actorSequence + 1 }
    assert.deepEqual(redecided([...log, known]).differences, [])
  })

  it("is data that cannot be read", () => {
    const redecision = new Redecision(deciders)
    redecision.unreadable({ sequence: 5, id: "e5", message: "its data cannot be read: Missing key" })
    const { what, sequence, id } = only(redecision)
    assert.deepEqual([what, sequence, id], ["event", 5, "e5"])
  })
})

describe("a log that begins in the middle", () => {
  it("compares what is known: actors that begin in it, as soon as the flags are known", () => {
    const tail = shortLog().slice(1)
    const unknown = redecided(tail)
    assert.deepEqual([unknown.found, unknown.decisions, unknown.skipped], [0, 0, 4])
    const told = redecided(tail, { flags: knownFlags })
    assert.deepEqual([told.found, told.decisions, told.skipped], [0, 4, 0])
    const later = redecided(tail.slice(1), { flags: knownFlags })
    assert.deepEqual([later.found, later.decisions, later.skipped], [0, 0, 3])
  })

  it("goes on from states that it is given", () => {
    const log = shortLog()
    const fold = new NodeFold(deciders)
    for (const event of log.slice(0, 2)) fold.apply(event)
    const rest = redecided(log.slice(2), { fold, flags: knownFlags })
    assert.deepEqual([rest.found, rest.decisions, rest.skipped], [0, 3, 0])
  })

  it("takes states and flags from checkpoints", () => {
    const log = shortLog()
    const fold = new NodeFold(deciders)
    for (const event of log.slice(0, 2)) fold.apply(event)
    const checkpoints = recordedEvents(
      [...fold.actors.values()].map(({ id, state }) => ({
        event: { _tag: "ActorCheckpointed", stateVersion: 1, state } as never,
        actor: id
      }))
    ).map((event, i) => ({ ...event, sequence: 500 + i, actorSequence: event.actor.kind === "node" ? 2 : 2 }))
    const rest = log.slice(2).map((event) => ({
      ...event,
      sequence: event.sequence + 600,
      actorSequence: event.actorSequence + 1
    }))
    const redecision = redecided([...checkpoints, ...rest])
    assert.deepEqual([redecision.found, redecision.decisions, redecision.skipped], [0, 3, 0])
  })
})
