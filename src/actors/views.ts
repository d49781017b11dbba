/** What `chronode get` shows: rows of plain values, from folded states. Live, from a file, at any time: the same. */
import type { ActorId } from "../events/actor-id.ts"
import type { Volume } from "../events/pod-spec.ts"
import type { EndpointState } from "./endpoint/state.ts"
import { statusWord } from "./node/report.ts"
import type { NodeState } from "./node/state.ts"
import { type NodeApiView, nodeApiView } from "./node/view.ts"
import type { PodState } from "./pod/state.ts"
import { type ContainerView, containerViews, type PodView, podView } from "./pod/view.ts"
import { type ProbeState, podNameOf, timing } from "./probe/state.ts"
import type { ProxyState } from "./proxy/state.ts"
import type { RuntimeState } from "./runtime/state.ts"
import { serviceKey } from "./service/identity.ts"
import type { ServiceState } from "./service/state.ts"
import {
  countEndpoint,
  type EndpointCounts,
  type EndpointView,
  endpointView,
  noEndpoints,
  type ServiceView,
  serviceView
} from "./service/view.ts"
import type { StreamActorState } from "./stream/state.ts"
import { partsOf, type VolumeState } from "./volume/state.ts"

export interface Folded {
  readonly id: ActorId
  readonly state: unknown
}

export interface ProbeView {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly probe: string
  readonly result: string
  /** Equal answers in a row, of how many the next change takes: `2/3`; of a settled result: `1/1`. */
  readonly row: string
  readonly onHold: boolean
  /** What it last said. */
  readonly output: string
  readonly containerId: string
  /** Seconds. */
  readonly period: number
}

export interface VolumeView {
  readonly namespace: string
  readonly pod: string
  readonly name: string
  readonly type: string
  readonly status: string
  readonly path: string
  readonly message: string
}

export interface NodeView {
  readonly name: string
  readonly version: string
  readonly host: string
  readonly kernel: string
  readonly architecture: string
  readonly cgroupVersion: string
  /** Of the agent's present (or last) life. */
  readonly startedAt: string
  readonly starts: number
  readonly stopped: boolean
  readonly admission: string
  readonly runtime: {
    readonly status: string
    readonly name: string
    readonly version: string
    readonly endpoint: string
    readonly conditions: Readonly<Record<string, boolean>>
  }
  readonly stream: {
    readonly status: string
    readonly server: string
    readonly stream: string
    readonly message: string
  }
  readonly pods: number
  /** kubectl's STATUS: `Ready,SchedulingDisabled`. */
  readonly statusWord: string
  readonly labels: NodeApiView["labels"]
  readonly spec: NodeApiView["spec"]
  /** As a `v1.Node` has it, as far as the log tells. */
  readonly status: NodeApiView["status"]
}

const ofKind = (actors: Iterable<Folded>, kind: string): ReadonlyArray<Folded> =>
  [...actors]
    .filter(({ id }) => id.kind === kind)
    .sort((a, b) => `${a.id.namespace}/${a.id.name}`.localeCompare(`${b.id.namespace}/${b.id.name}`, "en"))

export const podViews = (actors: Iterable<Folded>): ReadonlyArray<PodView> =>
  ofKind(actors, "pod").map(({ id, state }) => podView(id, state as PodState))

export const allContainerViews = (actors: Iterable<Folded>): ReadonlyArray<ContainerView> =>
  ofKind(actors, "pod").flatMap(({ id, state }) => containerViews(id, state as PodState))

export const probeViews = (actors: Iterable<Folded>): ReadonlyArray<ProbeView> =>
  ofKind(actors, "probe").flatMap(({ id, state }) => {
    const { asked } = state as ProbeState
    if (asked === null) return []
    const { failureThreshold, successThreshold, period } = timing(asked.spec)
    const threshold = asked.last === "failure" ? failureThreshold : successThreshold
    return [
      {
        namespace: id.namespace,
        pod: podNameOf(id),
        container: asked.container,
        probe: asked.probe,
        result: asked.result,
        row: `${asked.run}/${threshold}`,
        onHold: asked.onHold,
        output: asked.output.trimEnd(),
        containerId: asked.containerId,
        period: period / 1000
      }
    ]
  })

