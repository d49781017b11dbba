/** The probe's actor, live: it asks its container, and tells its pod when what it says of it changes. */
import { Clock, Effect } from "effect"
import type { Manifests } from "../../adapters/manifests/port.ts"
import type { Prober } from "../../adapters/probing/port.ts"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { ProbeResult } from "../../events/kinds/probe.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import type { ReportProbe } from "../pod/commands.ts"
import { askEveryPeriod } from "./asking.ts"
import type { ProbeCommand } from "./commands.ts"
import { probeDecider } from "./decider.ts"
import { type ProbeEvent, type ProbeState, podNameOf } from "./state.ts"

const report = (
  id: ActorId,
  { container, containerId, probe }: Pick<typeof ReportProbe.Type, "container" | "containerId" | "probe">,
  result: ProbeResult,
  output: string
): Effect.Effect<ReadonlyArray<Outgoing>> =>
  Effect.map(Clock.currentTimeMillis, (at) => {
    const command: typeof ReportProbe.Type = { _tag: "ReportProbe", at, container, containerId, probe, result, output }
    return [{ to: actorId("pod", id.namespace, podNameOf(id)), command }]
  })

export const probeBehavior: Behavior<ProbeState, ProbeCommand, ProbeEvent, Prober | Manifests> = {
  ...probeDecider,
  react: ({ event }, _, id) => (event._tag === "ProbeResultChanged" ? report(id, event, event.to, event.output) : []),
  observe: ({ asked }, id) =>
    asked === null || asked.onHold
      ? []
      : [{ key: asked.containerId, because: asked.startedBy, run: (emit) => askEveryPeriod(asked, id, emit) }],
  resume: ({ asked }, id) => (asked === null ? [] : report(id, asked, asked.result, asked.output))
}
