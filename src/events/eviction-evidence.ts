/** What was seen when a pod was evicted, for people: figures, threshold, and the ranking with what it went by. */

import type { EventOf } from "./catalogue.ts"
import { signalAmount } from "./sizes.ts"

type Told = ReadonlyArray<readonly [label: string, text: string]>
type Measured = { readonly signal: string; readonly available?: number; readonly capacity?: number }

/** Pods of a ranking that are shown one by one. */
const rankedShown = 10

const available = ({ signal, available: left, capacity }: Measured): Told =>
  left === undefined || capacity === undefined
    ? []
    : [["available", `${signalAmount(signal, left)} of ${signalAmount(signal, capacity)}`]]

const ranked = (signal: string, one: EventOf<"EvictionTriggered">["ranking"][number]): string =>
  [
    one.pod,
    one.used === undefined
      ? "no figures"
      : `uses ${signalAmount(signal, one.used)}, requests ${signalAmount(signal, one.requested)}`,
    `priority ${one.priority}`,
    one.qosClass,
    ...(one.critical === true ? ["critical: never evicted"] : [])
  ].join(", ")

const ranking = ({ signal, ranking: pods, others }: EventOf<"EvictionTriggered">): Told => {
  const rest = Math.max(0, pods.length - rankedShown) + (others?.pods ?? 0)
  return [
    ...pods.slice(0, rankedShown).map((one, i) => [`rank ${i + 1}`, ranked(signal, one)] as const),
    ...(rest === 0 ? [] : [["and", `${rest} more pods`] as const])
  ]
}

export const evictionEvidence = (
  event: EventOf<"PressureObserved" | "EvictionThresholdMet" | "NodeReclaimed" | "EvictionTriggered" | "PodEvicted">
): Told => {
  switch (event._tag) {
    case "PressureObserved":
    case "EvictionThresholdMet":
      return [
        ["threshold", `${event.threshold} (${signalAmount(event.signal, event.quantity)})`],
        ...available(event),
        ["kind", event.gracePeriodSeconds === 0 ? "hard" : `soft, grace ${event.gracePeriodSeconds} s`],
        event._tag === "PressureObserved" ? ["noticed by", event.by] : ["met since", event.since]
      ]
    case "NodeReclaimed":
      return available(event)
    case "EvictionTriggered":
      return [
        ["threshold", event.threshold],
        ...available(event),
        ["grace", `${event.gracePeriodSeconds} s`],
        ...ranking(event)
      ]
    case "PodEvicted":
      return [
        ["signal", event.signal],
        ["grace", `${event.gracePeriodSeconds} s`]
      ]
  }
}
