/** Families of metrics that are looked up in the states of actors, in the kernel and beside the journal. Part of the agent's wiring. */
import { SubscriptionRef } from "effect"
import { deciders } from "../actors/deciders.ts"
import type { ActorSystemShape } from "../actors/kernel/system.ts"
import type { PodCounts } from "../actors/pod/counts.ts"
import type { PublisherStatus } from "../actors/stream/status.ts"
import type { VolumeState } from "../actors/volume/state.ts"
import type { NodeMetrics } from "../adapters/metrics/node-metrics.ts"
import type { Labels, Sample } from "../adapters/metrics/registry.ts"
import type { Volume } from "../events/pod-spec.ts"

type Look = () => number | ReadonlyArray<Sample>

const perLabel = (name: string, values: Readonly<Record<string, number>>, more: Labels = {}): ReadonlyArray<Sample> =>
  Object.entries(values).map(([label, value]) => ({ labels: { ...more, [name]: label }, value }))

/** All pods are of manifests on the node: static, in kubelet's words. */
const isStatic = { static: "true" } as const

export const addPods = ({ registry }: NodeMetrics, counts: () => PodCounts): void => {
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

export const addActors = ({ registry }: NodeMetrics, system: ActorSystemShape): void => {
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

export interface JournalSize {
  bytes: number
  first: number
}

export const addJournal = ({ registry }: NodeMetrics, size: JournalSize): void => {
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

export const addStream = ({ registry }: NodeMetrics, status: PublisherStatus["Service"]): void => {
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
