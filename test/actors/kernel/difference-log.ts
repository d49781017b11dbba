/** A log that real deciders wrote, in which tests change something: what a node's agent and one probe decided. */
import { deciders } from "../../../src/actors/deciders.ts"
import type { Command } from "../../../src/actors/kernel/behavior.ts"
import { knownFlags } from "../../../src/actors/kernel/flags.ts"
import { evolveActor } from "../../../src/actors/kernel/fold.ts"
import { type ActorId, actorId, actorPath } from "../../../src/events/actor-id.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { type Given, recordedEvents, start } from "../../events/recorded.ts"

export const node = actorId("node", "", "node1")
export const probe = actorId("probe", "default", "web.app.readiness")

const agentStarted = (flags: ReadonlyArray<number>) => ({
  _tag: "AgentStarted",
  at: start,
  version: "0.1.0",
  host: "bun 1.4.5",
  kernel: "6.1.0",
  architecture: "x86_64",
  cgroupVersion: "v2",
  bootId: "b",
  pid: 1,
  recording: "events",
  flags,
  recoveredEvents: 0,
  recoveredActors: 0
})
export const startProbe = (containerId: string, at: number) => ({
  _tag: "StartProbe",
  at,
  podUid: "uid-web",
  pod: "default/web",
  container: "app",
  containerId,
  probe: "readiness",
  spec: { tcpSocket: { port: 80 } },
  host: "10.0.0.2",
  ports: {},
  startedAt: "2026-01-15T09:30:00Z"
})
export const answered = (containerId: string, at: number, result: "success" | "failure") => ({
  _tag: "ProbeObserved",
  at,
  containerId,
  result,
  output: result === "success" ? "" : "connection refused",
  timedOut: false,
  duration: 3
})

/** What the deciders decide of these commands, one a second, with all known flags. */
export const logOf = (
  ...told: ReadonlyArray<readonly [to: ActorId, command: Command & Record<string, unknown>]>
): ReadonlyArray<RecordedEvent> => {
  const states = new Map<string, unknown>()
  let count = 0
  const given = told.flatMap(([actor, command], second) => {
    const decider = deciders.get(actor.kind)!
    const path = actorPath(actor)
    const first = count
    return decider.decide(states.get(path) ?? decider.initial(actor), command, knownFlags).map((decided, i): Given => {
      count += 1
      const meta = { id: `e${count}`, time: "" }
      states.set(path, evolveActor(decider, actor, states.get(path) ?? decider.initial(actor), decided.event, meta))
      const cause = decided.because?.startsWith("@")
        ? `e${first + Number(decided.because.slice(1)) + 1}`
        : decided.because
      return {
        event: decided.event,
        actor,
        after: second,
        ...(cause === undefined ? {} : { cause }),
        ...(i === 0 ? { command: JSON.stringify(command) } : {})
      }
    })
  })
  return recordedEvents(given)
}

/** The agent starts; a probe asks container `a`, which answers once, and then container `b`. */
export const shortLog = (flags: ReadonlyArray<number> = [...knownFlags]): ReadonlyArray<RecordedEvent> =>
  logOf(
    [node, agentStarted(flags)],
    [probe, startProbe("a", start + 1000)],
    [probe, answered("a", start + 2000, "success")],
    [probe, startProbe("b", start + 3000)],
    [probe, answered("b", start + 4000, "failure")]
  )
