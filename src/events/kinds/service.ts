/** Facts about Services. One actor per Service. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"
import { IpFamily, Protocol, ServiceSpec } from "../service-shape.ts"

const text = Schema.String
const opt = Schema.optionalKey

const declared = {
  spec: ServiceSpec,
  /** Full path of the file that declares it. */
  file: text,
  /** SHA-256 of the declaration, hex. */
  hash: text,
  /** Fields that nobody gave and that this node chose: `clusterIPs`, `ports[0].nodePort`. */
  allotted: opt(Schema.Array(text))
} as const

const ports = (spec: ServiceSpec): string =>
  spec.ports
    .map(({ protocol, port, nodePort }) => `${port}${nodePort === undefined ? "" : `:${nodePort}`}/${protocol}`)
    .join(", ")

const addresses = (spec: ServiceSpec): string =>
  spec.clusterIPs.length === 0 ? "no cluster IP" : spec.clusterIPs.join(", ")

export const ServiceDeclared = defineEvent("ServiceDeclared", {
  kind: "service",
  about: "A Service is declared; its endpoints are looked for, and this node is to answer for its addresses.",
  fields: declared,
  tell: (e) => `${e.spec.type} Service with ${addresses(e.spec)}, ports ${ports(e.spec)}`
})

export const ServiceChanged = defineEvent("ServiceChanged", {
  kind: "service",
  about: "The Service is declared in another form now.",
  fields: declared,
  tell: (e) => `changed: ${e.spec.type} Service with ${addresses(e.spec)}, ports ${ports(e.spec)}`
})

export const ServiceRemoved = defineEvent("ServiceRemoved", {
  kind: "service",
  about: "The Service is not declared any more; this node answers for it no longer.",
  fields: { file: text },
  tell: () => "not declared any more"
})

export const ServiceProblem = Schema.Struct({
  /** Path of the field: `spec.ports[1].nodePort`. */
  field: opt(text),
  message: text,
  /** 1-based, in the file of the declaration. */
  line: opt(Schema.Int),
  /** `namespace/name` of the Service that has what this one asks for. */
  holder: opt(text)
})
export type ServiceProblem = typeof ServiceProblem.Type

export const ServiceRejected = defineEvent("ServiceRejected", {
  kind: "service",
  severity: "ERROR",
  about:
    "The Service cannot be served as it is declared, or asks for what an older one has. What was declared before stays in force; it is taken up when what hinders it is gone.",
  fields: { file: text, hash: text, problems: Schema.Array(ServiceProblem) },
  tell: (e) =>
    `rejected: ${e.problems.map((p) => `${p.field === undefined ? "" : `${p.field}: `}${p.message}`).join("; ")}`
})

export const ServiceProgrammed = defineEvent("ServiceProgrammed", {
  kind: "service",
  about:
    "The kernel has what this Service needs now. Written when servers came or went, and once for each change of the Service.",
  fields: {
    /** Servers that came and went by this, over all ports and families: `10.0.0.1:80`; at most 32 are told of each. */
    added: Schema.Array(text),
    removed: Schema.Array(text),
    /** Present where not all are told: how many came and went. */
    addedCount: opt(Schema.Int),
    removedCount: opt(Schema.Int),
    /** Milliseconds that the transaction took, of all Services that were in it. */
    duration: Schema.Finite,
    /** Milliseconds from the event that asked for it to the kernel's acknowledgement. */
    latency: Schema.Finite,
    /** Servers that get new connections now, by port and family. */
    serving: Schema.Array(
      Schema.Struct({ port: text, protocol: Protocol, family: IpFamily, cluster: Schema.Int, local: Schema.Int })
    ),
    /** Of all that the kernel has of the Service, hex: equal where that is. */
    digest: opt(text)
  },
  tell: (e) => {
    const count = (all: ReadonlyArray<string>, n: number | undefined) => n ?? all.length
    const added = count(e.added, e.addedCount)
    const removed = count(e.removed, e.removedCount)
    return `programmed in ${e.duration.toFixed(1)} ms: ${added} added, ${removed} removed`
  }
})

export const EndpointRejected = defineEvent("EndpointRejected", {
  kind: "service",
  severity: "ERROR",
  about: "An endpoint of an EndpointSlice cannot be used. The other endpoints of the Service are.",
  fields: {
    slice: text,
    file: text,
    /** SHA-256 of the slice, hex. */
    hash: text,
    line: opt(Schema.Int),
    field: opt(text),
    address: text,
    message: text
  },
  tell: (e) =>
    `${e.file}${e.line === undefined ? "" : `:${e.line}`}: ${e.field === undefined ? "" : `${e.field}: `}${e.message}`
})

export const serviceEvents = [
  ServiceDeclared,
  ServiceChanged,
  ServiceRemoved,
  ServiceRejected,
  ServiceProgrammed,
  EndpointRejected
] as const
