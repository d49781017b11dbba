/** Services and EndpointSlices of the upstream rows (API JSON, often minimal) in the words of this program. */

import type { Endpoint } from "../../../../src/actors/service/rules/endpoint.ts"
import { serviceSpecOf } from "../../../../src/adapters/manifests/services/service.ts"
import { endpointsOf, portsOf, serviceNameOf } from "../../../../src/adapters/manifests/services/slice.ts"
import type { DeclaredSlice } from "../../../../src/adapters/services/port.ts"
import type { ServiceSpec } from "../../../../src/events/service-shape.ts"
import type { RowValue } from "../../../support/cases.ts"

/** As it is read from a manifest. Rows leave the type out, also where a load balancer has given addresses. */
export const specOf = (service: RowValue): ServiceSpec => {
  const { spec = {}, status } = service
  const balanced = status?.loadBalancer?.ingress === undefined ? {} : { type: "LoadBalancer" }
  return serviceSpecOf({ ...service, spec: { ...balanced, ...spec } })
}

/** As it is read from a manifest. Undefined, and without such ports: what is refused there. */
export const sliceOf = (row: RowValue): DeclaredSlice | undefined => {
  if (row.addressType === "FQDN") return undefined
  const family = row.addressType === "IPv6" ? "IPv6" : "IPv4"
  const ports = (row.ports ?? []).filter(({ port }: RowValue) => port !== undefined)
  return {
    namespace: row.metadata.namespace,
    name: row.metadata.name,
    service: serviceNameOf(row),
    family,
    ports: portsOf({ ...row, ports }),
    ...endpointsOf({ ...row, endpoints: row.endpoints ?? [] }, family),
    file: "/slices.yaml",
    hash: ""
  }
}

export const here = "here"

/** An endpoint as rows write it, which say whether it is on this node (`here`) and not on which. */
export const endpointOf = (row: RowValue): Endpoint => {
  const [, address, port] = /^\[?(.+?)\]?:(\d+)$/.exec(row.endpoint) as unknown as [string, string, string]
  return {
    address,
    port: Number(port),
    ready: row.ready,
    serving: row.serving,
    terminating: row.terminating,
    ...(row.isLocal ? { node: here } : {}),
    ...(row.zoneHints === null ? {} : { zoneHints: row.zoneHints }),
    ...(row.nodeHints === null ? {} : { nodeHints: row.nodeHints })
  }
}

export const endpointRow = (endpoint: Endpoint, nodeName: string): RowValue => ({
  ip: endpoint.address,
  port: endpoint.port,
  endpoint: `${endpoint.address.includes(":") ? `[${endpoint.address}]` : endpoint.address}:${endpoint.port}`,
  isLocal: endpoint.node !== undefined && endpoint.node === nodeName,
  ready: endpoint.ready,
  serving: endpoint.serving,
  terminating: endpoint.terminating,
  zoneHints: endpoint.zoneHints ?? null,
  nodeHints: endpoint.nodeHints ?? null
})
