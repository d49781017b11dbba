/** The node's actor, live: it watches the journal's room and its age, and opens and closes the gate for new pods. */
import { Clock, Effect, Stream } from "effect"
import type { ActorId } from "../../events/actor-id.ts"
import { Journal } from "../../events/journal/port.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import { PodSettings } from "../pod/settings.ts"
import { Admission } from "./admission.ts"
import type { NodeCommand } from "./commands.ts"
import { nodeDecider } from "./decider.ts"
import { keepRetention, type Retention } from "./retention.ts"
import type { NodeActorEvent, NodeState } from "./state.ts"
import { applyTier, observeTiers, type TierNeeds } from "./tier-observer.ts"
import { isReservedTier, type Tier } from "./tiers.ts"

export type NodeNeeds = Journal | Admission | Retention | TierNeeds

const gate = (state: NodeState): Effect.Effect<ReadonlyArray<Outgoing>, never, NodeNeeds> =>
  Effect.gen(function* () {
    const admission = yield* Admission
    yield* state.admission === "open" ? admission.open : admission.close
    return []
  })

const applied = ({ tier, path, values }: Tier, id: ActorId): Effect.Effect<ReadonlyArray<Outgoing>, never, NodeNeeds> =>
  Effect.gen(function* () {
    const { facts, reservedTiers = [] } = yield* PodSettings
    // They stand in the log of an agent that made some once, or was told of cgroups that it is not told of any more.
    if (facts.cgroupsPerQos === false) return []
    if (isReservedTier(tier) && !reservedTiers.some((reserved) => reserved.path === path)) return []
    return [{ to: id, command: yield* applyTier({ tier, path, values }, false) }]
  })

export const nodeBehavior: Behavior<NodeState, NodeCommand, NodeActorEvent, NodeNeeds> = {
  ...nodeDecider,
  react: ({ event }, state, id) =>
    event._tag === "AdmissionClosed" || event._tag === "AdmissionOpened"
      ? gate(state)
      : event._tag === "QosCgroupUpdated"
        ? applied(event, id)
        : [],
  // A reboot has taken the cgroups with it.
  resume: (state, id) => [
    gate(state),
    ...Object.entries(state.tiers ?? {}).map(([path, { tier, values }]) => applied({ tier, path, values }, id))
  ],
  observe: (_, id) => [
    {
      key: "space",
      run: (emit) =>
        Effect.gen(function* () {
          const journal = yield* Journal
          yield* Stream.runForEach(journal.spaceChanges, ({ state, freeBytes }) =>
            Effect.flatMap(Clock.currentTimeMillis, (at) =>
              emit({ to: id, command: { _tag: "SpaceReported", at, state, freeBytes } as NodeCommand })
            )
          )
        })
    },
    { key: "tiers", run: (emit) => observeTiers(id, emit) },
    { key: "retention", run: (emit) => keepRetention((command) => emit({ to: id, command })) }
  ]
}
