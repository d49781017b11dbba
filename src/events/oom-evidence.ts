/** What the kernel says about the end of a container for want of memory. */
import { Schema } from "effect"
import { Timestamp } from "./definition.ts"
import { formatBytes } from "./sizes.ts"

const opt = Schema.optionalKey
const bytes = Schema.Finite

/** Limit, peak and counters are those of the cgroup that `by` names; without it, of the container as far as they are known. */
export const OomEvidence = Schema.Struct({
  /** Whose limit was hit: the container's own, its pod's, one above all pods; or the memory of the node was short as a whole. */
  by: opt(Schema.Literals(["Container", "Pod", "Pods", "Node"])),
  /** Absent: there is none. */
  limitBytes: opt(bytes),
  /** Highest usage. */
  peakBytes: opt(bytes),
  /** Counters of memory.events (v2), of memory.oom_control and failcnt (v1): oom_kill, max, failcnt, … */
  events: Schema.Record(Schema.String, Schema.Finite),
  /** The last process of the container that the kernel killed, by the kernel's log; 15 characters of its name. */
  process: opt(Schema.Struct({ pid: Schema.Int, name: Schema.String, rssBytes: opt(bytes) })),
  killedAt: opt(Timestamp)
})
export type OomEvidence = typeof OomEvidence.Type

const whose = {
  Container: "the container's limit",
  Pod: "the pod's limit",
  Pods: "the limit of all pods",
  Node: "the end of the node's memory"
} as const

/** `limit 8.0 MiB, peak 8.0 MiB, the container's limit was hit, killed tail (pid 712, 7.5 MiB), oom_kill 1, failcnt 64` */
export const tellOom = ({ by, limitBytes, peakBytes, events, process: victim }: OomEvidence): string =>
  [
    ...(limitBytes === undefined ? [] : [`limit ${formatBytes(limitBytes)}`]),
    ...(peakBytes === undefined ? [] : [`peak ${formatBytes(peakBytes)}`]),
    ...(by === undefined ? [] : [`${whose[by]} was hit`]),
    ...(victim === undefined ? [] : [`killed ${victim.name} (pid ${victim.pid}${rssText(victim.rssBytes)})`]),
    ...Object.entries(events).flatMap(([name, value]) => (value === 0 ? [] : [`${name} ${value}`]))
  ].join(", ")

const rssText = (bytes: number | undefined): string => (bytes === undefined ? "" : `, ${formatBytes(bytes)}`)
