/**
 * What the agent tells of itself in metrics, tied together: what is counted while it works, and what is looked up in the
 * states of its actors when somebody asks. Part of the agent's wiring.
 */
import { Context, Effect, Exit } from "effect"
import type { ActorServices } from "../actors/behaviors.ts"
import type { ActorSystemShape } from "../actors/kernel/system.ts"
import { podCounts } from "../actors/pod/counts.ts"
import { calculateLinuxResources } from "../actors/pod/resources/resources.ts"
import { PodSettings } from "../actors/pod/settings.ts"
import { containerIn, containerSpec, type PodState, uidOf } from "../actors/pod/state.ts"
import { Statistics } from "../actors/statistics/statistics.ts"
import { PublisherStatus } from "../actors/stream/status.ts"
import type { ContainerSample } from "../adapters/cgroupfs/port.ts"
import { Host } from "../adapters/host/port.ts"
import { runtimeName } from "../adapters/host/runtime.ts"
import { cadvisorText } from "../adapters/metrics/cadvisor.ts"
import { makeDeviceName, readMachine } from "../adapters/metrics/machine.ts"
import { makeNodeMetrics, type NodeMetrics } from "../adapters/metrics/node-metrics.ts"
import type { FamilyValues } from "../adapters/metrics/registry.ts"
import { resourceText } from "../adapters/metrics/resource.ts"
import type { CpuSpec, Usage } from "../adapters/metrics/usage.ts"
import type { AgentOptions } from "../cli/run/agent-options.ts"
import { version } from "../cli/version.ts"
import type { ActorId } from "../events/actor-id.ts"
import type { CgroupValues } from "../events/cgroup-values.ts"
import { Journal } from "../events/journal/port.ts"
import { addActors, addJournal, addPods, addStream, type JournalSize } from "./gauges.ts"

/** The Kubernetes whose kubelet this node behaves like. */
const kubernetes = { major: "1", minor: "36", version: "v1.36.2" } as const

/** How old figures of usage may be that a scrape gets: three paths are scraped together, and need one pass. Milliseconds. */
const usageMaxAge = 5_000
/** What the figures beside the counters may take to come; without them the rest is told. Milliseconds. */
const lookTimeout = 5_000

export const metricsPaths = ["/metrics", "/metrics/cadvisor", "/metrics/resource", "/metrics/probes"] as const
export type MetricsPath = (typeof metricsPaths)[number]

/** What is told, for the API and for a collector. */
export class MetricsTold extends Context.Service<
  MetricsTold,
  {
    /** In Prometheus' text format. */
    readonly text: (path: MetricsPath) => Effect.Effect<string>
    /** All of `/metrics` as values. */
    readonly values: Effect.Effect<ReadonlyArray<FamilyValues>>
    readonly metrics: NodeMetrics
  }
>()("chronode/MetricsTold") {}

interface Current {
  readonly system: ActorSystemShape | undefined
}

const podState = ({ system }: Current, id: ActorId): PodState | undefined => system?.state(id) as PodState | undefined

