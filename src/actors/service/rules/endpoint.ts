/** A server behind a port of a Service, and where this node stands to it. */
import { hostPort } from "../../../events/ip-address.ts"
import type { EndpointFacts, IpFamily, Protocol } from "../../../events/service-shape.ts"

export interface Endpoint extends EndpointFacts {
  /** In its usual form. */
  readonly address: string
  readonly port: number
}

/** What of this node counts for which servers it uses. */
export interface Vantage {
  readonly nodeName: string
  /** Label topology.kubernetes.io/zone of the node. */
  readonly zone?: string
}

export const zoneLabel = "topology.kubernetes.io/zone"

export const vantageOf = (nodeName: string, labels: Readonly<Record<string, string>>): Vantage => {
  const zone = labels[zoneLabel]
  return { nodeName, ...(zone === undefined || zone === "" ? {} : { zone }) }
}

export const isLocal = (endpoint: Pick<EndpointFacts, "node">, { nodeName }: Vantage): boolean =>
  endpoint.node !== undefined && endpoint.node === nodeName

/** `10.0.0.1:80`, `[fd00::1]:80`: no two endpoints of one port are alike. */
export const endpointKey = (endpoint: Pick<Endpoint, "address" | "port">): string =>
  hostPort(endpoint.address, endpoint.port)

export const familyOf = (address: string): IpFamily => (address.includes(":") ? "IPv6" : "IPv4")

/** `http/TCP`: which endpoints are meant by which port of the Service (ServicePortName of `pkg/proxy/types.go`). */
export const portKey = (name: string, protocol: Protocol): string => `${name}/${protocol}`
