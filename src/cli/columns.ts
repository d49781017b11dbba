/** The state of a node as tables for people. The rows themselves, for programs, are src/actors/views.ts's. */
import type { NodeFold } from "../actors/kernel/fold.ts"
import type { ContainerView, PodView } from "../actors/pod/view.ts"
import type { EndpointView, ServiceView } from "../actors/service/view.ts"
import {
  allContainerViews,
  endpointViews,
  type NodeView,
  nodeView,
  type ProbeView,
  podViews,
  probeViews,
  serviceViews,
  type VolumeView,
  volumeViews
} from "../actors/views.ts"
import { formatLength } from "./times.ts"

export interface NodeViews {
  readonly pods: ReadonlyArray<PodView>
  readonly containers: ReadonlyArray<ContainerView>
  readonly probes: ReadonlyArray<ProbeView>
  readonly volumes: ReadonlyArray<VolumeView>
  readonly services: ReadonlyArray<ServiceView>
  readonly endpoints: ReadonlyArray<EndpointView>
  /** One node; none where nothing was folded. */
  readonly node: ReadonlyArray<NodeView>
}
export type ViewName = keyof NodeViews

/** Everything, ordered by namespace and name. Each is made when it is asked for: there may be 100,000 endpoints. */
export const nodeViews = (fold: NodeFold): NodeViews => {
  const actors = [...fold.actors.values()]
  return {
    get pods() {
      return podViews(actors)
    },
    get containers() {
      return allContainerViews(actors)
    },
    get probes() {
      return probeViews(actors)
    },
    get volumes() {
      return volumeViews(actors)
    },
    get services() {
      return serviceViews(actors)
    },
    get endpoints() {
      return endpointViews(actors)
    },
    get node() {
      return fold.events === 0 ? [] : [nodeView(fold.node, actors)]
    }
  }
}

export interface Columns {
  readonly header: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

/** `now`: milliseconds since the epoch. */
const age = (since: string, now: number): string =>
  since === "" ? "" : formatLength(Math.max(0, now - Date.parse(since)))

const yesOrNo = (value: boolean): string => (value ? "yes" : "no")

const podColumns = (views: ReadonlyArray<PodView>, now: number): Columns => ({
  header: ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP"],
  rows: views.map((p) => [p.namespace, p.name, p.ready, p.status, String(p.restarts), age(p.startTime, now), p.ip])
})

const named = (c: ContainerView): string =>
  c.init ? `${c.name} (init)` : c.ephemeral ? `${c.name} (ephemeral)` : c.name

const containerColumns = (views: ReadonlyArray<ContainerView>, now: number): Columns => ({
  header: ["NAMESPACE", "POD", "CONTAINER", "STATE", "READY", "RESTARTS", "RUNNING", "LAST END", "IMAGE"],
  rows: views.map((c) => [
    c.namespace,
    c.pod,
    named(c),
    c.state,
    yesOrNo(c.ready),
    String(c.restarts),
    age(c.startedAt, now),
    c.lastExitCode === undefined ? "" : `${c.lastReason} (${c.lastExitCode})`,
    c.image
  ])
})

const probeColumns = (views: ReadonlyArray<ProbeView>): Columns => ({
  header: ["NAMESPACE", "POD", "CONTAINER", "PROBE", "RESULT", "ROW", "EVERY", "OUTPUT"],
  rows: views.map((p) => [
    p.namespace,
    p.pod,
    p.container,
    p.probe,
    p.onHold ? `${p.result} (on hold)` : p.result,
    p.row,
    formatLength(p.period * 1000),
    p.output
  ])
})

const volumeColumns = (views: ReadonlyArray<VolumeView>): Columns => ({
  header: ["NAMESPACE", "POD", "VOLUME", "TYPE", "STATUS", "PATH", "MESSAGE"],
  rows: views.map((v) => [v.namespace, v.pod, v.name, v.type, v.status, v.path, v.message])
})

const orNone = (list: ReadonlyArray<string>): string => (list.length === 0 ? "<none>" : list.join(","))

const serviceColumns = (views: ReadonlyArray<ServiceView>, now: number): Columns => ({
  header: ["NAMESPACE", "NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "ENDPOINTS", "AGE", "STATUS"],
  rows: views.map((s) => [
    s.namespace,
    s.name,
    s.type === "" ? "<unknown>" : s.type,
    s.clusterIP === "" ? "<none>" : s.clusterIP,
    s.type === "LoadBalancer" && s.externalIPs.length === 0 ? "<pending>" : orNone(s.externalIPs),
    orNone(s.ports),
    `${s.endpoints.ready}/${s.endpoints.all}`,
    age(s.since, now),
    s.message === "" ? s.status : `${s.status}: ${s.message}`
  ])
})

const endpointColumns = (views: ReadonlyArray<EndpointView>, now: number): Columns => ({
  header: ["NAMESPACE", "SERVICE", "PORT", "ADDRESS", "STATE", "NODE", "FROM", "SINCE"],
  rows: views.map((e) => [
    e.namespace,
    e.service,
    e.portName === "" ? e.protocol : `${e.portName}/${e.protocol}`,
    e.address,
    e.state,
    e.node === "" ? "<none>" : e.node,
    e.from,
    age(e.since, now)
  ])
})

const none = "<none>"

/** kubectl's columns; `wide` adds its others, and what only an agent with a log has. */
const nodeColumns = (views: ReadonlyArray<NodeView>, now: number, wide: boolean): Columns => {
  const more = ["INTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME", "CGROUP", "STARTS", "PODS", "STREAM"]
  return {
    header: ["NAME", "STATUS", "ROLES", "UP", "VERSION", ...(wide ? more : [])],
    rows: views.map((n) => [
      n.name,
      `${n.statusWord}${n.admission === "closed" ? ",AdmissionClosed" : ""}`,
      none,
      n.stopped ? "" : age(n.startedAt, now),
      `${n.version}${n.host === "" ? "" : ` on ${n.host}`}${n.stopped ? " (stopped)" : ""}`,
      ...(wide
        ? [
            n.status.addresses.find(({ type }) => type === "InternalIP")?.address ?? none,
            n.status.nodeInfo.osImage || none,
            n.kernel,
            n.runtime.name === "" ? n.runtime.status : `${n.runtime.name}://${n.runtime.version} (${n.runtime.status})`,
            n.cgroupVersion,
            String(n.starts),
            String(n.pods),
            n.stream.stream === "" ? n.stream.status : `${n.stream.stream} (${n.stream.status})`
          ]
        : [])
    ])
  }
}

/**
 * @param now the point in time that ages are counted to, milliseconds since the epoch
 * @param wide more columns, where there are some
 */
export const columns = (views: NodeViews, name: ViewName, now: number, wide = false): Columns => {
  switch (name) {
    case "pods":
      return podColumns(views.pods, now)
    case "containers":
      return containerColumns(views.containers, now)
    case "probes":
      return probeColumns(views.probes)
    case "volumes":
      return volumeColumns(views.volumes)
    case "services":
      return serviceColumns(views.services, now)
    case "endpoints":
      return endpointColumns(views.endpoints, now)
    case "node":
      return nodeColumns(views.node, now, wide)
  }
}
