/** The pod's actor, live: what each of its events sets going, and what is taken up again after a restart. */
import { Clock, Effect } from "effect"
import type { Cgroups } from "../../adapters/cgroupfs/port.ts"
import type { ContainerRuntime } from "../../adapters/cri/port.ts"
import type { Host } from "../../adapters/host/port.ts"
import type { ContainerLogs } from "../../adapters/logs/port.ts"
import type { Manifests } from "../../adapters/manifests/port.ts"
import type { Prober } from "../../adapters/probing/port.ts"
import type { Volumes } from "../../adapters/volumes/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { Behavior, Observation, Outgoing, Reaction } from "../kernel/behavior.ts"
import { TierHints } from "../node/tier-hints.ts"
import type { RuntimeView } from "../runtime/features.ts"
import type { OomWitness } from "../runtime/oom-witness.ts"
import { type RuntimeReach, whenReached } from "../runtime/reach.ts"
import { PodEndpoints } from "../service/pod-endpoints.ts"
import type { Placements } from "../source/placements.ts"
import { observePreempted } from "./admission/preempted-observer.ts"
import type { PodCommand } from "./commands.ts"
import { podDecider } from "./decider.ts"
import { removeDeadContainers, stopContainer } from "./effects/container-end.ts"
import { ensureContainer } from "./effects/ensure-container.ts"
import { runHook } from "./effects/hook-effects.ts"
import { applyResize, observeDeferred } from "./effects/resize-effects.ts"
import { cleanUp, ensureSandbox, stopSandbox } from "./effects/sandbox-effects.ts"
import type { PodEvent } from "./evolve.ts"
import { podMessages, podReminders, podTells } from "./messages.ts"
import type { Pods } from "./pods.ts"
import type { PodSettings } from "./settings.ts"
import { containerIn, type HookType, isAlive, isHeld, type PodState } from "./state.ts"

export type PodNeeds =
  | Cgroups
  | ContainerLogs
  | ContainerRuntime
  | Host
  | Manifests
  | OomWitness
  | Placements
  | Pods
  | PodSettings
  | Prober
  | TierHints
  | RuntimeReach
  | RuntimeView
  | Volumes
type Work = Effect.Effect<ReadonlyArray<Outgoing>, never, PodNeeds>

const toSelf =
  (id: ActorId) =>
  (commands: ReadonlyArray<PodCommand>): ReadonlyArray<Outgoing> =>
    commands.map((command) => ({ to: id, command }))

/** Work at the runtime, which begins when that can be reached, and of which the pod is told. */
const atRuntime = (id: ActorId) => {
  const self = <R>(effect: Effect.Effect<ReadonlyArray<PodCommand>, never, R>) =>
    Effect.map(whenReached(effect), toSelf(id))
  const one = <R>(effect: Effect.Effect<PodCommand, never, R>) => self(Effect.map(effect, (command) => [command]))
  return { self, one }
}

/** A hook has its own time, and may be a request that needs no runtime. */
const hooked = (id: ActorId) => Effect.map(toSelf(id))

/** What the event sets going in the world; its outcome comes back as a command. */
const work = (event: PodEvent, state: PodState, id: ActorId): Reaction<PodNeeds> => {
  const { self, one } = atRuntime(id)
  const pod = state.definition?.pod
  switch (event._tag) {
    case "SandboxRequested":
      return state.definition === null
        ? []
        : one(ensureSandbox(state.definition, event.attempt, state.startTime, false))
    case "ContainerStartRequested":
      return self(ensureContainer(state, event.container, false))
    case "ContainerStarted":
    case "ContainerStartFailed": {
      const c = containerIn(state, event.container)
      return c === undefined ? [] : self(removeDeadContainers(c))
    }
    case "ContainerKillRequested":
    case "ContainerStopRequested": {
      const c = containerIn(state, event.container)
      return c?.status === "killing" && !isHeld(c) ? self(stopContainer(state, c)) : []
    }
    case "ContainerHookStarted": {
      const c = containerIn(state, event.container)
      return c?.containerId === event.containerId ? hooked(id)(runHook(state, c, event.hook)) : []
    }
    case "ResizeStarted":
      return self(applyResize(state))
    case "SandboxStopRequested":
      return one(stopSandbox(event.sandboxId))
    case "PodCleanupRequested":
      return pod === undefined ? [] : one(cleanUp(pod))
    default:
      return []
  }
}

