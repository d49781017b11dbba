/** Eviction, live: it looks at the node's resources, gives back what the node can do without, and tells pods to go. */
import { Clock, Duration, Effect, Option } from "effect"
import { actorId } from "../../events/actor-id.ts"
import type { Behavior, Outgoing, Reaction } from "../kernel/behavior.ts"
import type { PressureReported } from "../node/commands.ts"
import type { PodCommand } from "../pod/commands.ts"
import { PodSettings } from "../pod/settings.ts"
import type { EvictionCommand, ReportReclaim } from "./commands.ts"
import { evictionDecider } from "./decider.ts"
import { observeEvicted } from "./evicted-observer.ts"
import { evictionActor } from "./identity.ts"
import { EvictionLooks } from "./looks.ts"
import { type LookNeeds, observeResources } from "./observer.ts"
import { NodeReclaim, type Reclaimed } from "./options.ts"
import type { PressureCondition } from "./rules/signals.ts"
import { look, type Seen } from "./sight.ts"
import { type Evicting, type EvictionEvent, type EvictionState, heldConditions } from "./state.ts"

export type EvictionNeeds = LookNeeds | NodeReclaim | PodSettings
type Work = Effect.Effect<ReadonlyArray<Outgoing>, never, EvictionNeeds>

/** What the node gives back has so much time; then a pod goes. */
const reclaimTimeout = Duration.minutes(2)

const evict = ({ namespace, name, uid, signal, message, gracePeriodSeconds, disrupted, because }: Evicting): Work =>
  Effect.map(Clock.currentTimeMillis, (at) => {
    const command: PodCommand = { _tag: "EvictPod", at, uid, signal, message, gracePeriodSeconds, disrupted }
    return [{ to: actorId("pod", namespace, name), command, cause: because }]
  })

/** For the condition of the node. */
const tellNode = (condition: PressureCondition, isUnderPressure: boolean, because: string): Work =>
  Effect.gen(function* () {
    const { facts } = yield* PodSettings
    const at = yield* Clock.currentTimeMillis
    const command: PressureReported = { _tag: "PressureReported", at, condition, isUnderPressure }
    return [{ to: actorId("node", "", facts.nodeName), command, cause: because }]
  })

const late: Reclaimed = { freedBytes: 0, message: "it took too long" }

const giveBack = (reclaims: ReadonlyArray<"containers" | "images">): Work =>
  Effect.gen(function* () {
    const node = yield* NodeReclaim
    const done: Array<Reclaimed> = []
    for (const what of reclaims) {
      done.push(Option.getOrElse(yield* Effect.timeoutOption(node[what], reclaimTimeout), () => late))
    }
    const seen = (yield* look(0)) ?? (yield* nothingSeen)
    const { summary: _, ...sight } = seen
    const messages = done.flatMap(({ message }) => message ?? [])
    const command: ReportReclaim = {
      _tag: "ReportReclaim",
      freedBytes: done.reduce((sum, { freedBytes }) => sum + Math.max(0, Math.trunc(freedBytes)), 0),
      ...(messages.length === 0 ? {} : { message: messages.join("; ") }),
      ...sight
    }
    return [{ to: evictionActor, command }]
  })

/** Without figures nothing is known to be short: the next look sees. */
const nothingSeen: Effect.Effect<Seen> = Effect.map(Clock.currentTimeMillis, (at) => ({
  at,
  layout: { dedicatedImageFs: false, separateContainerFs: false },
  observations: {} as Seen["observations"],
  candidates: [],
  summary: { node: { nodeName: "", startTime: "" }, pods: [] }
}))

const react = (event: EvictionEvent, id: string, state: EvictionState): Reaction<EvictionNeeds> => {
  switch (event._tag) {
    case "EvictionTriggered": {
      const one = state.evicting.find(({ uid }) => uid === event.uid)
      return one === undefined ? [] : evict(one)
    }
    case "NodeReclaimRequested":
      return giveBack(event.reclaims)
    case "PressureConditionChanged":
      return tellNode(event.condition, event.status, id)
    case "EvictionFinished":
      return state.evicting.length > 0 ? [] : Effect.flatMap(EvictionLooks, ({ ring }) => Effect.as(ring(), []))
    default:
      return []
  }
}

export const evictionBehavior: Behavior<EvictionState, EvictionCommand, EvictionEvent, EvictionNeeds> = {
  ...evictionDecider,
  react: ({ event, id }, state) => react(event, id, state),
  resume: (state) => [
    ...heldConditions(state).map((condition) => tellNode(condition, true, state.conditions[condition]!.because)),
    ...state.evicting.map(evict),
    ...(state.reclaim === null ? [] : [giveBack(state.reclaim.reclaims)])
  ],
  observe: (state) => [
    { key: "resources", run: observeResources },
    ...state.evicting.map((one) => ({
      key: `evicted/${one.uid}`,
      because: one.because,
      run: (emit: (outgoing: Outgoing) => Effect.Effect<void>) => observeEvicted(one, emit)
    }))
  ]
}
