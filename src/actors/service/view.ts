/** Services and endpoints as `chronode get` shows them: kubectl's columns, from the actors' states. Pure. */
import type { ActorId } from "../../events/actor-id.ts"
import { timestamp } from "../../events/definition.ts"
import { hostPort } from "../../events/ip-address.ts"
import type { ServiceProblem } from "../../events/kinds/service.ts"
import type { EndpointConditions, ServiceSpec } from "../../events/service-shape.ts"
import type { EndpointState } from "../endpoint/state.ts"
import type { ProxyState } from "../proxy/state.ts"
import { serviceKey } from "./identity.ts"
import { isProxied } from "./rules/service-port.ts"
import type { ServiceState } from "./state.ts"

export interface ServiceView {
  readonly namespace: string
  readonly name: string
  readonly type: string
  /** `None`: headless. */
  readonly clusterIP: string
  readonly clusterIPs: ReadonlyArray<string>
  /** Of the load balancer and those that the Service names. */
  readonly externalIPs: ReadonlyArray<string>
  /** `80:30080/TCP`, as kubectl writes them. */
  readonly ports: ReadonlyArray<string>
  readonly endpoints: {
    /** Endpoints of all ports that are ready, that are being ended and still answer, and all. */
    readonly ready: number
    readonly draining: number
    readonly all: number
  }
  readonly status: string
  /** What explains the status; empty where it needs no words. */
  readonly message: string
  /** RFC 3339; when it was first declared. */
  readonly since: string
  /** RFC 3339; when the kernel last got something of it that was new; empty: never. */
  readonly programmedAt: string
  /** Servers that get new connections, by port and family. */
  readonly serving: NonNullable<ServiceState["programmed"]>["serving"]
  readonly source: string
  /** Fields that nobody gave and that this node chose. */
  readonly allotted: ReadonlyArray<string>
  /** Of what the file says now, where that is refused. */
  readonly problems: ReadonlyArray<ServiceProblem>
}

export interface EndpointView {
  readonly namespace: string
  readonly service: string
  /** Name of the Service's port; empty where it has none. */
  readonly portName: string
  readonly protocol: string
  /** `10.0.0.1:80`, `[fd00::1]:80` */
  readonly address: string
  /** `ready`, `not ready`, `draining` (being ended, and answers still), `ending`. */
  readonly state: string
  readonly node: string
  readonly zone: string
  /** `pod namespace/name` or `slice namespace/name` */
  readonly from: string
  /** RFC 3339; since when it is in this state. */
  readonly since: string
}

/** In a word how an endpoint is. */
export const endpointStateText = ({ ready, serving, terminating }: EndpointConditions): string =>
  ready ? "ready" : terminating ? (serving ? "draining" : "ending") : "not ready"

export const servicePorts = ({ ports }: Pick<ServiceSpec, "ports">): ReadonlyArray<string> =>
  ports.map(({ port, nodePort, protocol }) => `${port}${nodePort === undefined ? "" : `:${nodePort}`}/${protocol}`)

export interface EndpointCounts {
  readonly ready: number
  readonly draining: number
  readonly all: number
}

export const noEndpoints: EndpointCounts = { ready: 0, draining: 0, all: 0 }

export const countEndpoint = (counts: EndpointCounts, endpoint: EndpointConditions): EndpointCounts => ({
  ready: counts.ready + (endpoint.ready ? 1 : 0),
  draining: counts.draining + (endpoint.serving && endpoint.terminating ? 1 : 0),
  all: counts.all + 1
})

export const problemsText = (problems: ReadonlyArray<ServiceProblem>): string =>
  problems.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`)).join("; ")

/** How it is with a Service, in a word, and what explains it. */
const statusOf = (
  { declared, rejected, programmed }: ServiceState,
  key: string,
  endpoints: EndpointCounts,
  proxy: ProxyState | undefined
): readonly [status: string, message: string] => {
  if (declared === null) return ["rejected", problemsText(rejected?.problems ?? [])]
  const { spec } = declared
  if (rejected !== null) return ["change rejected", problemsText(rejected.problems)]
  if (spec.proxyName !== undefined) return ["left alone", `another proxy's: ${spec.proxyName}`]
  if (!isProxied(spec)) return [spec.type === "ExternalName" ? "external name" : "headless", ""]
  const { unavailable = null, failure = null } = proxy ?? {}
  if (unavailable !== null) return ["not served", unavailable.missing.map(({ what }) => what).join("; ")]
  if (failure?.services.includes(key) === true) return ["failed", failure.message]
  if (programmed === null) return ["pending", ""]
  if (endpoints.ready + endpoints.draining > 0) return ["programmed", ""]
  return ["no endpoints", endpoints.all === 0 ? "connections are rejected" : "none is ready: connections are rejected"]
}

const addressText = (spec: ServiceSpec): string =>
  spec.type === "ExternalName" ? "" : spec.clusterIPs.length === 0 ? "None" : spec.clusterIPs.join(",")

export const serviceView = (
  { namespace, name }: ActorId,
  state: ServiceState,
  endpoints: EndpointCounts,
  proxy: ProxyState | undefined
): ServiceView => {
  const { declared, rejected, programmed, since = "" } = state
  const spec = declared?.spec
  const [status, message] = statusOf(state, serviceKey({ namespace, name }), endpoints, proxy)
  return {
    namespace,
    name,
    type: spec?.type ?? "",
    clusterIP: spec === undefined ? "" : addressText(spec),
    clusterIPs: spec?.clusterIPs ?? [],
    externalIPs: [...(spec?.loadBalancerIPs ?? []), ...(spec?.externalIPs ?? [])],
    ports: spec === undefined ? [] : servicePorts(spec),
    endpoints,
    status,
    message,
    since,
    programmedAt: programmed?.time ?? "",
    serving: programmed?.serving ?? [],
    source: declared?.file ?? rejected?.file ?? "",
    allotted: declared?.allotted ?? [],
    problems: rejected?.problems ?? []
  }
}

/** Undefined: there is none any more. */
export const endpointView = ({ namespace }: ActorId, endpoint: EndpointState): EndpointView | undefined =>
  endpoint === null
    ? undefined
    : {
        namespace,
        service: endpoint.service,
        portName: endpoint.portName,
        protocol: endpoint.protocol,
        address: hostPort(endpoint.address, endpoint.port),
        state: endpointStateText(endpoint),
        node: endpoint.node ?? "",
        zone: endpoint.zone ?? "",
        from: endpoint.from,
        since: timestamp(endpoint.since)
      }
