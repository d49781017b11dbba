/** Where the cgroups are that a pass reads: of containers and sandboxes, and the system's own. */
import { Effect } from "effect"
import {
  type BriefSample,
  type CgroupSample,
  CgroupStatistics,
  type InterfaceCounters
} from "../../adapters/cgroupfs/port.ts"
import { Host } from "../../adapters/host/port.ts"
import { podsCgroup } from "../pod/node-facts.ts"
import { cgroupPath } from "../pod/resources/cgroup.ts"
import { PodSettings } from "../pod/settings.ts"
import { type Kept, orAbsent } from "./kept.ts"
import type { PodTarget } from "./targets.ts"

export interface SystemCgroups {
  /** Paths that the configuration gives; empty: found. */
  readonly agentCgroup: string
  readonly runtimeCgroup: string
}

/** Where the runtime is known to be, where its cgroup is not named. */
const runtimeCgroups = ["/system.slice/containerd.service", "/system.slice/crio.service"]

/** `12:memory:/system.slice/chronode.service` of v1, `0::/…` of v2. */
export const ownCgroup = (text: string): string | undefined => {
  const lines = text.split("\n").map((line) => line.split(":"))
  const found = lines.find(([, names]) => names?.split(",").includes("memory")) ?? lines.find(([id]) => id === "0")
  const path = found?.slice(2).join(":")
  return path === undefined || path === "" || path === "/" ? undefined : path
}

export const samplesOf = (paths: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const cgroups = yield* CgroupStatistics
    return (yield* orAbsent("cgroups", cgroups.sample(paths))) ?? new Map<string, CgroupSample>()
  })

/** Those of `paths` briefly; `system` as they are, since how much is left there takes their limits. */
export const briefSamplesOf = (system: ReadonlyArray<string>, paths: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const cgroups = yield* CgroupStatistics
    const samples = new Map<string, BriefSample>(yield* samplesOf(system))
    for (const [path, sample] of (yield* orAbsent("cgroups", cgroups.sampleBriefly(paths))) ?? [])
      samples.set(path, sample)
    return samples
  })

/**
 * Cgroups of containers and sandboxes by their ids, which runtimes put into the names: `<id>`, `cri-containerd-<id>.scope`.
 * Pods with one that is not known yet are looked into.
 */
export const findCgroups = (pods: ReadonlyArray<PodTarget>, kept: Kept) =>
  Effect.gen(function* () {
    const statistics = yield* CgroupStatistics
    const now = new Map<string, string>()
    for (const { cgroup, sandboxId, containers } of pods) {
      if (cgroup === "") continue
      const ids = [sandboxId, ...containers.map(({ id }) => id)]
      const isKnown = ids.every((id) => kept.cgroups.has(id))
      const names = isKnown ? [] : ((yield* orAbsent("the cgroups of a pod", statistics.children(cgroup))) ?? [])
      for (const id of ids) {
        const name = names.find((child) => child.includes(id))
        const path = kept.cgroups.get(id) ?? (name === undefined ? undefined : `${cgroup}/${name}`)
        if (path !== undefined) now.set(id, path)
      }
    }
    kept.cgroups = now
    return now
  })

export const systemCgroups = (options: SystemCgroups) =>
  Effect.gen(function* () {
    const { facts } = yield* PodSettings
    const host = yield* Host
    const agent =
      options.agentCgroup !== ""
        ? options.agentCgroup
        : ownCgroup(yield* Effect.catch(host.readText("/proc/self/cgroup"), () => Effect.succeed("")))
    const runtimes = options.runtimeCgroup === "" ? runtimeCgroups : [options.runtimeCgroup]
    return new Map<string, string>([
      ...(agent === undefined ? [] : [[agent, "kubelet"] as const]),
      ...runtimes.map((path) => [path, "runtime"] as const),
      ...(facts.cgroupsPerQos === false ? [] : [[cgroupPath(podsCgroup(facts), facts.cgroupDriver), "pods"] as const])
    ])
  })

export const readInterfaces = (pods: ReadonlyArray<PodTarget>, cgroups: ReadonlyMap<string, string>) =>
  Effect.gen(function* () {
    const statistics = yield* CgroupStatistics
    const found = new Map<string, ReadonlyArray<InterfaceCounters>>()
    for (const { cgroup, hostNetwork, reference, sandboxId } of pods) {
      if (hostNetwork || cgroup === "") continue
      // The sandbox's process is there from the first to the last.
      const path = cgroups.get(sandboxId) ?? cgroup
      const counters = yield* orAbsent("the network of a pod", statistics.network(path))
      if (counters !== undefined && counters.length > 0) found.set(reference.uid, counters)
    }
    return found
  })
