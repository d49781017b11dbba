/** Facts about the node's proxy: what puts Services into the kernel. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"
import { IpFamily } from "../service-shape.ts"

const text = Schema.String
const opt = Schema.optionalKey

export const ProxyMode = Schema.Literals(["nftables", "ipvs", "iptables"])

const missing = Schema.Array(Schema.Struct({ what: text, remedy: text }))

export const ProxyStarted = defineEvent("ProxyStarted", {
  kind: "proxy",
  about: "Services are put into the kernel from now on.",
  fields: {
    mode: ProxyMode,
    /** What was asked for, where the kernel could not do it and another mode was allowed. */
    insteadOf: opt(ProxyMode),
    /** What that mode lacks here. */
    lacking: opt(missing),
    families: Schema.Array(IpFamily),
    /** Addresses on which node ports are answered. */
    nodePortAddresses: Schema.Array(text),
    /** Settings that are not the defaults, by their name in KubeProxyConfiguration, as text. */
    settings: Schema.Record(text, text)
  },
  tell: (e) => {
    const lacks = e.lacking === undefined ? "" : `: ${e.lacking.map(({ what }) => what).join("; ")}`
    const instead = e.insteadOf === undefined ? "" : ` (${e.insteadOf} is not possible here${lacks})`
    return `Services by ${e.mode}${instead} for ${e.families.join(" and ")}`
  }
})

export const ProxyUnavailable = defineEvent("ProxyUnavailable", {
  kind: "proxy",
  severity: "ERROR",
  about: "The kernel or the machine lacks what this mode needs. Services are not served; it is looked at again.",
  fields: {
    mode: ProxyMode,
    missing,
    attempt: Schema.Int,
    retryAt: opt(Timestamp)
  },
  tell: (e) => `Services cannot be served by ${e.mode}: ${e.missing.map((m) => m.what).join("; ")}`
})

export const DataplaneSynced = defineEvent("DataplaneSynced", {
  kind: "proxy",
  about:
    "All Services were compared with the kernel, for the first time in this life of the agent, or after a failure.",
  fields: { services: Schema.Int, endpoints: Schema.Int, duration: Schema.Finite },
  tell: (e) => `the kernel has ${e.services} Services with ${e.endpoints} servers (${e.duration.toFixed(0)} ms)`
})

export const DataplaneFailed = defineEvent("DataplaneFailed", {
  kind: "proxy",
  severity: "ERROR",
  about: "The kernel did not take a change. It is tried again with a back-off; what it has goes on as it is.",
  fields: {
    /** Machine-readable, as in the dataplane's port. */
    reason: text,
    message: text,
    /** `namespace/name` of Services that wait for it; at most 16 are told. */
    services: Schema.Array(text),
    pending: Schema.Int,
    attempt: Schema.Int,
    retryAt: Timestamp
  },
  tell: (e) => `the kernel did not take changes of ${e.pending} Services: ${e.message}`
})

export const DataplaneRecovered = defineEvent("DataplaneRecovered", {
  kind: "proxy",
  about: "The kernel has what it should after changes had failed.",
  fields: { attempts: Schema.Int },
  tell: (e) => `the kernel has what it should after ${e.attempts} ${e.attempts === 1 ? "failure" : "failures"}`
})

export const DataplaneDrifted = defineEvent("DataplaneDrifted", {
  kind: "proxy",
  severity: "WARN",
  about: "Somebody else changed what this node had put into the kernel. It was put right.",
  fields: {
    /** Who noticed: the periodic comparison, the kernel's notification, or a change that met something unexpected. */
    noticedBy: Schema.Literals(["resync", "notification", "change"]),
    /** Entries that were missing, were other than they should be, and had no business there. */
    missing: Schema.Int,
    altered: Schema.Int,
    unexpected: Schema.Int,
    /** Some of them, as people name them; at most 16. */
    examples: Schema.Array(text),
    duration: Schema.Finite
  },
  tell: (e) =>
    `put right in the kernel: ${e.missing} missing, ${e.altered} altered, ${e.unexpected} unexpected entries (noticed by ${e.noticedBy})`
})

export const SysctlChanged = defineEvent("SysctlChanged", {
  kind: "proxy",
  about: "A kernel parameter was set, as Services need it.",
  fields: { name: text, before: opt(text), value: text },
  tell: (e) => `${e.name} = ${e.value}${e.before === undefined ? "" : ` (was ${e.before})`}`
})

export const SysctlFailed = defineEvent("SysctlFailed", {
  kind: "proxy",
  severity: "WARN",
  about: "A kernel parameter could not be set.",
  fields: { name: text, value: text, message: text },
  tell: (e) => `${e.name} could not be set to ${e.value}: ${e.message}`
})

export const StaleFlowsRemoved = defineEvent("StaleFlowsRemoved", {
  kind: "proxy",
  about:
    "Flows in the kernel's table of connections that led to servers which are gone: removed, so that clients reach others.",
  fields: { count: Schema.Int, examples: Schema.Array(text) },
  tell: (e) => `removed ${e.count} stale ${e.count === 1 ? "flow" : "flows"}`
})

const listener = {
  /** Which server: of health, of metrics, or of one Service's health check. */
  server: Schema.Literals(["healthz", "metrics", "health-check"]),
  /** `0.0.0.0:10256` */
  address: text,
  /** `namespace/name`, of a health check. */
  service: opt(text)
} as const

const serverName = (e: { readonly server: string; readonly address: string; readonly service?: string }): string =>
  `${e.server}${e.service === undefined ? "" : ` of ${e.service}`} at ${e.address}`

export const ListenerFailed = defineEvent("ListenerFailed", {
  kind: "proxy",
  severity: "WARN",
  about:
    "An HTTP server of the proxy cannot listen on its address. It is tried again; Services are served all the same.",
  fields: { ...listener, message: text, remedy: text },
  tell: (e) => `${serverName(e)}: ${e.message}`
})

export const ListenerRecovered = defineEvent("ListenerRecovered", {
  kind: "proxy",
  about: "An HTTP server of the proxy that could not listen does now, or is not wanted any more.",
  fields: { ...listener, isWanted: Schema.Boolean },
  tell: (e) => `${serverName(e)} ${e.isWanted ? "listens now" : "is not wanted any more"}`
})

export const proxyEvents = [
  ProxyStarted,
  ProxyUnavailable,
  DataplaneSynced,
  DataplaneFailed,
  DataplaneRecovered,
  DataplaneDrifted,
  SysctlChanged,
  SysctlFailed,
  StaleFlowsRemoved,
  ListenerFailed,
  ListenerRecovered
] as const
