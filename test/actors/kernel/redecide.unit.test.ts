/** Decisions taken again from a log: what the log says of each has to be compared whole. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { deciders } from "../../../src/actors/deciders.ts"
import { evolveActor, NodeFold } from "../../../src/actors/kernel/fold.ts"
import { Redecision } from "../../../src/actors/kernel/redecide.ts"
import { probeDecider } from "../../../src/actors/probe/decider.ts"
import type { ProbeEvent } from "../../../src/actors/probe/state.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { recordedEvents, start } from "../../events/recorded.ts"

const probe = actorId("probe", "default", "web.app.readiness")
const startProbe = (containerId: string, at: number) => ({
  _tag: "StartProbe" as const,
  at,
  podUid: "uid-web",
  pod: "default/web",
  container: "app",
  containerId,
  probe: "readiness" as const,
  spec: { tcpSocket: { port: 80 } },
  host: "10.0.0.2",
  ports: {},
  startedAt: "2026-01-15T09:30:00Z"
})

/** A log of what the probe's decider decides of these commands, one a second. */
const logOf = (...commands: ReadonlyArray<ReturnType<typeof startProbe>>): ReadonlyArray<RecordedEvent> => {
  let state: unknown = probeDecider.initial(probe)
  const given = commands.flatMap((command, second) =>
    probeDecider.decide(state as never, command as never).map((decided, i) => {
      state = evolveActor(probeDecider, probe, state, decided.event, { id: "", time: "" })
      return {
        event: decided.event as ProbeEvent,
        actor: probe,
        after: second,
        ...(i === 0 ? { command: JSON.stringify(command) } : {})
      }
    })
  )
  return recordedEvents(given)
}

describe("a decision that ends an actor and begins it anew", () => {
  const log = logOf(startProbe("a", start), startProbe("b", start + 1000))

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
    const redecision = new Redecision(deciders)
    for (const event of log) redecision.apply(event)
    assert.deepEqual(redecision.end(), [])
    assert.equal(redecision.decisions, 2)
  })

  it("differs where its second half is missing", () => {
    const redecision = new Redecision(deciders)
    for (const event of log.slice(0, -1)) redecision.apply(event)
    assert.deepEqual(
      redecision.end().map(({ sequence, kind }) => [sequence, kind]),
      [[2, "decision"]]
    )
  })

  it("leaves an actor that lives", () => {
    const fold = new NodeFold(deciders)
    for (const event of log) fold.apply(event)
    const [actor] = [...fold.actors.values()]
    assert.ok(actor !== undefined)
    assert.equal((actor.state as { asked: { containerId: string } }).asked.containerId, "b")
    assert.equal(actor.actorSequence, 3)
  })
})
