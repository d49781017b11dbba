/**
 * The decider of eviction: each look at the node's resources is one pass of kubelet's rules (rules/synchronize.ts). What changes
 * nothing is no event: pressure is told when it begins and when it ends, and not with every look while it lasts.
 */
import { Result } from "effect"
import { timestamp } from "../../events/definition.ts"
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { isEqual } from "../kernel/json.ts"
import { value } from "../pod/resources/quantity.ts"
import { EvictionCommand, type ReportReclaim, type ResourcesObserved } from "./commands.ts"
import { tellRanking } from "./ranking.ts"
import type { StorageLimit } from "./rules/candidate.ts"
import { type FsLayout, withContainerFs } from "./rules/container-fs.ts"
import type { Observation } from "./rules/observations.ts"
import { parseThresholds } from "./rules/settings.ts"
import { conditionOf, pressureConditions, resourceOf } from "./rules/signals.ts"
import {
  isRelieved,
  rankingOf,
  type Shortage,
  type SyncConfig,
  type SyncState,
  synchronize,
  type Victim,
  victimOf
} from "./rules/synchronize.ts"
import { amountOf, byEvictionPriority, type Threshold, thresholdKey } from "./rules/thresholds.ts"
import {
  type EvictionEvent,
  type EvictionSettings,
  type EvictionState,
  evolveEviction,
  heldConditions,
  initialEviction
} from "./state.ts"

type EvictionDecision = Decision<EvictionState, EvictionEvent>

/** What gave back next to nothing is not tried again before, milliseconds, unless a pod went meanwhile. */
export const reclaimPause = 300_000
/** Bytes that are next to nothing. */
export const leastReclaim = 1024 * 1024
/** Pods beyond limits of their own that go at one look; the others with the next one. */
export const maxLimitedPods = 16

/** What the settings mean on this node. Settings that cannot be read were refused before: then there are no thresholds. */
export const configOf = (settings: EvictionSettings, layout: FsLayout): SyncConfig => ({
  thresholds: withContainerFs(
    Result.getOrElse(parseThresholds(settings), () => []),
    layout
  ).thresholds,
  pressureTransitionPeriod: settings.evictionPressureTransitionPeriodSeconds * 1000,
  maxPodGracePeriodSeconds: settings.evictionMaxPodGracePeriodSeconds,
  localStorageCapacityIsolation: settings.localStorageCapacityIsolation
})

type ByKey = ReadonlyMap<string, Threshold>
const byKey = ({ thresholds }: SyncConfig): ByKey => new Map(thresholds.map((t) => [thresholdKey(t), t]))

const knownMet = (
  state: EvictionState,
  known: ByKey
): ReadonlyArray<readonly [Threshold, EvictionState["met"][string]]> =>
  Object.entries(state.met).flatMap(([key, met]) => {
    const threshold = known.get(key)
    return threshold === undefined ? [] : [[threshold, met] as const]
  })

/** When a threshold that was met before this look was last seen to be. */
const lastSeen = (since: number, previousAt: number | undefined): number => Math.max(since, previousAt ?? since)

const syncStateOf = (state: EvictionState, known: ByKey, previousAt: number | undefined): SyncState => {
  const met = knownMet(state, known)
  return {
    met: met.map(([threshold, { since }]) => ({ threshold, at: since })),
    thresholdsMet: met.filter(([, { due }]) => due === true).map(([threshold]) => threshold),
    conditions: heldConditions(state),
    conditionTimes: Object.fromEntries(
      pressureConditions.flatMap((condition) => {
        const held = state.conditions[condition]
        if (held === undefined) return []
        const since = Math.max(
          ...Object.values(state.met)
            .filter(({ signal }) => conditionOf(signal) === condition)
            .map((one) => one.since)
        )
        return [[condition, held.observedAt ?? lastSeen(since, previousAt)]]
      })
    ),
    lastObservations: Object.fromEntries(Object.entries(state.acted).map(([signal, time]) => [signal, { time }]))
  }
}

const decide = (state: EvictionState, command: EvictionCommand): ReadonlyArray<Decided<EvictionEvent>> => {
  const d: EvictionDecision = new Decision(state, evolveEviction, command.at)
  switch (command._tag) {
    case "ConfigureEviction": {
      const { _tag, at, ...settings } = command
      if (!isEqual(state.settings, settings)) d.emit({ _tag: "EvictionConfigured", ...settings })
      break
    }
    case "ResourcesObserved":
      if (state.settings !== null) look(d, command, configOf(state.settings, command.layout))
      break
    case "ReportReclaim":
      if (state.settings !== null) learnReclaim(d, command, configOf(state.settings, command.layout))
      break
    case "ReportEvicted": {
      const one = state.evicting.find(({ uid }) => uid === command.uid)
      if (one === undefined) break
      const { namespace, name, uid, at, because } = one
      d.emit(
        { _tag: "EvictionFinished", namespace, name, uid, outcome: command.outcome, duration: command.at - at },
        because
      )
      break
    }
  }
  return d.decided
}

