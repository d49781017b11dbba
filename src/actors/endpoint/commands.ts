/** What an endpoint's actor is told: by slices that are declared, and by the pods of this node. */
import { Schema } from "effect"
import { EndpointFacts, Protocol } from "../../events/service-shape.ts"

const text = Schema.String
const at = Schema.Finite

/** Stands behind the Service, with these facts; also where it did before. */
export const DesireEndpoint = Schema.TaggedStruct("DesireEndpoint", {
  at,
  service: text,
  /** Of the Service's port; empty where it has none. */
  portName: text,
  protocol: Protocol,
  /** In the usual form of its family (RFC 5952). */
  address: text,
  port: Schema.Int,
  facts: EndpointFacts,
  /** `pod namespace/name` or `slice namespace/name` */
  from: text
})
export type DesireEndpoint = typeof DesireEndpoint.Type

/** Stands there no longer. `from`: only where that one had put it there. */
export const UndesireEndpoint = Schema.TaggedStruct("UndesireEndpoint", { at, from: Schema.optionalKey(text) })
export type UndesireEndpoint = typeof UndesireEndpoint.Type

export const EndpointCommand = Schema.Union([DesireEndpoint, UndesireEndpoint])
export type EndpointCommand = typeof EndpointCommand.Type
