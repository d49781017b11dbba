/**
 * What the kernel says of the end of a container. The runtime removes a container's cgroup before it tells of its end, so that
 * its counters cannot be read then; the kernel's log still says which process it killed in which cgroup, and what usage and limit
 * were. Where the log cannot be read, the counters of cgroups that live are looked at with every relist, and compared.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { type OomEvidence as CgroupEvidence, CgroupStatistics, type OomKill } from "../../adapters/cgroupfs/port.ts"
import { timestamp } from "../../events/definition.ts"
import type { OomEvidence } from "../../events/oom-evidence.ts"
import type { ObservedContainer } from "../pod/commands.ts"
import { cgroupNames } from "../pod/effects/container-start.ts"
import type { NodeFacts } from "../pod/node-facts.ts"
import { podCgroupPath } from "../pod/resources/pod-cgroup.ts"
import { quantityOf, value } from "../pod/resources/quantity.ts"
import { type ContainerInState, containerSpec, type PodState } from "../pod/state.ts"
import { OomCounters } from "./oom-counters.ts"

/** A container whose memory is watched, or that ended. */
export interface Witnessed {
  readonly containerId: string
  /** Path of its pod's cgroup; empty: the agent made none. */
  readonly podCgroup: string
  /** Bytes, as its pod says; absent: none. */
  readonly limit?: number
  /** Since when the agent is stopping it, milliseconds since the epoch. */
  readonly stoppedAt?: number
}

/** Exit code of a process that SIGKILL ended, or of a shell whose child it ended. */
const killedExitCode = 137
export const oomReason = "OOMKilled"

export const witnessed = (state: PodState, c: ContainerInState, facts: NodeFacts): Witnessed => {
  const pod = state.definition?.pod
  const spec = pod === undefined ? undefined : containerSpec(pod, c.name)
  const limit = spec !== undefined && "resources" in spec ? value(quantityOf(spec.resources?.limits?.["memory"])) : 0
  return {
    containerId: c.containerId,
    podCgroup: state.cgroup?.path ?? (pod === undefined ? "" : podCgroupPath(pod, facts)),
    ...(limit > 0 ? { limit } : {}),
    ...(c.kill === null ? {} : { stoppedAt: c.kill.at })
  }
}

export class OomWitness extends Context.Service<
  OomWitness,
  {
    /** Looks at containers that run, where the kernel's log cannot be read; else it is read on now and then, since it is not endless. */
    readonly look: (running: () => ReadonlyArray<Witnessed>) => Effect.Effect<void>
    /** How it ended, with what the kernel says of it: evidence, and the reason where the runtime did not know it. */
    readonly testify: (container: Witnessed, observed: ObservedContainer) => Effect.Effect<ObservedContainer>
  }
>()("chronode/OomWitness") {
  static readonly layer: Layer.Layer<OomWitness, never, CgroupStatistics> = Layer.effect(
    OomWitness,
    Effect.map(CgroupStatistics, (statistics) => makeOomWitness(statistics))
  )
}

const killsIn = (kills: ReadonlyArray<OomKill>, containerId: string): ReadonlyArray<OomKill> => {
  const names = new Set(cgroupNames(containerId))
  return kills.filter(({ cgroup }) => cgroup?.split("/").some((part) => names.has(part)))
}

/** Whose limit it was that the kill followed from. */
const limitedBy = (kill: OomKill, { containerId, podCgroup }: Witnessed): OomEvidence["by"] => {
  const { limited, ofNode } = kill
  if (ofNode === true) return "Node"
  if (limited === undefined) return undefined
  if (killsIn([{ ...kill, cgroup: limited }], containerId).length > 0) return "Container"
  const podName = podCgroup.split("/").at(-1) ?? ""
  return podName !== "" && limited.split("/").includes(podName) ? "Pod" : "Pods"
}

const defined = <A extends object>(values: { readonly [K in keyof A]: A[K] | undefined }): A =>
  Object.fromEntries(Object.entries(values).filter(([, given]) => given !== undefined)) as A

/** Milliseconds between two looks into the log while no container ends: it has room for thousands of lines. */
const readPeriod = 10_000
/** Milliseconds: kills that are no further apart are of one time that memory was short. */
const oneTime = 1_000

/** Of the processes that were killed the last time (a whole container may be), the one that had the most memory. */
const mainKill = (kills: ReadonlyArray<OomKill>): OomKill | undefined => {
  const until = kills.at(-1)?.at ?? 0
  const latest = kills.filter(({ at }) => at >= until - oneTime)
  return latest.reduce<OomKill | undefined>(
    (most, kill) => ((kill.rss ?? 0) > (most?.rss ?? -1) ? kill : most),
    undefined
  )
}