type Observed = ResourcesObserved["observations"]

const observationOf = (observations: Observed, signal: string): Observation | undefined =>
  (observations as Readonly<Record<string, Observation | undefined>>)[signal]

const thresholdFacts = (threshold: Threshold, observed: Observation) => ({
  signal: threshold.signal,
  threshold: thresholdKey(threshold),
  quantity: value(amountOf(threshold.value, observed.capacity, threshold.signal)),
  available: observed.available,
  capacity: observed.capacity,
  gracePeriodSeconds: threshold.gracePeriod / 1000
})

const look = (d: EvictionDecision, command: ResourcesObserved, config: SyncConfig): void => {
  const { at, observations, previousAt } = command
  const known = byKey(config)
  const { state, todo } = synchronize(config, syncStateOf(d.state, known, previousAt), { now: at, ...command })
  tellPressure(d, command, state)
  tellConditions(d, state)
  const { evicting, reclaim } = d.state
  for (const threshold of state.thresholdsMet) {
    if (d.state.met[thresholdKey(threshold)]?.due !== true) tellDue(d, threshold, observations)
  }
  // One thing at a time: a pod that goes is waited for, and so is what the node gives back.
  if (evicting.length > 0 || reclaim !== null) return
  switch (todo._tag) {
    case "Nothing":
      return
    case "EvictLimited":
      for (const victim of todo.victims.slice(0, maxLimitedPods)) evictLimited(d, victim)
      return
    case "Evict":
      evict(d, command, config, todo.shortage)
      return
    case "Reclaim": {
      const { threshold } = todo.shortage
      if (isReclaimSpent(d.state, at)) evict(d, command, config, todo.shortage)
      else {
        const observedAt = observationOf(observations, threshold.signal)?.time
        d.emit(
          {
            _tag: "NodeReclaimRequested",
            signal: threshold.signal,
            threshold: thresholdKey(threshold),
            reclaims: todo.reclaims,
            ...(observedAt === undefined ? {} : { observedAt })
          },
          tellDue(d, threshold, observations)
        )
      }
    }
  }
}

/** It was tried a moment ago, in vain, and no pod has gone since. */
const isReclaimSpent = ({ reclaimed }: EvictionState, at: number): boolean =>
  reclaimed !== null && reclaimed.freedBytes < leastReclaim && at - reclaimed.at < reclaimPause

/** Thresholds that are met since this look, and those that are not any more. */
const tellPressure = (
  d: EvictionDecision,
  { by, observations, previousAt }: ResourcesObserved,
  state: SyncState
): void => {
  const now = new Set(state.met.map(({ threshold }) => thresholdKey(threshold)))
  for (const [key, { signal, since, because }] of Object.entries(d.state.met)) {
    if (now.has(key)) continue
    const observed = observationOf(observations, signal)
    d.emit(
      {
        _tag: "PressureRelieved",
        signal,
        threshold: key,
        ...(observed === undefined ? {} : { available: observed.available, capacity: observed.capacity }),
        since: timestamp(since),
        lastObserved: timestamp(lastSeen(since, previousAt))
      },
      because
    )
  }
  for (const { threshold } of state.met) {
    const observed = observationOf(observations, threshold.signal)
    if (d.state.met[thresholdKey(threshold)] !== undefined || observed === undefined) continue
    d.emit({ _tag: "PressureObserved", ...thresholdFacts(threshold, observed), by })
  }
}

const tellConditions = (d: EvictionDecision, { conditions }: SyncState): void => {
  for (const condition of pressureConditions) {
    const held = d.state.conditions[condition]
    const met = Object.values(d.state.met).filter(({ signal }) => conditionOf(signal) === condition)
    const holds = conditions.includes(condition)
    if (holds === (held !== undefined)) continue
    const signals = [...new Set(met.map(({ signal }) => signal))]
    d.emit(
      { _tag: "PressureConditionChanged", condition, status: holds, signals },
      holds ? met.at(-1)?.because : held?.because
    )
  }
}

