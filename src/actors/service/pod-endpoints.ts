/**
 * The pods of this node as endpoints of the Services that select them, as the API server's controller makes
 * EndpointSlices of pods (`staging/src/k8s.io/endpointslice/utils.go`, `reconciler.go`; `pkg/api/v1/pod/util.go`, FindPort).
 */
import { Context } from "effect"
import type { Pod } from "../../events/pod-spec.ts"
import type { EndpointFacts, ServicePort, ServiceSpec } from "../../events/service-shape.ts"
import type { DesireEndpoint, UndesireEndpoint } from "../endpoint/commands.ts"
import { endpointActor, endpointName } from "../endpoint/identity.ts"
import type { Endpoint } from "../endpoint/state.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { isEqual } from "../kernel/json.ts"
import { sortedPodIps, statusPodIps } from "../pod/network/pod-ips.ts"
import type { PodState } from "../pod/state.ts"
import { isTerminalPhase } from "../pod/status/phase.ts"
import { familyOf, type Vantage } from "./rules/endpoint.ts"
import type { ServiceEntry, Table } from "./table.ts"

export type PodEndpoint = Omit<DesireEndpoint, "_tag" | "at">

/** `pod namespace/name` */
export const podOrigin = ({ name }: Pick<PodState, "name">): string => `pod ${name}`

/** Every label of the selector; a Service without one selects nothing here. */
export const selects = (
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>
): boolean => {
  if (selector === undefined) return false
  let any = false
  for (const name in selector) {
    if (labels[name] !== selector[name]) return false
    any = true
  }
  return any
}

