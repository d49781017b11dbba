/** What a Service's actor is told: by the directory of manifests, and by what puts Services into the kernel. */
import { Schema } from "effect"
import { ServiceProblem, ServiceProgrammed } from "../../events/kinds/service.ts"
import { ServiceSpec } from "../../events/service-shape.ts"

const text = Schema.String
const opt = Schema.optionalKey
const at = Schema.Finite

/** `spec`: with what this node chose. With `problems` it cannot be served, and `spec` is left as it is. */
export const DeclareService = Schema.TaggedStruct("DeclareService", {
  at,
  spec: ServiceSpec,
  file: text,
  hash: text,
  allotted: opt(Schema.Array(text)),
  problems: opt(Schema.Array(ServiceProblem))
})
export type DeclareService = typeof DeclareService.Type

export const RemoveService = Schema.TaggedStruct("RemoveService", { at })
export type RemoveService = typeof RemoveService.Type

/** The kernel has what the Service needs. Becomes `ServiceProgrammed` where that is news. */
export const ReportProgrammed = Schema.TaggedStruct("ReportProgrammed", { at, ...ServiceProgrammed.fields })
export type ReportProgrammed = typeof ReportProgrammed.Type

/** Endpoints of a slice that cannot be used. */
export const RejectEndpoints = Schema.TaggedStruct("RejectEndpoints", {
  at,
  slice: text,
  file: text,
  /** SHA-256 of the slice, hex: what was said of it is not said again. */
  hash: text,
  endpoints: Schema.Array(Schema.Struct({ address: text, line: opt(Schema.Int), field: opt(text), message: text }))
})
export type RejectEndpoints = typeof RejectEndpoints.Type

export const ServiceCommand = Schema.Union([DeclareService, RemoveService, ReportProgrammed, RejectEndpoints])
export type ServiceCommand = typeof ServiceCommand.Type