/** What is counted from the beginning. `current`: the actors, once they are there. */
export const makeAgentMetrics = ({ nodeName }: AgentOptions, current: Current): NodeMetrics =>
  makeNodeMetrics({
    nodeName,
    build: { version, runtime: runtimeName() },
    kubernetes: {
      build_date: "",
      compiler: "",
      git_commit: "",
      git_tree_state: "",
      git_version: `${kubernetes.version}+chronode-${version}`,
      go_version: "",
      major: kubernetes.major,
      minor: kubernetes.minor,
      platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`
    },
    typeOf: (pod, name) => {
      const state = podState(current, pod)
      const container = state === undefined ? undefined : containerIn(state, name)
      return container?.ephemeral === true
        ? "ephemeral_container"
        : container?.init === true
          ? "init_container"
          : "container"
    }
  })

type CpuValues = Pick<CgroupValues, "cpuShares" | "cpuPeriod" | "cpuQuota">

const specOf = ({ cpuShares, cpuPeriod, cpuQuota }: CpuValues): CpuSpec => ({
  ...(cpuShares === undefined ? {} : { shares: cpuShares }),
  ...(cpuQuota === undefined || cpuQuota <= 0 || cpuPeriod === undefined ? {} : { period: cpuPeriod, quota: cpuQuota })
})

/** CPU settings of containers and pods, as the runtime and the kernel were told them. */
const makeSpecOf = (system: ActorSystemShape, { facts }: PodSettings["Service"]) => {
  const known = new WeakMap<object, CpuSpec>()
  const ofContainer = (state: PodState, name: string): CpuSpec | undefined => {
    const spec = state.definition === null ? undefined : containerSpec(state.definition.pod, name)
    if (spec === undefined) return undefined
    const cached = known.get(spec)
    if (cached !== undefined) return cached
    const { requests, limits } = spec.resources ?? {}
    const cpu = (from: typeof requests, field: "cpuRequest" | "cpuLimit") =>
      from?.cpu === undefined ? {} : { [field]: from.cpu }
    const made = specOf(calculateLinuxResources({ ...cpu(requests, "cpuRequest"), ...cpu(limits, "cpuLimit") }, facts))
    known.set(spec, made)
    return made
  }
  let byUid = new Map<string, PodState>()
  return {
    /** To be called before each use: pods come and go. */
    refresh: (): void => {
      byUid = new Map(system.actors("pod").map(({ state }) => [uidOf(state as PodState), state as PodState]))
    },
    of: ({ podUid, container }: ContainerSample): CpuSpec | undefined => {
      const state = byUid.get(podUid)
      if (state === undefined) return undefined
      if (container !== "") return ofContainer(state, container)
      return state.cgroup === undefined ? undefined : specOf(state.cgroup.values)
    }
  }
}

export interface MetricsWorld {
  readonly options: AgentOptions
  readonly system: ActorSystemShape
  readonly services: Context.Context<ActorServices | Statistics>
  readonly metrics: NodeMetrics
}

/** Adds what is looked up in the actors that are there now, and answers what tells all of it. */
export const tellMetrics = ({ options, system, services, metrics }: MetricsWorld): MetricsTold["Service"] => {
  const { facts } = Context.get(services, Host)
  const journal = Context.get(services, Journal)
  const size: JournalSize = { bytes: 0, first: 0 }
  const machine = readMachine({
    bootId: facts.bootId,
    kernel: facts.kernel,
    cpus: facts.cpus,
    memory: facts.memoryCapacity
  })
  const specs = makeSpecOf(system, Context.get(services, PodSettings))
  const deviceName = makeDeviceName()
  if (options.manifests !== undefined)
    addPods(metrics, () => podCounts(system.actors("pod").map(({ state }) => state as PodState)))
  addActors(metrics, system)
  addJournal(metrics, size)
  if (options.nats !== undefined) addStream(metrics, Context.get(services, PublisherStatus))

  const statistics = Context.get(services, Statistics)
  const usage: Effect.Effect<Usage | undefined> = Effect.map(
    Effect.exit(Effect.timeout(statistics.snapshot(usageMaxAge), lookTimeout)),
    (exit) => (Exit.isSuccess(exit) ? exit.value : undefined)
  )
  const measureJournal = Effect.ignore(
    Effect.timeout(
      Effect.map(journal.size, (now) => void Object.assign(size, now)),
      lookTimeout
    )
  )
  const figures = Effect.andThen(measureJournal, usage)
  return {
    metrics,
    values: Effect.map(figures, metrics.values),
    text: (path) => {
      switch (path) {
        case "/metrics":
          return Effect.map(figures, metrics.text)
        case "/metrics/cadvisor":
          return Effect.map(usage, (now) => {
            specs.refresh()
            return cadvisorText(now, { machine, deviceName, specOf: specs.of })
          })
        case "/metrics/resource":
          return Effect.map(usage, resourceText)
        case "/metrics/probes":
          return Effect.sync(metrics.probesText)
      }
    }
  }
}