/** The number of a Service's port on a pod: by name among the ports of its containers and sidecars. Undefined: it has none. */
export const targetPortOf = ({ targetPort, protocol }: ServicePort, { spec }: Pod): number | undefined => {
  if (typeof targetPort === "number") return targetPort
  const sidecars = (spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always")
  for (const { ports = [] } of [...spec.containers, ...sidecars])
    for (const port of ports)
      if (port.name === targetPort && (port.protocol ?? "TCP") === protocol) return port.containerPort
  return undefined
}

const factsOf = (
  state: PodState,
  { publishNotReadyAddresses }: ServiceSpec,
  { nodeName, zone }: Vantage
): EndpointFacts => {
  const serving = state.conditions.Ready?.status === true
  const terminating = state.termination !== null
  return {
    ready: publishNotReadyAddresses === true || (serving && !terminating),
    serving,
    terminating,
    node: nodeName,
    ...(zone === undefined ? {} : { zone })
  }
}

/** Its addresses; none of a pod that has ended, or has no network yet. */
const addressesOf = ({ definition, sandbox, phase }: PodState): ReadonlyArray<string> => {
  if (definition === null || sandbox?.status !== "ready" || isTerminalPhase(phase)) return []
  const hostIps = sandbox.hostIps ?? []
  return definition.pod.spec.hostNetwork === true
    ? statusPodIps(sandbox.ips, hostIps, hostIps[0], true)
    : sortedPodIps(sandbox.ips, hostIps[0])
}

/** What a pod is behind a Service: an endpoint for each port and family of the Service that it has; none: it is not behind it. */
export const endpointsOfPod = (
  state: PodState,
  service: string,
  spec: ServiceSpec,
  vantage: Vantage
): ReadonlyArray<PodEndpoint> => {
  const pod = state.definition?.pod
  if (pod === undefined || spec.type === "ExternalName" || !selects(spec.selector, pod.metadata.labels ?? {})) return []
  const families = new Set(spec.clusterIPs.map(familyOf))
  const addresses = addressesOf(state).filter((ip) => families.size === 0 || families.has(familyOf(ip)))
  if (addresses.length === 0) return []
  const facts = factsOf(state, spec, vantage)
  return addresses.flatMap((address) =>
    spec.ports.flatMap((servicePort) => {
      const port = targetPortOf(servicePort, pod)
      if (port === undefined) return []
      const { name: portName, protocol } = servicePort
      return [{ service, portName, protocol, address, port, facts, from: podOrigin(state) }]
    })
  )
}

/** What the endpoints' actors were told of pods, so that only differences are told. */
export class PodsBehindServices {
  /** By pod, by Service, by the name of the endpoint's actor. */
  private readonly told = new Map<string, Map<string, Map<string, PodEndpoint>>>()
  private readonly table: Table
  private readonly vantage: Vantage

  constructor(table: Table, vantage: Vantage) {
    this.table = table
    this.vantage = vantage
  }

  /** Takes over what is known of an endpoint from before. */
  seed({ since: _, ready, serving, terminating, node, zone, zoneHints, nodeHints, ...known }: Endpoint): void {
    if (!known.from.startsWith("pod ")) return
    const facts: EndpointFacts = {
      ...{ ready, serving, terminating },
      ...(node === undefined ? {} : { node }),
      ...(zone === undefined ? {} : { zone }),
      ...(zoneHints === undefined ? {} : { zoneHints }),
      ...(nodeHints === undefined ? {} : { nodeHints })
    }
    const pod = known.from.slice("pod ".length)
    this.of(pod, known.service).set(endpointName(known), { ...known, facts })
  }

  /** Pods of which something was told. */
  pods(): ReadonlyArray<string> {
    return [...this.told.keys()]
  }

  /** A pod is another one than it was. `at`: milliseconds since the epoch. */
  podChanged(namespace: string, state: PodState, at: number): ReadonlyArray<Outgoing> {
    const labels = state.definition?.pod.metadata.labels ?? {}
    const services = new Map<string, ServiceEntry>()
    for (const entry of this.table.candidates(namespace, labels)) services.set(entry.name, entry)
    const known = this.told.get(state.name)
    const names = new Set([...services.keys(), ...(known?.keys() ?? [])])
    return [...names].flatMap((name) => this.tell(namespace, state, name, services.get(name)?.spec, at))
  }

  /** A Service is another one than it was. `spec`: undefined where it is gone. */
  serviceChanged(
    { namespace, name }: Pick<ServiceEntry, "namespace" | "name">,
    spec: ServiceSpec | undefined,
    pods: ReadonlyArray<{ readonly state: PodState }>,
    at: number
  ): ReadonlyArray<Outgoing> {
    return pods.flatMap(({ state }) =>
      state.name.startsWith(`${namespace}/`) ? this.tell(namespace, state, name, spec, at) : []
    )
  }

  /** A pod that this node does not know any more. */
  podGone(pod: string, at: number): ReadonlyArray<Outgoing> {
    const known = this.told.get(pod)
    const namespace = pod.slice(0, pod.indexOf("/"))
    this.told.delete(pod)
    return [...(known?.values() ?? [])].flatMap((endpoints) =>
      [...endpoints.values()].map((endpoint) => undesire(namespace, endpoint, at))
    )
  }

  private tell(
    namespace: string,
    state: PodState,
    service: string,
    spec: ServiceSpec | undefined,
    at: number
  ): ReadonlyArray<Outgoing> {
    const wanted = spec === undefined ? [] : endpointsOfPod(state, service, spec, this.vantage)
    const known = this.told.get(state.name)?.get(service)
    if (wanted.length === 0 && known === undefined) return []
    const told = this.of(state.name, service)
    const names = new Set<string>()
    const outgoing: Array<Outgoing> = []
    for (const endpoint of wanted) {
      const name = endpointName(endpoint)
      names.add(name)
      const before = told.get(name)
      if (before !== undefined && isEqual(before, endpoint)) continue
      told.set(name, endpoint)
      const command: DesireEndpoint = { _tag: "DesireEndpoint", at, ...endpoint }
      outgoing.push({ to: endpointActor(namespace, endpoint), command })
    }
    for (const [name, endpoint] of told) {
      if (names.has(name)) continue
      told.delete(name)
      outgoing.push(undesire(namespace, endpoint, at))
    }
    if (told.size === 0) this.forget(state.name, service)
    return outgoing
  }

  private of(pod: string, service: string): Map<string, PodEndpoint> {
    const services = this.told.get(pod) ?? new Map<string, Map<string, PodEndpoint>>()
    this.told.set(pod, services)
    const endpoints = services.get(service) ?? new Map<string, PodEndpoint>()
    services.set(service, endpoints)
    return endpoints
  }

  private forget(pod: string, service: string): void {
    const services = this.told.get(pod)
    services?.delete(service)
    if (services?.size === 0) this.told.delete(pod)
  }
}

const undesire = (namespace: string, endpoint: PodEndpoint, at: number): Outgoing => {
  const command: UndesireEndpoint = { _tag: "UndesireEndpoint", at, from: endpoint.from }
  return { to: endpointActor(namespace, endpoint), command }
}

/** Undefined where no Services are served. */
export const PodEndpoints = Context.Reference<PodsBehindServices | undefined>("chronode/PodEndpoints", {
  defaultValue: () => undefined
})
