/**
 * What makes Services work in the kernel, as actors see it: the rules that should be in force go in, changes of the kernel
 * come of it. Which servers a Service has is decided before (src/actors/service/rules); here is only how the kernel is told.
 *
 * What each implementation must keep stands in test/adapters/dataplane/dataplane-contract.ts, and is judged by packets.
 */
import { Context, type Effect, Schema, type Stream } from "effect"
import type { IpFamily, Protocol } from "../../events/service-shape.ts"
import type { SysctlSet } from "../sysctl/port.ts"

export type { SysctlSet } from "../sysctl/port.ts"

export type ProxyMode = "nftables" | "ipvs" | "iptables"
export const proxyModes = ["nftables", "ipvs", "iptables"] as const satisfies ReadonlyArray<ProxyMode>

/** Where a connection may be sent. */
export interface Server {
  readonly ip: string
  readonly port: number
  /** On this node. */
  readonly local: boolean
}

/** One port of a Service in one family of addresses: all that the kernel has to know of it. */
export interface ServiceRules {
  readonly namespace: string
  readonly name: string
  /** Empty: the only port of a Service need not have one. */
  readonly portName: string
  readonly family: IpFamily
  readonly protocol: Protocol
  readonly clusterIP: string
  readonly port: number
  readonly nodePort?: number
  readonly externalIPs: ReadonlyArray<string>
  readonly loadBalancerIPs: ReadonlyArray<string>
  /** CIDRs that may use the load balancer's addresses; empty: all. */
  readonly sourceRanges: ReadonlyArray<string>
  /** Seconds for which a client keeps its server; absent: each connection chooses anew. */
  readonly affinitySeconds?: number
  /** Traffic of the cluster's own, and traffic from outside, go only to `local`. */
  readonly internalLocal: boolean
  readonly externalLocal: boolean
  /** For policy Cluster and for policy Local; no server stands in one of them twice. Order means nothing. */
  readonly cluster: ReadonlyArray<Server>
  readonly local: ReadonlyArray<Server>
  /** Whether it has any server that could be used, on whatever node: without one packets are rejected, otherwise dropped. */
  readonly hasAny: boolean
}

/** `namespace/name:port/IPv4`: no two of a node are alike. */
export const rulesKey = (rules: Pick<ServiceRules, "namespace" | "name" | "portName" | "family">): string =>
  `${rules.namespace}/${rules.name}:${rules.portName}/${rules.family}`

/** Which sources are pods of this cluster: traffic of others to a cluster IP is masqueraded. */
export type LocalDetector =
  | { readonly by: "none" }
  | { readonly by: "cidr"; readonly cidrs: ReadonlyArray<string> }
  | { readonly by: "bridge"; readonly name: string }
  | { readonly by: "prefix"; readonly prefix: string }

export const defaultName = "chronode"

export const schedulers = ["rr", "wrr", "lc", "wlc", "sh", "dh", "sed", "nq", "mh"] as const
export type Scheduler = (typeof schedulers)[number]

export interface IpvsSettings {
  readonly scheduler: Scheduler
  readonly strictARP: boolean
  /** Virtual servers within them are others', and are never touched. */
  readonly excludeCIDRs: ReadonlyArray<string>
  /** Seconds; 0: the kernel's are left alone. */
  readonly tcpTimeout: number
  readonly tcpFinTimeout: number
  readonly udpTimeout: number
}

export interface DataplaneSettings {
  /**
   * What is ours in the kernel is called by it: `chronode`, but where several agents share a network namespace (a demo beside
   * the machine's own node). iptables' chains are kube-proxy's and cannot be told apart so.
   */
  readonly name: string
  readonly families: ReadonlyArray<IpFamily>
  /** All traffic to Services is masqueraded. */
  readonly masqueradeAll: boolean
  /** Bit of the packet's mark (0-31) that asks for masquerading: of iptables, and of nftables where pods are told by interface. */
  readonly masqueradeBit: number
  readonly localDetector: LocalDetector
  /** From which cluster IPs are taken: packets to those of no Service are dropped (nftables only). Absent: not known. */
  readonly serviceCIDRs?: ReadonlyArray<string>
  /** Node ports are answered on 127.0.0.1 too (iptables only; sets route_localnet). */
  readonly localhostNodePorts: boolean
  readonly ipvs: IpvsSettings
}

