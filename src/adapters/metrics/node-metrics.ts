/** All that the node tells to Prometheus on `/metrics` and `/metrics/probes`: families, who counts them, and the text. */
import type { ActorId } from "../../events/actor-id.ts"
import type { Journal } from "../../events/journal/port.ts"
import type { Cgroups } from "../cgroupfs/port.ts"
import type { ContainerRuntime } from "../cri/port.ts"
import type { Volumes } from "../volumes/port.ts"
import { type ContainerType, countReaction, makeCounting } from "./counting.ts"
import { addKubeletFamilies, makeProbeFamilies } from "./kubelet-families.ts"
import { meteredCgroups, meteredJournal, meteredRuntime, meteredVolumes } from "./metered.ts"
import type { Meter } from "./port.ts"
import { addProcessMetrics } from "./process.ts"
import { type Labels, makeRegistry } from "./registry.ts"
import type { Usage } from "./usage.ts"
import { addUsageFamilies } from "./usage-families.ts"

export interface NodeMetricsOptions {
  readonly nodeName: string
  /** Labels of chronode_build_info: `version`, `runtime`. */
  readonly build: Labels
  /** Of kubernetes_build_info: whose behaviour this is. */
  readonly kubernetes: Labels
  /** What kind of container of a pod that is. */
  readonly typeOf: (pod: ActorId, container: string) => ContainerType
}

const probeWords = { liveness: "Liveness", readiness: "Readiness", startup: "Startup" } as const
const resultWords = { success: "successful", failure: "failed", error: "unknown" } as const

export type NodeMetrics = ReturnType<typeof makeNodeMetrics>

export const makeNodeMetrics = ({ nodeName, build, kubernetes, typeOf }: NodeMetricsOptions) => {
  const registry = makeRegistry()
  const families = addKubeletFamilies(registry)
  const probes = makeProbeFamilies()
  const usage: { current: Usage | undefined } = { current: undefined }
  addUsageFamilies(registry, () => usage.current)
  addProcessMetrics(registry, build)
  registry.lookedUp(
    {
      name: "kubernetes_build_info",
      help: "The Kubernetes whose kubelet this behaves like, as labels.",
      series: [kubernetes]
    },
    "gauge",
    () => 1
  )
  families.nodeName.set(1, { node: nodeName })

  let relisted: number | undefined
  const meter: Meter = {
    relisted: ({ at, milliseconds }) => {
      families.relistDuration.observe(milliseconds / 1000)
      if (relisted !== undefined) families.relistInterval.observe(Math.max(0, at - relisted) / 1000)
      relisted = at
      families.relistLastSeen.set((at + milliseconds) / 1000)
    },
    probed: ({ namespace, pod, podUid, container, probe, result, milliseconds }) => {
      const labels = { container, namespace, pod, probe_type: probeWords[probe] }
      probes.total.add(1, { ...labels, pod_uid: podUid, result: resultWords[result] })
      if (result !== "error") probes.duration.observe(milliseconds / 1000, labels)
    }
  }

  const certificate: { until: number | undefined } = { until: undefined }
  registry.lookedUp(
    {
      name: "kubelet_certificate_manager_server_ttl_seconds",
      help: "How long the API's certificate is good, in seconds."
    },
    "gauge",
    () => (certificate.until === undefined ? [] : [{ labels: {}, value: (certificate.until - Date.now()) / 1000 }])
  )
  const counted = makeCounting(families, { typeOf, certificate })
  return {
    registry,
    families,
    meter,
    /** For the kernel: events that were committed. */
    onCommit: (events: Parameters<typeof counted>[0]): void => {
      counted(events)
      for (const { actor, event } of events) {
        if (event._tag !== "PodRemoved") continue
        const isGone = ({ namespace, pod }: Labels): boolean => namespace === actor.namespace && pod === actor.name
        probes.total.forget(isGone)
        probes.duration.forget(isGone)
      }
    },
    onReacted: (kind: string, event: string, milliseconds: number): void =>
      countReaction(families, kind, event, milliseconds),
    runtime: (runtime: ContainerRuntime["Service"]): ContainerRuntime["Service"] =>
      meteredRuntime(runtime, {
        called: (operation, seconds, failed) => {
          const labels = { operation_type: operation }
          families.runtimeOperations.add(1, labels)
          families.runtimeDuration.observe(seconds, labels)
          if (failed) families.runtimeErrors.add(1, labels)
        },
        sandboxRun: (handler, seconds, failed) => {
          const labels = { runtime_handler: handler }
          families.sandboxDuration.observe(seconds, labels)
          if (failed) families.sandboxErrors.add(1, labels)
        }
      }),
    cgroups: (cgroups: Cgroups["Service"]): Cgroups["Service"] =>
      meteredCgroups(cgroups, (operation, seconds) =>
        families.cgroupDuration.observe(seconds, { operation_type: operation })
      ),
    volumes: (volumes: Volumes["Service"]): Volumes["Service"] =>
      meteredVolumes(volumes, ({ plugin, operation, failed, seconds }) =>
        families.storageDuration.observe(seconds, {
          migrated: "false",
          operation_name: operation,
          status: failed ? "fail-unknown" : "success",
          volume_plugin: plugin
        })
      ),
    journal: (journal: Journal["Service"]): Journal["Service"] =>
      meteredJournal(journal, (seconds) => families.appendDuration.observe(seconds)),
    /** `/metrics`, with the figures of usage that there are. */
    text: (figures: Usage | undefined): string => {
      usage.current = figures
      return registry.text()
    },
    /** The same as values. */
    values: (figures: Usage | undefined) => {
      usage.current = figures
      return registry.values()
    },
    probesText: (): string => probes.registry.text(),
    probes: probes.registry
  }
}
