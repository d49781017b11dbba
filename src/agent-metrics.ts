/**
 * What the agent tells of itself in metrics, tied together: what is counted while it works, and what is looked up in the
 * states of its actors when somebody asks. Part of the agent's wiring.
 */
import { Context, Effect, Exit, SubscriptionRef } from "effect"
import type { ActorServices } from "./actors/behaviors.ts"
import { deciders } from "./actors/deciders.ts"
import type { ActorSystemShape } from "./actors/kernel/system.ts"
import { type PodCounts, podCounts } from "./actors/pod/counts.ts"
import { calculateLinuxResources } from "./actors/pod/resources/resources.ts"
import { PodSettings } from "./actors/pod/settings.ts"
import { containerIn, containerSpec, type PodState, uidOf } from "./actors/pod/state.ts"
import { Statistics } from "./actors/statistics/statistics.ts"
import { PublisherStatus } from "./actors/stream/status.ts"
import type { VolumeState } from "./actors/volume/state.ts"
import type { ContainerSample } from "./adapters/cgroupfs/port.ts"
import { Host } from "./adapters/host/port.ts"
import { runtimeName } from "./adapters/host/runtime.ts"
import { cadvisorText } from "./adapters/metrics/cadvisor.ts"
import { makeDeviceName, readMachine } from "./adapters/metrics/machine.ts"
import { makeNodeMetrics, type NodeMetrics } from "./adapters/metrics/node-metrics.ts"
import type { FamilyValues, Labels, Sample } from "./adapters/metrics/registry.ts"
import { resourceText } from "./adapters/metrics/resource.ts"
import type { CpuSpec, Usage } from "./adapters/metrics/usage.ts"
import type { AgentOptions } from "./cli/agent-options.ts"
import { version } from "./cli/version.ts"
import type { ActorId } from "./events/actor-id.ts"
import { Journal } from "./events/journal/port.ts"
import type { Volume } from "./events/pod-spec.ts"

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

type Look = () => number | ReadonlyArray<Sample>

const perLabel = (name: string, values: Readonly<Record<string, number>>, more: Labels = {}): ReadonlyArray<Sample> =>
  Object.entries(values).map(([label, value]) => ({ labels: { ...more, [name]: label }, value }))

/** All pods are of manifests on the node: static, in kubelet's words. */
const isStatic = { static: "true" } as const

const addPods = ({ registry }: NodeMetrics, counts: () => PodCounts): void => {
  const gauge = (name: string, help: string, look: Look): void =>
    registry.lookedUp({ name: `kubelet_${name}`, help }, "gauge", look)
  gauge("running_pods", "Pods whose sandbox is up.", () => counts().running)
  gauge("running_containers", "Containers, by state.", () => perLabel("container_state", counts().containers))
  gauge("desired_pods", "Pods that are to run.", () => [{ labels: isStatic, value: counts().desired }])
  gauge("active_pods", "Pods that take room of the node.", () => [{ labels: isStatic, value: counts().active }])
  gauge("mirror_pods", "Pods of which an API server is told: none.", () => 0)
  gauge("working_pods", "Pods, by what is done for them.", () =>
    perLabel("lifecycle", counts().working, { config: "desired", ...isStatic })
  )
  gauge("managed_ephemeral_containers", "Ephemeral containers in pods.", () => counts().ephemeralContainers)
}

const volumePlugins = {
  emptyDir: "empty-dir",
  hostPath: "host-path",
  configMap: "configmap",
  secret: "secret",
  downwardAPI: "downward-api",
  projected: "projected",
  image: "image"
} as const satisfies Readonly<Partial<Record<keyof Volume, string>>>

const pluginOf = (volume: Volume): string => {
  for (const [field, plugin] of Object.entries(volumePlugins)) if (field in volume) return `kubernetes.io/${plugin}`
  return ""
}

