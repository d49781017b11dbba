/**
 * Facts about the node's HTTP API: who was let into a pod, who was refused, where it listens. One actor for the server itself, named
 * after the node, and one for each pod that somebody has streams into. Never what was sent or printed: of a command its program
 * and the number of its arguments, for these may be secrets.
 */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"

const text = Schema.String
const optional = Schema.optionalKey

export const ApiListenerName = Schema.Literals(["tls", "read-only", "healthz", "local"])

/** Who asked, and from where. */
export const apiCaller = {
  /** As certificate or token say; `root` on the local socket. */
  user: text,
  /** The first 32. */
  groups: Schema.Array(text),
  /** `10.0.0.1:41200`; empty on the local socket. */
  from: text,
  listener: ApiListenerName
}

interface Caller {
  readonly user: string
  readonly from: string
  readonly listener: string
}
const by = (e: Caller): string => `${e.user === "" ? "nobody known" : e.user}${e.from === "" ? "" : ` from ${e.from}`}`

/** A connection into a pod. */
const stream = {
  /** Names this one: its end says it again. */
  session: text,
  podUid: text
}

/** How a stream ended. */
export const StreamOutcome = Schema.Literals(["completed", "failed", "idle", "stopped", "unknown"])
const ended = {
  ...stream,
  /**
   * `completed`: one of the two sides closed it; `failed`: it did not come to run, or broke; `idle`: nothing was sent for
   * streamingConnectionIdleTimeout; `stopped`: the agent closed it when it stopped; `unknown`: the agent ended meanwhile.
   */
  outcome: StreamOutcome,
  message: optional(text),
  /** Milliseconds. */
  duration: optional(Schema.Int),
  /** From the client into the pod, as they were on the wire. */
  bytesIn: optional(Schema.Int),
  bytesOut: optional(Schema.Int)
}

interface End {
  readonly outcome: string
  readonly message?: string
  readonly duration?: number
}
const how = ({ outcome, message, duration }: End): string => {
  const after = duration === undefined ? "" : ` after ${(duration / 1000).toFixed(1)} s`
  return `${outcome === "completed" ? "ended" : `ended (${outcome})`}${after}${message === undefined ? "" : `: ${message}`}`
}
const severityOfEnd = ({ outcome }: End) => (outcome === "failed" ? "WARN" : "INFO")

export const ApiListening = defineEvent("ApiListening", {
  kind: "api",
  about: "The node's HTTP API answers at this address.",
  fields: {
    listener: ApiListenerName,
    /** `127.0.0.1:10250`, or the path of a socket. */
    address: text,
    /** SHA-256 of the certificate (DER), hexadecimal. */
    certificate: optional(text),
    notAfter: optional(Timestamp),
    /** The certificate was made by the agent. */
    selfMade: optional(Schema.Boolean)
  },
  tell: (e) =>
    `the API answers at ${e.address} (${e.listener}${e.notAfter === undefined ? "" : `, certificate until ${e.notAfter}`})`
})

export const ApiListenFailed = defineEvent("ApiListenFailed", {
  kind: "api",
  severity: "ERROR",
  about: "The node's HTTP API cannot listen at this address; pods run on, and it is tried again.",
  fields: { listener: ApiListenerName, address: text, message: text },
  tell: (e) => `the API cannot listen at ${e.address} (${e.listener}): ${e.message}`
})

export const ReadOnlyPortOpened = defineEvent("ReadOnlyPortOpened", {
  kind: "api",
  severity: "WARN",
  about:
    "The configuration asks for a port that answers everybody, without TLS: pods and figures can be read there, nothing can be done.",
  fields: { address: text },
  tell: (e) =>
    `anybody can read pods and figures at ${e.address}: the read-only port has neither TLS nor authentication`
})

export const CertificateReloaded = defineEvent("CertificateReloaded", {
  kind: "api",
  about: "The certificate of the API changed; new connections get it.",
  fields: { certificate: text, notAfter: Timestamp },
  tell: (e) => `the API has a new certificate, until ${e.notAfter}`
})

export const CertificateRefused = defineEvent("CertificateRefused", {
  kind: "api",
  severity: "ERROR",
  about: "The files of the certificate changed and cannot be used; the API goes on with the one before.",
  fields: { message: text },
  tell: (e) => `the new certificate cannot be used: ${e.message}`
})

export const CertificateExpiring = defineEvent("CertificateExpiring", {
  kind: "api",
  severity: "WARN",
  about: "The certificate of the API ends soon, or has ended. Told once for each certificate.",
  fields: { certificate: text, notAfter: Timestamp },
  tell: (e) => `the certificate of the API ends at ${e.notAfter}`
})

export const ApiRequestRefused = defineEvent("ApiRequestRefused", {
  kind: "api",
  severity: "WARN",
  about:
    "A request was refused: nobody known sent it (401), or somebody without the right (403). At most 60 a minute are told one by one.",
  fields: {
    ...apiCaller,
    verb: text,
    /** Without the query; the first 512 characters. */
    path: text,
    status: Schema.Int,
    reason: text
  },
  tell: (e) => `${by(e)} was refused ${e.verb} ${e.path} (${e.status}): ${e.reason}`
})