/** The threshold as the cause of what follows; answers the reference to that event, which is told once in a decision. */
const tellDue = (d: EvictionDecision, threshold: Threshold, observations: Observed): string | undefined => {
  const key = thresholdKey(threshold)
  const met = d.state.met[key]
  const told = d.decided.findIndex(({ event }) => event._tag === "EvictionThresholdMet" && event.threshold === key)
  if (told !== -1) return `@${told}`
  const observed = observationOf(observations, threshold.signal)
  if (met === undefined || observed === undefined) return met?.because
  return d.emit(
    {
      _tag: "EvictionThresholdMet",
      ...thresholdFacts(threshold, observed),
      resource: resourceOf(threshold.signal) ?? "",
      since: timestamp(met.since)
    },
    met.because
  )
}

type Sighted = Pick<ResourcesObserved | ReportReclaim, "at" | "layout" | "observations" | "candidates" | "more">

const evict = (
  d: EvictionDecision,
  sighted: Sighted,
  config: SyncConfig,
  shortage: Shortage,
  because?: string
): void => {
  const { at, layout, observations, candidates, more = 0 } = sighted
  const sight = { now: at, layout, observations, candidates }
  const { threshold } = shortage
  const key = thresholdKey(threshold)
  const victim = victimOf(config, shortage, sight)
  if (victim === undefined) {
    const met = d.state.met[key]
    if (met !== undefined && met.impossible !== true)
      d.emit(
        { _tag: "EvictionImpossible", signal: threshold.signal, threshold: key, pods: candidates.length },
        because ?? met.because
      )
    return
  }
  const observed = observationOf(observations, threshold.signal)
  const cause = because ?? tellDue(d, threshold, observations)
  const { ranking, others } = tellRanking(rankingOf(shortage, sight), threshold.signal, layout)
  const untold = (others?.pods ?? 0) + more
  d.emit(
    {
      ...triggered(victim, threshold.signal, key),
      ...(observed === undefined ? {} : { available: observed.available, capacity: observed.capacity }),
      ...(observed?.time === undefined ? {} : { observedAt: observed.time }),
      ranking,
      ...(untold === 0 ? {} : { others: { pods: untold, used: others?.used ?? 0 } })
    },
    cause
  )
}

const triggered = (
  { candidate, rank, gracePeriodSeconds, message, annotations }: Victim,
  signal: string,
  threshold: string
) => ({
  _tag: "EvictionTriggered" as const,
  namespace: candidate.namespace,
  name: candidate.name,
  uid: candidate.uid,
  rank,
  signal,
  threshold,
  gracePeriodSeconds,
  message,
  annotations
})

/** kubelet's names of limits, as its metric of evictions has them. */
const limitSignals: Readonly<Record<StorageLimit["of"], string>> = {
  emptyDir: "emptydirfs.limit",
  pod: "ephemeralpodfs.limit",
  container: "ephemeralcontainerfs.limit"
}

const evictLimited = (d: EvictionDecision, victim: Victim): void => {
  const { namespace, name, uid } = victim.candidate
  const { of, name: what, limit, used } = victim.limit!
  const because = d.emit({ _tag: "StorageLimitExceeded", namespace, name, uid, of, what, limit, used })
  const signal = limitSignals[of]
  d.emit({ ...triggered(victim, signal, `${what === "" ? name : what}<${limit}`), ranking: [] }, because)
}

const learnReclaim = (d: EvictionDecision, command: ReportReclaim, config: SyncConfig): void => {
  const { reclaim } = d.state
  if (reclaim === null) return
  const { freedBytes, message, observations } = command
  const observed = observationOf(observations, reclaim.signal)
  const relieved = isRelieved(config, command)
  const because = d.emit(
    {
      _tag: "NodeReclaimed",
      signal: reclaim.signal,
      freedBytes,
      relieved,
      ...(observed === undefined ? {} : { available: observed.available, capacity: observed.capacity }),
      ...(message === undefined ? {} : { message })
    },
    reclaim.because
  )
  const due = knownMet(d.state, byKey(config)).filter(([, met]) => met.due === true)
  const thresholds = byEvictionPriority(due.map(([threshold]) => threshold))
  const threshold = thresholds.find((one) => thresholdKey(one) === reclaim.threshold)
  const resource = resourceOf(reclaim.signal)
  if (relieved || d.state.evicting.length > 0 || threshold === undefined || resource === undefined) return
  evict(d, command, config, { threshold, resource, thresholds }, because)
}

export const evictionDecider: Decider<EvictionState, EvictionCommand, EvictionEvent> = {
  kind: "eviction",
  stateVersion: 1,
  command: EvictionCommand as never,
  initial: () => initialEviction,
  decide,
  evolve: evolveEviction,
  finished: ({ settings, met, evicting, reclaim }) =>
    settings === null && Object.keys(met).length === 0 && evicting.length === 0 && reclaim === null
}
