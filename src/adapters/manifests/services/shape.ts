/** What a manifest may hold of a Service or EndpointSlice (`staging/src/k8s.io/api/{core,discovery}/v1/types.go`, Kubernetes 1.36). */
import type { Shape } from "../../../events/pod-shape.ts"
import { type Known, placeOf } from "../known-fields.ts"
import { protocols, serviceTypes } from "../objects/object-shape.ts"

const text: Shape = { kind: "text" }
const integer: Shape = { kind: "integer" }
const boolean: Shape = { kind: "boolean" }
const texts: Shape = { kind: "map", value: text }
const list = (item: Shape): Shape => ({ kind: "list", item })
const choice = (...of: ReadonlyArray<string>): Shape => ({ kind: "choice", of })
const struct = (fields: Readonly<Record<string, Shape>>): Shape => ({
  kind: "struct",
  fields: new Map(Object.entries(fields))
})

const metadata = struct({ name: text, namespace: text, labels: texts })
const policies = choice("Cluster", "Local")
const names = list(struct({ name: text }))

export const serviceShape: Shape = struct({
  apiVersion: text,
  kind: text,
  metadata,
  spec: struct({
    type: choice(...serviceTypes),
    clusterIP: text,
    clusterIPs: list(text),
    ports: list(
      struct({
        name: text,
        protocol: choice(...protocols),
        port: integer,
        targetPort: { kind: "integerOrText" },
        nodePort: integer
      })
    ),
    selector: texts,
    externalIPs: list(text),
    sessionAffinity: choice("None", "ClientIP"),
    sessionAffinityConfig: struct({ clientIP: struct({ timeoutSeconds: integer }) }),
    loadBalancerSourceRanges: list(text),
    externalTrafficPolicy: policies,
    internalTrafficPolicy: policies,
    healthCheckNodePort: integer,
    publishNotReadyAddresses: boolean,
    ipFamilies: list(choice("IPv4", "IPv6")),
    ipFamilyPolicy: choice("SingleStack", "PreferDualStack", "RequireDualStack"),
    allocateLoadBalancerNodePorts: boolean,
    trafficDistribution: text
  }),
  status: struct({ loadBalancer: struct({ ingress: list(struct({ ip: text, ipMode: choice("VIP", "Proxy") })) }) })
})

export const sliceShape: Shape = struct({
  apiVersion: text,
  kind: text,
  metadata,
  addressType: choice("IPv4", "IPv6", "FQDN"),
  endpoints: list(
    struct({
      addresses: list(text),
      conditions: struct({ ready: boolean, serving: boolean, terminating: boolean }),
      nodeName: text,
      zone: text,
      hints: struct({ forZones: names, forNodes: names })
    })
  ),
  ports: list(struct({ name: text, protocol: choice(...protocols), port: integer }))
})

/** A Service as it was read: every field may be missing, what is there has the right type. */
export interface WrittenService {
  readonly apiVersion?: string
  readonly metadata?: WrittenMetadata
  readonly spec?: WrittenServiceSpec
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: ReadonlyArray<{ readonly ip?: string; readonly ipMode?: "VIP" | "Proxy" }>
    }
  }
}
export interface WrittenMetadata {
  readonly name?: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
}
type Policy = "Cluster" | "Local"
type Family = "IPv4" | "IPv6"
export interface WrittenServiceSpec {
  readonly type?: (typeof serviceTypes)[number]
  readonly clusterIP?: string
  readonly clusterIPs?: ReadonlyArray<string>
  readonly ports?: ReadonlyArray<{
    readonly name?: string
    readonly protocol?: (typeof protocols)[number]
    readonly port?: number
    readonly targetPort?: number | string
    readonly nodePort?: number
  }>
  readonly selector?: Readonly<Record<string, string>>
  readonly externalIPs?: ReadonlyArray<string>
  readonly sessionAffinity?: "None" | "ClientIP"
  readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } }
  readonly loadBalancerSourceRanges?: ReadonlyArray<string>
  readonly externalTrafficPolicy?: Policy
  readonly internalTrafficPolicy?: Policy
  readonly healthCheckNodePort?: number
  readonly publishNotReadyAddresses?: boolean
  readonly ipFamilies?: ReadonlyArray<Family>
  readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack"
  readonly allocateLoadBalancerNodePorts?: boolean
  readonly trafficDistribution?: string
}

export interface WrittenSlice {
  readonly apiVersion?: string
  readonly metadata?: WrittenMetadata
  readonly addressType?: Family | "FQDN"
  readonly endpoints?: ReadonlyArray<WrittenEndpoint>
  readonly ports?: ReadonlyArray<{
    readonly name?: string
    readonly protocol?: (typeof protocols)[number]
    readonly port?: number
  }>
}
export interface WrittenEndpoint {
  readonly addresses?: ReadonlyArray<string>
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
  readonly nodeName?: string
  readonly zone?: string
  readonly hints?: {
    readonly forZones?: ReadonlyArray<{ readonly name?: string }>
    readonly forNodes?: ReadonlyArray<{ readonly name?: string }>
  }
}

const words = (all: string): ReadonlySet<string> => new Set(all.trim().split(/\s+/u))

/** Fields that the API has and that say nothing to a proxy. */
const silent: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    "metadata",
    words(`annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp finalizers generateName generation
      managedFields ownerReferences resourceVersion selfLink uid`)
  ],
  ["spec", words("externalName loadBalancerClass loadBalancerIP")],
  ["spec.ports[]", words("appProtocol")],
  ["status", words("conditions")],
  ["status.loadBalancer.ingress[]", words("hostname ports")],
  ["endpoints[]", words("deprecatedTopology hostname targetRef")],
  ["ports[]", words("appProtocol")]
])

/** What to do with a field that the shapes do not have. `path`: of the mapping that holds it. */
export const classifyOfService = (path: string, field: string): Known =>
  silent.get(placeOf(path))?.has(field) === true ? "silent" : "unknown"
