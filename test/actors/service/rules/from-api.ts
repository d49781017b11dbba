/** Services and EndpointSlices of the upstream rows (API JSON, often minimal) in the words of this program. */

import type { Endpoint } from "../../../../src/actors/service/rules/endpoint.ts"
import type { DeclaredSlice } from "../../../../src/adapters/services/port.ts"
import { canonicalIp } from "../../../../src/events/ip-address.ts"
import type { ServiceSpec } from "../../../../src/events/service-shape.ts"
import type { RowValue } from "../../../support/cases.ts"

export const specOf = ({ spec, status }: RowValue): ServiceSpec => {
  const ips = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])
  const list = (key: string, values: ReadonlyArray<string> | undefined) =>
    values === undefined || values.length === 0 ? {} : { [key]: values }
  return {
    type: spec.type ?? "ClusterIP",
    clusterIPs: ips.flatMap((ip: string) => canonicalIp(ip) ?? []),
    ports: (spec.ports ?? []).map((port: RowValue) => ({
      name: port.name ?? "",
      protocol: port.protocol,
      port: port.port,
      targetPort: port.targetPort,
      ...(port.nodePort === undefined ? {} : { nodePort: port.nodePort })
    })),
    ...list("externalIPs", spec.externalIPs?.map(canonicalIp)),
    ...list(
      "loadBalancerIPs",
      status.loadBalancer?.ingress
        ?.filter((ingress: RowValue) => ingress.ip !== undefined && ingress.ipMode !== "Proxy")
        .map((ingress: RowValue) => canonicalIp(ingress.ip))
    ),
    ...list("loadBalancerSourceRanges", spec.loadBalancerSourceRanges),
    ...(spec.sessionAffinity === "ClientIP"
      ? { affinitySeconds: spec.sessionAffinityConfig.clientIP.timeoutSeconds }
      : {}),
    ...(spec.internalTrafficPolicy === "Local" ? { internalLocal: true } : {}),
    ...(spec.externalTrafficPolicy === "Local" ? { externalLocal: true } : {}),
    ...(spec.healthCheckNodePort === undefined ? {} : { healthCheckNodePort: spec.healthCheckNodePort })
  }
}

/** Undefined: of a kind that no Service uses (FQDN). Ports without a number are for others than this program. */
export const sliceOf = (slice: RowValue): DeclaredSlice | undefined => {
  if (slice.addressType === "FQDN") return undefined
  return {
    namespace: slice.metadata.namespace,
    name: slice.metadata.name,
    service: slice.metadata.labels["kubernetes.io/service-name"],
    family: slice.addressType === "IPv6" ? "IPv6" : "IPv4",
    ports: (slice.ports ?? [])
      .filter((port: RowValue) => port.port !== undefined && port.name !== undefined)
      .map((port: RowValue) => ({ name: port.name, protocol: port.protocol, port: port.port })),
    endpoints: (slice.endpoints ?? []).map(({ addresses, conditions, nodeName, zone, hints }: RowValue) => ({
      address: addresses[0],
      ready: conditions.ready ?? true,
      serving: conditions.serving ?? true,
      terminating: conditions.terminating ?? false,
      ...(nodeName === undefined ? {} : { node: nodeName }),
      ...(zone === undefined ? {} : { zone }),
      ...(hints?.forZones === undefined ? {} : { zoneHints: hints.forZones.map((h: RowValue) => h.name) }),
      ...(hints?.forNodes === undefined ? {} : { nodeHints: hints.forNodes.map((h: RowValue) => h.name) })
    })),
    bad: [],
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