/** Counters of its own cgroup that were seen last, or else its pod's, brought up to what the log says. */
const evidenceOf = (
  container: Witnessed,
  kills: ReadonlyArray<OomKill>,
  own: CgroupEvidence | undefined,
  pod: CgroupEvidence | undefined
): OomEvidence => {
  const last = mainKill(kills)
  const by = last === undefined ? undefined : limitedBy(last, container)
  const isOwn = by === undefined || by === "Container"
  const cgroup = isOwn ? own : pod
  const seen = cgroup?.events ?? pod?.events ?? {}
  const counted: Record<string, number> = { ...seen }
  if (kills.length > 0) counted["oom_kill"] = Math.max(counted["oom_kill"] ?? 0, kills.length)
  // The log's word for it on both versions; v2 counts it as `max`.
  if (last?.failures !== undefined) counted["failcnt"] = Math.max(counted["failcnt"] ?? 0, last.failures)
  const peaks = [last?.usage, cgroup?.peak].filter((peak) => peak !== undefined)
  return defined<OomEvidence>({
    by,
    limitBytes: last?.limit ?? cgroup?.limit ?? (isOwn ? container.limit : undefined),
    // A pod's peak is no less than that of its containers, and all that is known of one whose cgroup is gone.
    peakBytes: peaks.length > 0 ? Math.max(...peaks) : pod?.peak,
    events: counted,
    process: last === undefined ? undefined : defined({ pid: last.pid, name: last.process, rssBytes: last.rss }),
    killedAt: last === undefined ? undefined : timestamp(last.at)
  })
}

const killsOf = (evidence: CgroupEvidence | undefined): number => evidence?.events["oom_kill"] ?? 0

export const makeOomWitness = (statistics: CgroupStatistics["Service"]): OomWitness["Service"] => {
  const counters = new OomCounters()
  /** What each container that runs said at the last look. */
  const seen = new Map<string, CgroupEvidence>()
  /** Which of `cgroupNames` there is on this node. */
  let usual = 0
  /** Whether the kernel's log could be read the last time, and when that was (ms). */
  let hasLog: boolean | undefined
  let readAt = 0
  const read = (path: string): Effect.Effect<CgroupEvidence | undefined> =>
    path === ""
      ? Effect.succeed(undefined)
      : Effect.catch(statistics.oomEvidence(path), () => Effect.succeed(undefined))
  const readContainer = ({ containerId, podCgroup }: Witnessed) =>
    Effect.gen(function* () {
      if (podCgroup === "") return undefined
      const names = cgroupNames(containerId)
      for (let k = 0; k < names.length; k++) {
        const at = (usual + k) % names.length
        const found = yield* read(`${podCgroup}/${names[at]}`)
        if (found === undefined) continue
        usual = at
        return found
      }
      return undefined
    })

  const look = (running: () => ReadonlyArray<Witnessed>) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      if (hasLog !== true || now - readAt >= readPeriod) {
        hasLog = (yield* statistics.oomKills) !== undefined
        readAt = now
      }
      if (!hasLog) yield* lookAt(running())
    })

  const lookAt = (running: ReadonlyArray<Witnessed>) =>
    Effect.gen(function* () {
      const pods = new Map<string, Map<string, number | undefined>>()
      for (const container of running) {
        const { containerId, podCgroup } = container
        const evidence = yield* readContainer(container)
        if (evidence !== undefined) seen.set(containerId, evidence)
        const members = pods.get(podCgroup) ?? new Map<string, number | undefined>()
        pods.set(podCgroup, members.set(containerId, evidence === undefined ? undefined : killsOf(evidence)))
      }
      for (const [path, members] of pods) counters.look(path, killsOf(yield* read(path)), members)
      counters.keep(new Set(pods.keys()))
      const ids = new Set(running.map(({ containerId }) => containerId))
      for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id)
    })

  const testify = (container: Witnessed, observed: ObservedContainer): Effect.Effect<ObservedContainer> =>
    Effect.gen(function* () {
      const { containerId, podCgroup, stoppedAt } = container
      const saysOom = observed.reason === oomReason
      if (observed.state !== "exited" || (observed.exitCode === 0 && !saysOom)) return observed
      const all = yield* statistics.oomKills
      const kills = killsIn(all ?? [], containerId)
      const mayBeOom = saysOom || (observed.exitCode === killedExitCode && observed.reason === "Error")
      if (!mayBeOom && kills.length === 0) return observed
      const own = (yield* readContainer(container)) ?? seen.get(containerId)
      const pod = yield* read(podCgroup)
      const isKilled =
        all === undefined
          ? counters.wasKilled(podCgroup, containerId, killsOf(pod))
          : kills.some(({ at }) => stoppedAt === undefined || at >= stoppedAt)
      const isOom = saysOom || (isKilled && mayBeOom)
      if (!isOom && kills.length === 0) return observed
      return { ...observed, ...(isOom ? { reason: oomReason } : {}), oom: evidenceOf(container, kills, own, pod) }
    })

  return { look, testify }
}