const react = ({ event }: RecordedEvent<PodEvent>, state: PodState, id: ActorId): Reaction<PodNeeds> => {
  const done = work(event, state, id)
  const touches = touchesTiers.has(event._tag)
  const shows = showsBehindServices.has(event._tag) ? [tellEndpoints(state, id)] : []
  if (!touches && shows.length === 0 && !podTells.has(event._tag)) return done
  const told = Effect.map(Clock.currentTimeMillis, (at) => podMessages(event, state, id, at))
  return [...shows, ...(touches ? [touchTiers] : []), told, ...(Array.isArray(done) ? done : [done as Work])]
}

/** Events after which the pod may be another one behind the Services that select it, or none any more. */
const showsBehindServices: ReadonlySet<PodEvent["_tag"]> = new Set([
  "ContainerReadinessChanged",
  "PodConditionChanged",
  "PodPhaseChanged",
  "PodRemoved",
  "PodTerminationRequested",
  "PodUpdated",
  "SandboxCreated",
  "SandboxLost",
  "SandboxStopRequested",
  "SandboxStopped"
])

/** Only what differs from what the endpoints were told is told: the first of a decision's events is the cause. */
const tellEndpoints = (state: PodState, id: ActorId): Work =>
  Effect.zipWith(PodEndpoints, Clock.currentTimeMillis, (endpoints, at) =>
    endpoints === undefined ? [] : endpoints.podChanged(id.namespace, state, at)
  )

/** Events after which the cgroups above the pods may be due to change. */
const touchesTiers: ReadonlySet<PodEvent["_tag"]> = new Set([
  "PodAdmitted",
  "PodPhaseChanged",
  "PodRemoved",
  "ResizeAccepted"
])
const touchTiers: Work = Effect.flatMap(TierHints, ({ ring }) => Effect.as(ring(), []))

/**
 * After a restart of the agent or of the actor: what was decided and has no outcome yet is looked for in the runtime and
 * finished, and others are told again what they may have missed.
 */
const resume = (state: PodState, id: ActorId): Reaction<PodNeeds> => {
  const { definition } = state
  const reminders = Effect.map(Clock.currentTimeMillis, (at) => podReminders(state, id, at))
  if (definition === null) return [reminders, tellEndpoints(state, id)]
  const { pod } = definition
  const { self, one } = atRuntime(id)
  return [
    reminders,
    tellEndpoints(state, id),
    ...(state.sandbox?.status === "requested"
      ? [one(ensureSandbox(definition, state.sandbox.attempt, state.startTime, true))]
      : []),
    ...(state.sandbox?.status === "stopping" ? [one(stopSandbox(state.sandbox.sandboxId))] : []),
    ...(state.cleanup === null ? [] : [one(cleanUp(pod))]),
    ...(state.resize?.status === "applying" ? [self(applyResize(state))] : []),
    ...state.containers.filter((c) => c.status === "starting").map((c) => self(ensureContainer(state, c.name, true))),
    ...state.containers.filter((c) => c.status === "killing" && !isHeld(c)).map((c) => self(stopContainer(state, c))),
    ...state.containers
      .filter(isAlive)
      .flatMap((c) =>
        (Object.keys(c.hooks ?? {}) as ReadonlyArray<HookType>).map((hook) => hooked(id)(runHook(state, c, hook)))
      )
  ]
}

export const podBehavior: Behavior<PodState, PodCommand, PodEvent, PodNeeds> = {
  ...podDecider,
  react,
  resume,
  observe: (state, id) => [...waitsForPlace(state, id), ...waitsForRoom(state, id)]
}

/** A resize that was deferred. */
const waitsForRoom = (state: PodState, id: ActorId): ReadonlyArray<Observation<PodNeeds>> => {
  const pending = state.resize?.pending
  if (pending?.reason !== "Deferred" || state.termination !== null) return []
  return [
    {
      key: `deferred/${pending.because}`,
      because: pending.because,
      run: (emit) => observeDeferred(state, (command) => emit({ to: id, command }))
    }
  ]
}

/** Its place is being made. */
const waitsForPlace = (state: PodState, id: ActorId): ReadonlyArray<Observation<PodNeeds>> => {
  const { preempting, replacement } = state
  if (preempting === undefined || replacement === null) return []
  const { uid } = replacement.pod.metadata
  return [
    {
      key: `preempted/${uid}`,
      because: preempting.because,
      run: (emit) =>
        observePreempted(preempting.pods, (at) =>
          emit({ to: id, command: { _tag: "ReportPreempted", at, uid } as PodCommand })
        )
    }
  ]
}
