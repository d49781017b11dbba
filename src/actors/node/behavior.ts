/** The node's actor, live: it watches the journal's room and its age, and opens and closes the gate for new pods. */
import { Clock, Effect, Stream } from "effect"
import type { ActorId } from "../../events/actor-id.ts"
import { Journal } from "../../events/journal/port.ts"
import type { Behavior, Observation, Outgoing } from "../kernel/behavior.ts"
import { PodSettings } from "../pod/settings.ts"
import type { RuntimeView } from "../runtime/features.ts"
import { Admission } from "./admission.ts"
import type { NodeCommand } from "./commands.ts"
import { nodeDecider } from "./decider.ts"
import { observeDrain } from "./drain-observer.ts"
import { Reopening } from "./reopening.ts"
import { keepRetention, type Retention } from "./retention.ts"
import { holdInhibitor, observeGroup, observeShutdown } from "./shutdown-observer.ts"
import type { NodeActorEvent, NodeState } from "./state.ts"
import { observeStatus } from "./status-observer.ts"
import { applyTier, observeTiers, type TierNeeds } from "./tier-observer.ts"
import { isReservedTier, type Tier } from "./tiers.ts"

type Emit = (outgoing: Outgoing) => Effect.Effect<void>

export type NodeNeeds = Journal | Admission | Reopening | Retention | RuntimeView | TierNeeds

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

const reopen = (because: string): Effect.Effect<ReadonlyArray<Outgoing>, never, NodeNeeds> =>
  Effect.gen(function* () {
    yield* (yield* Reopening).ring(because)
    return []
  })

const drainOf = ({ drain }: NodeState, id: ActorId): ReadonlyArray<Observation<NodeNeeds>> =>
  drain?.status === "running"
    ? [
        {
          key: `drain ${drain.because}`,
          because: drain.because,
          run: (emit) => observeDrain(id, drain, emit)
        }
      ]
    : []

const groupOf = ({ shutdown }: NodeState, id: ActorId): ReadonlyArray<Observation<NodeNeeds>> => {
  const current = shutdown?.current
  if (shutdown === undefined || current === undefined) return []
  const grace = shutdown.groups.map(({ priority, gracePeriodSeconds }) => ({
    priority,
    shutdownGracePeriodSeconds: gracePeriodSeconds
  }))
  return [
    {
      key: `group ${current.because}`,
      because: current.because,
      run: (emit) => observeGroup(id, current, grace, emit)
    }
  ]
}

export const nodeBehavior: Behavior<NodeState, NodeCommand, NodeActorEvent, NodeNeeds> = {
  ...nodeDecider,
  react: ({ event, id: because }, state, id) => {
    switch (event._tag) {
      case "AdmissionClosed":
      case "AdmissionOpened":
        return gate(state)
      case "QosCgroupUpdated":
        return applied(event, id)
      case "NodeUncordoned":
      case "NodeShutdownCancelled":
      case "NodeShutdownOver":
        return reopen(because)
      default:
        return []
    }
  },
  // A reboot has taken the cgroups with it.
  resume: (state, id) => [
    gate(state),
    ...Object.entries(state.tiers ?? {}).map(([path, { tier, values }]) => applied({ tier, path, values }, id))
  ],
  observe: (state, id) => [
    // What changes the answer is looked at anew at once.
    {
      key: `status ${state.admission} ${state.shutdown?.because ?? ""}`,
      run: (emit) => observeStatus(id, emit)
    },
    { key: "shutdown", run: (emit) => observeShutdown(id, emit) },
    ...(state.shutdown?.status === "completed"
      ? []
      : [{ key: "inhibitor", run: (emit: Emit) => holdInhibitor(id, emit) }]),
    ...groupOf(state, id),
    ...drainOf(state, id),
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