/** All that should be in the kernel. */
export interface Desired {
  readonly rules: Iterable<ServiceRules>
  /** Addresses of this node on which node ports are answered, both families; iptables takes `0.0.0.0/0` and `::/0` for all. */
  readonly nodePortAddresses: ReadonlyArray<string>
  /** Health check node ports: answered by the agent, and not to be rejected. */
  readonly healthCheckPorts: ReadonlyArray<number>
}

export interface Change {
  readonly key: string
  /** What is in force from now on; undefined: it goes. */
  readonly rules: ServiceRules | undefined
}

/**
 * `ToolMissing`: a program that is needed is not there; `Unsupported`: the kernel lacks something; `NoPermission`: not
 * root; `Busy`: it can be tried again at once; `Refused`: the kernel took none of it and will not take it again as it
 * is; `Failed`: anything else.
 */
export class DataplaneError extends Schema.TaggedError<DataplaneError>()("DataplaneError", {
  reason: Schema.Literals(["ToolMissing", "Unsupported", "NoPermission", "Busy", "Refused", "Failed"]),
  operation: Schema.String,
  /** Says what is missing and how to mend it. */
  message: Schema.String,
  /** The kernel's, where it gave one: 22. */
  errno: Schema.optionalKey(Schema.Int)
}) {}

/** What the kernel did not take although all the rest is in force. */
export interface Refusal {
  readonly key: string
  readonly message: string
}

export interface Applied {
  readonly refused: ReadonlyArray<Refusal>
}

export interface Repaired extends Applied {
  /** Entries of ours that were not there, were other than they should be, and that had no business in what is ours. */
  readonly missing: number
  readonly altered: number
  readonly unexpected: number
  /** Some of them, as people name them; at most `maxExamples`. */
  readonly examples: ReadonlyArray<string>
}

export const maxExamples = 16

/** Something that a mode needs and that is not there. */
export interface Missing {
  readonly what: string
  /** How to mend it, in one sentence. */
  readonly remedy: string
}

/** Rules of ours in one table. */
export interface RuleCount {
  readonly family: IpFamily
  readonly table: string
  readonly total: number
  /** Written by the last change. */
  readonly last: number
}

export class Dataplane extends Context.Service<
  Dataplane,
  {
    readonly mode: ProxyMode
    /** What this machine lacks for the mode; nothing: it can be used. Changes nothing. */
    readonly missing: Effect.Effect<ReadonlyArray<Missing>>
    /** Sets the kernel parameters that the mode needs and that are not so already; tells each that was set. */
    readonly prepare: Effect.Effect<ReadonlyArray<SysctlSet>>
    /**
     * Reads back what is ours in the kernel, and makes it what is desired, in steps between which every packet of a
     * Service that stays is served. Comes first in the agent's life: what an earlier one left is taken over. Never touches
     * what is others'.
     */
    readonly resync: (desired: Desired) => Effect.Effect<Repaired, DataplaneError>
    /** Changes of some rules since the last `resync` or `apply`; all of them or, with an error, none known to be in force. */
    readonly apply: (changes: ReadonlyArray<Change>) => Effect.Effect<Applied, DataplaneError>
    /**
     * Whether the kernel says that nobody else has changed anything since the last `resync` or `apply`, which went well: then
     * a comparison would find nothing. Costs the same however much there is. Absent: only a comparison tells.
     */
    readonly undisturbed?: Effect.Effect<boolean, DataplaneError>
    /** Hints that somebody else changed something of ours. Never ends; never ticks where the kernel cannot tell. */
    readonly disturbances: Stream.Stream<void>
    /** Where rules are counted one by one, as people do with iptables. */
    readonly ruleCounts?: () => ReadonlyArray<RuleCount>
    /** Removes everything that any life of the agent made in this mode; tells what, as people name it. */
    readonly cleanup: Effect.Effect<ReadonlyArray<string>, DataplaneError>
  }
>()("chronode/Dataplane") {}