export const ApiRefusalsOmitted = defineEvent("ApiRefusalsOmitted", {
  kind: "api",
  severity: "WARN",
  about: "More requests were refused within a minute than are told one by one.",
  fields: {
    /** Those that were not told. */
    count: Schema.Int,
    since: Timestamp
  },
  tell: (e) => `${e.count} more requests were refused since ${e.since}`
})

export const ExecStarted = defineEvent("ExecStarted", {
  kind: "api",
  about: "Somebody runs a command in a container. Written before the runtime is asked for it.",
  fields: {
    ...stream,
    container: text,
    containerId: text,
    ...apiCaller,
    /** `run`: without streams, its output is the answer. */
    through: Schema.Literals(["exec", "run"]),
    /** The first word of the command, its first 128 characters. */
    program: text,
    /** Words that follow it; what they are is not written down. */
    arguments: Schema.Int,
    stdin: Schema.Boolean,
    tty: Schema.Boolean
  },
  tell: (e) =>
    `${by(e)} runs ${e.program}${e.arguments === 0 ? "" : ` with ${e.arguments} arguments`} in ${e.container}${e.tty ? " (terminal)" : ""}`
})

export const ExecEnded = defineEvent("ExecEnded", {
  kind: "api",
  severityOf: severityOfEnd,
  about: "A command that somebody ran in a container has ended, or its connection has.",
  fields: { ...ended, container: text, exitCode: optional(Schema.Int) },
  tell: (e) =>
    `the command in ${e.container} ${how(e)}${e.exitCode === undefined ? "" : ` with exit code ${e.exitCode}`}`
})

export const AttachStarted = defineEvent("AttachStarted", {
  kind: "api",
  about: "Somebody attaches to a container's own process. Written before the runtime is asked for it.",
  fields: { ...stream, container: text, containerId: text, ...apiCaller, stdin: Schema.Boolean, tty: Schema.Boolean },
  tell: (e) => `${by(e)} attaches to ${e.container}${e.stdin ? " with stdin" : ""}`
})

export const AttachEnded = defineEvent("AttachEnded", {
  kind: "api",
  severityOf: severityOfEnd,
  about: "Somebody is not attached to a container any more.",
  fields: { ...ended, container: text },
  tell: (e) => `the attachment to ${e.container} ${how(e)}`
})

export const PortForwardStarted = defineEvent("PortForwardStarted", {
  kind: "api",
  about: "Somebody opens connections to ports of the pod. Written before the runtime is asked for it.",
  fields: {
    ...stream,
    ...apiCaller,
    /** Those that are named in the request; over SPDY each connection names its own, and this is empty. */
    ports: Schema.Array(Schema.Int)
  },
  tell: (e) => `${by(e)} forwards ${e.ports.length === 0 ? "ports" : `port ${e.ports.join(", ")}`} of the pod`
})

export const PortForwardEnded = defineEvent("PortForwardEnded", {
  kind: "api",
  severityOf: severityOfEnd,
  about: "Ports of the pod are not forwarded to somebody any more.",
  fields: ended,
  tell: (e) => `forwarding of ports ${how(e)}`
})

export const CheckpointRequested = defineEvent("CheckpointRequested", {
  kind: "api",
  about:
    "Somebody wants the memory and the state of a container in a file. Written before the runtime is asked for it.",
  fields: {
    ...stream,
    container: text,
    containerId: text,
    ...apiCaller,
    /** File that the runtime makes. */
    location: text
  },
  tell: (e) => `${by(e)} wants a checkpoint of ${e.container}`
})

export const CheckpointCreated = defineEvent("CheckpointCreated", {
  kind: "api",
  about: "The memory and the state of a container are in a file; all its secrets are in there too.",
  fields: {
    ...stream,
    container: text,
    location: text,
    /** Milliseconds. */
    duration: Schema.Int
  },
  tell: (e) => `a checkpoint of ${e.container} is in ${e.location}`
})

export const CheckpointFailed = defineEvent("CheckpointFailed", {
  kind: "api",
  severity: "WARN",
  about: "The runtime made no checkpoint of the container; or the agent ended meanwhile, and it is not known.",
  fields: { ...stream, container: text, message: text },
  tell: (e) => `no checkpoint of ${e.container}: ${e.message}`
})

export const apiEvents = [
  ApiListening,
  ApiListenFailed,
  ReadOnlyPortOpened,
  CertificateReloaded,
  CertificateRefused,
  CertificateExpiring,
  ApiRequestRefused,
  ApiRefusalsOmitted,
  ExecStarted,
  ExecEnded,
  AttachStarted,
  AttachEnded,
  PortForwardStarted,
  PortForwardEnded,
  CheckpointRequested,
  CheckpointCreated,
  CheckpointFailed
] as const
