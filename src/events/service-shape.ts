/** The shape of a Service and of its endpoints in events, after defaults (`staging/src/k8s.io/api/{core,discovery}/v1/types.go`). */
import { Schema } from "effect"

const text = Schema.String
const opt = Schema.optionalKey
const texts = Schema.Array(text)

export const Protocol = Schema.Literals(["TCP", "UDP", "SCTP"])
export type Protocol = typeof Protocol.Type

export const IpFamily = Schema.Literals(["IPv4", "IPv6"])
export type IpFamily = typeof IpFamily.Type

export const ServicePort = Schema.Struct({
  /** Empty: the only port of a Service need not have one. */
  name: text,
  protocol: Protocol,
  port: Schema.Int,
  /** A port of the pods, by number or by name. */
  targetPort: Schema.Union([Schema.Int, text]),
  nodePort: opt(Schema.Int)
})
export type ServicePort = typeof ServicePort.Type

/** What counts of a Service. A list that would be empty is absent. */
export const ServiceSpec = Schema.Struct({
  type: Schema.Literals(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
  /** One of each family at most; none: headless, or of the type ExternalName. */
  clusterIPs: texts,
  ports: Schema.Array(ServicePort),
  /** Absent: endpoints come from EndpointSlices alone. */
  selector: opt(Schema.Record(text, text)),
  externalIPs: opt(texts),
  /** Addresses of status.loadBalancer.ingress that this node is to answer for (ipMode VIP). */
  loadBalancerIPs: opt(texts),
  loadBalancerSourceRanges: opt(texts),
  /** Session affinity by the client's address; seconds. */
  affinitySeconds: opt(Schema.Int),
  /** True: the policy is Local. */
  internalLocal: opt(Schema.Boolean),
  externalLocal: opt(Schema.Boolean),
  healthCheckNodePort: opt(Schema.Int),
  trafficDistribution: opt(text),
  publishNotReadyAddresses: opt(Schema.Boolean),
  /** Families in which an address is to be allotted, in this order; absent where clusterIPs are given. */
  families: opt(Schema.Array(IpFamily)),
  /** allocateLoadBalancerNodePorts is false: no node port is allotted. */
  withoutNodePorts: opt(Schema.Boolean),
  /** Label service.kubernetes.io/service-proxy-name: another proxy's. */
  proxyName: opt(text)
})
export type ServiceSpec = typeof ServiceSpec.Type

export const EndpointConditions = Schema.Struct({
  ready: Schema.Boolean,
  /** Answers, whether or not it is being ended. */
  serving: Schema.Boolean,
  terminating: Schema.Boolean
})
export type EndpointConditions = typeof EndpointConditions.Type

/** What is known of an endpoint beside its address. */
export const EndpointFacts = Schema.Struct({
  ...EndpointConditions.fields,
  /** The node it is on. */
  node: opt(text),
  zone: opt(text),
  /** For which zones and nodes it is meant, by its slice's hints. */
  zoneHints: opt(texts),
  nodeHints: opt(texts)
})
export type EndpointFacts = typeof EndpointFacts.Type