/** (`pkg/kubelet/volumemanager/metrics/metrics.go`) */
const volumeSamples = (states: ReadonlyArray<VolumeState>): ReadonlyArray<Sample> => {
  const totals = { desired_state_of_world: new Map<string, number>(), actual_state_of_world: new Map<string, number>() }
  const add = (state: keyof typeof totals, plugin: string): void =>
    void totals[state].set(plugin, (totals[state].get(plugin) ?? 0) + 1)
  for (const { records } of states)
    for (const { status, volume } of Object.values(records)) {
      if (volume === null) continue
      const plugin = pluginOf(volume)
      if (status !== "unmounting" && status !== "unmountFailed") add("desired_state_of_world", plugin)
      if (status === "mounted" || status === "unmounting") add("actual_state_of_world", plugin)
    }
  return Object.entries(totals).flatMap(([state, plugins]) =>
    Array.from(plugins, ([plugin, value]) => ({ labels: { plugin_name: plugin, state }, value }))
  )
}

const addActors = ({ registry }: NodeMetrics, system: ActorSystemShape): void => {
  const { lookedUp } = registry
  const statesOf = <S>(kind: "volume"): ReadonlyArray<S> => system.actors(kind).map(({ state }) => state as S)
  lookedUp(
    { name: "volume_manager_total_volumes", help: "Volumes, by plugin: those that are wanted, those that are there." },
    "gauge",
    () => volumeSamples(statesOf<VolumeState>("volume"))
  )
  lookedUp({ name: "chronode_actors", help: "Actors, by kind." }, "gauge", () =>
    [...deciders.keys()].map((kind) => ({ labels: { kind }, value: system.actors(kind).length }))
  )
  lookedUp(
    { name: "chronode_commands_total", help: "Commands that actors took from their mailboxes." },
    "counter",
    () => system.counts().commands
  )
  lookedUp(
    { name: "chronode_mailbox_waiting_commands", help: "Commands that wait in mailboxes." },
    "gauge",
    () => system.counts().waiting
  )
  lookedUp(
    { name: "chronode_mailbox_deepest_commands", help: "The most commands that wait in one mailbox." },
    "gauge",
    () => system.counts().deepest
  )
  lookedUp(
    { name: "chronode_timers", help: "Timers that are armed for actors." },
    "gauge",
    () => system.counts().timers
  )
  lookedUp(
    { name: "chronode_reactions", help: "Appends and actions of actors that are under way." },
    "gauge",
    () => system.counts().reactions
  )
}

interface JournalSize {
  bytes: number
  first: number
}

const addJournal = ({ registry }: NodeMetrics, size: JournalSize): void => {
  registry.lookedUp(
    { name: "chronode_journal_bytes", help: "Size of the journal on the disk." },
    "gauge",
    () => size.bytes
  )
  registry.lookedUp(
    { name: "chronode_journal_first_sequence", help: "Sequence of the oldest event that the journal has." },
    "gauge",
    () => size.first
  )
}

const addStream = ({ registry }: NodeMetrics, status: PublisherStatus["Service"]): void => {
  const report = () => SubscriptionRef.getUnsafe(status.report)
  registry.lookedUp(
    { name: "chronode_stream_connected", help: "1 while events can be published, else 0." },
    "gauge",
    () => (report().connected ? 1 : 0)
  )
  registry.lookedUp(
    { name: "chronode_stream_lag_events", help: "Events of the journal that are not known to be published." },
    "gauge",
    () => report().lag
  )
  registry.lookedUp(
    { name: "chronode_stream_published_sequence", help: "Sequence in the journal up to which events are published." },
    "gauge",
    () => report().published ?? 0
  )
}

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
    const { cpuShares, cpuPeriod, cpuQuota } = calculateLinuxResources(
      { ...cpu(requests, "cpuRequest"), ...cpu(limits, "cpuLimit") },
      facts
    )
    const made: CpuSpec = {
      ...(cpuShares === undefined ? {} : { shares: cpuShares }),
      ...(cpuQuota === undefined || cpuPeriod === undefined ? {} : { period: cpuPeriod, quota: cpuQuota })
    }
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
      return state === undefined || container === "" ? undefined : ofContainer(state, container)
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
