/** The state of eviction, plain JSON, and what each event does to it. */
import type { EventOf, EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { evictionEvents } from "../../events/kinds/eviction.ts"
import { conditionOf, type PressureCondition } from "./rules/signals.ts"

export type EvictionEvent = EventsOf<typeof evictionEvents>

export type EvictionSettings = Omit<EventOf<"EvictionConfigured">, "_tag">

/** A threshold that is met. */
export interface MetInState {
  readonly signal: string
  /** Milliseconds. */
  readonly since: number
  /** Id of its PressureObserved. */
  readonly because: string
  /** Its grace is over. */
  readonly due?: true
  /** It was told that nobody can go for it. */
  readonly impossible?: true
}

export interface ConditionInState {
  /** When a threshold of it was last met, milliseconds; absent: one is. */
  readonly observedAt?: number
  readonly because: string
}

export interface Evicting {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly message: string
  readonly signal: string
  readonly gracePeriodSeconds: number
  /** It is for the node's sake, and not for a limit of its own. */
  readonly disrupted: boolean
  /** Milliseconds. */
  readonly at: number
  /** Id of its EvictionTriggered. */
  readonly because: string
}

export interface EvictionState {
  readonly settings: EvictionSettings | null
  /** By threshold (thresholds.ts `thresholdKey`). */
  readonly met: Readonly<Record<string, MetInState>>
  readonly conditions: Readonly<Partial<Record<PressureCondition, ConditionInState>>>
  /** By signal: the time of the figures that were acted upon last. */
  readonly acted: Readonly<Record<string, string>>
  readonly reclaim: {
    readonly signal: string
    readonly threshold: string
    readonly reclaims: ReadonlyArray<"containers" | "images">
    readonly because: string
  } | null
  /** The last time that the node gave back what it could: when (ms), and how many bytes. */
  readonly reclaimed: { readonly at: number; readonly freedBytes: number } | null
  readonly evicting: ReadonlyArray<Evicting>
  /** Evictions that have come to their end: with each the next look is due. */
  readonly finished: number
}

export const initialEviction: EvictionState = {
  settings: null,
  met: {},
  conditions: {},
  acted: {},
  reclaim: null,
  reclaimed: null,
  evicting: [],
  finished: 0
}

const acted = (state: EvictionState, signal: string, observedAt: string | undefined): EvictionState["acted"] =>
  observedAt === undefined ? state.acted : { ...state.acted, [signal]: observedAt }

const relieved = (state: EvictionState, event: EventOf<"PressureRelieved">): EvictionState => {
  const { [event.threshold]: _, ...met } = state.met
  const condition = conditionOf(event.signal)
  const held = condition === undefined ? undefined : state.conditions[condition]
  const isMore = Object.values(met).some(({ signal }) => conditionOf(signal) === condition)
  if (condition === undefined || held === undefined || isMore) return { ...state, met }
  return {
    ...state,
    met,
    conditions: { ...state.conditions, [condition]: { ...held, observedAt: millis(event.lastObserved) } }
  }
}

const withMet = (state: EvictionState, threshold: string, change: Partial<MetInState>): EvictionState => {
  const known = state.met[threshold]
  return known === undefined ? state : { ...state, met: { ...state.met, [threshold]: { ...known, ...change } } }
}

export const evolveEviction = (state: EvictionState, event: EvictionEvent, meta: EventMeta): EvictionState => {
  switch (event._tag) {
    case "EvictionConfigured": {
      const { _tag, ...settings } = event
      return { ...state, settings }
    }
    case "PressureObserved": {
      const { signal, threshold } = event
      const condition = conditionOf(signal)
      const held = condition === undefined ? undefined : state.conditions[condition]
      const { observedAt: _, ...rest } = held ?? { because: "" }
      return {
        ...state,
        met: { ...state.met, [threshold]: { signal, since: millis(meta.time), because: meta.id } },
        conditions:
          condition === undefined || held === undefined ? state.conditions : { ...state.conditions, [condition]: rest }
      }
    }
    case "PressureRelieved":
      return relieved(state, event)
    case "PressureConditionChanged": {
      if (event.status)
        return { ...state, conditions: { ...state.conditions, [event.condition]: { because: meta.id } } }
      const { [event.condition]: _, ...conditions } = state.conditions
      return { ...state, conditions }
    }
    case "EvictionThresholdMet":
      return withMet(state, event.threshold, { due: true })
    case "EvictionImpossible":
      return withMet(state, event.threshold, { impossible: true })
    case "NodeReclaimRequested": {
      const { signal, threshold, reclaims, observedAt } = event
      return {
        ...state,
        acted: acted(state, signal, observedAt),
        reclaim: { signal, threshold, reclaims, because: meta.id }
      }
    }
    case "NodeReclaimed":
      return { ...state, reclaim: null, reclaimed: { at: millis(meta.time), freedBytes: event.freedBytes } }
    case "StorageLimitExceeded":
      return state
    case "EvictionTriggered": {
      const { namespace, name, uid, message, signal, gracePeriodSeconds, rank, observedAt } = event
      const one: Evicting = {
        namespace,
        name,
        uid,
        message,
        signal,
        gracePeriodSeconds,
        disrupted: rank > 0,
        at: millis(meta.time),
        because: meta.id
      }
      return { ...state, acted: acted(state, signal, observedAt), reclaimed: null, evicting: [...state.evicting, one] }
    }
    case "EvictionFinished":
      return {
        ...state,
        evicting: state.evicting.filter(({ uid }) => uid !== event.uid),
        finished: state.finished + 1
      }
  }
}

/** Conditions of the node that hold, in one order. */
export const heldConditions = ({ conditions }: EvictionState): ReadonlyArray<PressureCondition> =>
  (["MemoryPressure", "DiskPressure", "PIDPressure"] as const).filter((name) => conditions[name] !== undefined)
