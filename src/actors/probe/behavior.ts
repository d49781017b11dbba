/** The probe's actor, live: it asks its container, and tells its pod when what it says of it changes. */
import { Clock, Effect } from "effect"
import type { Manifests } from "../../adapters/manifests/port.ts"
import type { Prober } from "../../adapters/probing/port.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import { askEveryPeriod } from "./asking.ts"
import type { ProbeCommand } from "./commands.ts"
import { probeDecider } from "./decider.ts"
import { probeMessages, probeReminders } from "./messages.ts"
import type { ProbeEvent, ProbeState } from "./state.ts"

const now = (make: (at: number) => ReadonlyArray<Outgoing>) => Effect.map(Clock.currentTimeMillis, make)

export const probeBehavior: Behavior<ProbeState, ProbeCommand, ProbeEvent, Prober | Manifests> = {
  ...probeDecider,
  react: ({ event }, _, id) => (event._tag === "ProbeResultChanged" ? now((at) => probeMessages(event, id, at)) : []),
  observe: ({ asked }, id) =>
    asked === null || asked.onHold
      ? []
      : [{ key: asked.containerId, because: asked.startedBy, run: (emit) => askEveryPeriod(asked, id, emit) }],
  resume: (state, id) => (state.asked === null ? [] : now((at) => probeReminders(state, id, at)))
}
