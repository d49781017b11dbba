/** What a probe tells its pod: what it says of the container, whenever that changes. Pure. */
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { ProbeResult } from "../../events/kinds/probe.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { ReportProbe } from "../pod/commands.ts"
import { type ProbeEvent, type ProbeState, podNameOf } from "./state.ts"

const report = (
  id: ActorId,
  { container, containerId, probe }: Pick<typeof ReportProbe.Type, "container" | "containerId" | "probe">,
  result: ProbeResult,
  output: string,
  at: number
): ReadonlyArray<Outgoing> => {
  const command: typeof ReportProbe.Type = { _tag: "ReportProbe", at, container, containerId, probe, result, output }
  return [{ to: actorId("pod", id.namespace, podNameOf(id)), command }]
}

/** Messages on an event. `at`: milliseconds since the epoch. */
export const probeMessages = (event: ProbeEvent, id: ActorId, at: number): ReadonlyArray<Outgoing> =>
  event._tag === "ProbeResultChanged" ? report(id, event, event.to, event.output, at) : []

/** Told again after a restart. */
export const probeReminders = ({ asked }: ProbeState, id: ActorId, at: number): ReadonlyArray<Outgoing> =>
  asked === null ? [] : report(id, asked, asked.result, asked.output, at)