export const volumeViews = (actors: Iterable<Folded>): ReadonlyArray<VolumeView> =>
  ofKind(actors, "volume").flatMap(({ id, state }) => {
    const { records } = state as VolumeState
    const { pod, volume: name } = partsOf(id)
    return Object.values(records).map(({ volume, status, path, message }) => ({
      namespace: id.namespace,
      pod,
      name,
      type: volumeType(volume),
      status,
      path,
      message
    }))
  })

export const serviceViews = (actors: Iterable<Folded>): ReadonlyArray<ServiceView> => {
  const all = [...actors]
  const proxy = all.find(({ id }) => id.kind === "proxy")?.state as ProxyState | undefined
  const counts = new Map<string, EndpointCounts>()
  for (const { id, state } of all) {
    if (id.kind !== "endpoint" || state === null) continue
    const endpoint = state as NonNullable<EndpointState>
    const key = serviceKey({ namespace: id.namespace, name: endpoint.service })
    counts.set(key, countEndpoint(counts.get(key) ?? noEndpoints, endpoint))
  }
  return ofKind(all, "service").flatMap(({ id, state }) => {
    const service = state as ServiceState
    if (service.declared === null && service.rejected === null) return []
    return [serviceView(id, service, counts.get(serviceKey(id)) ?? noEndpoints, proxy)]
  })
}

/** There may be 100,000: compared as plain texts, and their actors' ids are not looked at. */
export const endpointViews = (actors: Iterable<Folded>): ReadonlyArray<EndpointView> => {
  const views: Array<EndpointView> = []
  for (const { id, state } of actors) {
    if (id.kind !== "endpoint") continue
    const view = endpointView(id, state as EndpointState)
    if (view !== undefined) views.push(view)
  }
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
  return views.sort(
    (a, b) =>
      compare(a.namespace, b.namespace) ||
      compare(a.service, b.service) ||
      compare(a.portName, b.portName) ||
      compare(a.address, b.address)
  )
}

const media: Readonly<Record<string, string>> = { Memory: "emptyDir (memory)", "": "emptyDir" }
const volumeTypes = ["hostPath", "configMap", "secret", "downwardAPI", "projected"] as const

const volumeType = (volume: Volume | null): string => {
  if (volume === null) return ""
  const medium = volume.emptyDir?.medium ?? ""
  return volumeTypes.find((type) => volume[type] !== undefined) ?? media[medium] ?? "emptyDir (huge pages)"
}

export const nodeView = (name: string, actors: Iterable<Folded>): NodeView => {
  const all = [...actors]
  const find = (kind: string) => all.find(({ id }) => id.kind === kind)?.state
  const node = find("node") as NodeState | undefined
  const runtime = find("runtime") as RuntimeState | undefined
  const stream = find("stream") as StreamActorState | undefined
  const started = node?.started
  const pods = ofKind(all, "pod")
  return {
    name,
    version: started?.version ?? "",
    host: started?.host ?? "",
    kernel: started?.kernel ?? "",
    architecture: started?.architecture ?? "",
    cgroupVersion: started?.cgroupVersion ?? "",
    startedAt: started?.time ?? "",
    starts: node?.starts ?? 0,
    stopped: node?.stopped ?? false,
    admission: node?.admission ?? "open",
    runtime: {
      status: runtime?.status ?? "unknown",
      name: runtime?.name ?? "",
      version: runtime?.version ?? "",
      endpoint: runtime?.endpoint ?? "",
      conditions: Object.fromEntries(Object.entries(runtime?.conditions ?? {}).map(([type, c]) => [type, c.status]))
    },
    stream: streamView(stream),
    pods: pods.length,
    statusWord: statusWord(node),
    ...nodeApiView(
      node,
      runtime,
      pods.map(({ state }) => state as PodState)
    )
  }
}

const streamView = (state: StreamActorState | undefined): NodeView["stream"] => ({
  status: state?.connection ?? "unknown",
  server: state?.server ?? "",
  stream: state?.stream ?? "",
  message: state?.problems.at(-1) ?? ""
})
