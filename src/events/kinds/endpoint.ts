/** Facts about endpoints of Services. One actor per port of a Service and address behind it. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"
import { hostPort } from "../ip-address.ts"
import { EndpointFacts, Protocol } from "../service-shape.ts"

const text = Schema.String

const which = {
  /** Name of the Service, in the namespace of the actor. */
  service: text,
  /** Name of the Service's port; empty where it has none. */
  portName: text,
  protocol: Protocol,
  address: text,
  port: Schema.Int
} as const

const at = (e: { readonly address: string; readonly port: number }): string => hostPort(e.address, e.port)

const state = (facts: EndpointFacts): string =>
  facts.terminating ? (facts.serving ? "ending, still answering" : "ending") : facts.ready ? "ready" : "not ready"

export const EndpointAdded = defineEvent("EndpointAdded", {
  kind: "endpoint",
  about: "A server stands behind a Service. Where `ready` is true it gets connections from now on.",
  fields: {
    ...which,
    ...EndpointFacts.fields,
    /** Where it comes from: `pod namespace/name` or `slice namespace/name`. */
    from: text
  },
  tell: (e) => `${at(e)} stands behind ${e.service}${e.portName === "" ? "" : `:${e.portName}`}: ${state(e)}`
})

export const EndpointReady = defineEvent("EndpointReady", {
  kind: "endpoint",
  about: "The server is ready and gets connections.",
  fields: which,
  tell: (e) => `${at(e)} is ready behind ${e.service}`
})

export const EndpointUnready = defineEvent("EndpointUnready", {
  kind: "endpoint",
  severity: "WARN",
  about: "The server is not ready: it gets no new connections. Those it has are left to it.",
  fields: which,
  tell: (e) => `${at(e)} is not ready behind ${e.service}`
})

export const EndpointDraining = defineEvent("EndpointDraining", {
  kind: "endpoint",
  about:
    "The server is being ended: new connections go to others, unless only such servers are left that still answer. Those it has are left to it.",
  fields: { ...which, serving: Schema.Boolean },
  tell: (e) => `${at(e)} is draining behind ${e.service}${e.serving ? ", and still answers" : ""}`
})

export const EndpointChanged = defineEvent("EndpointChanged", {
  kind: "endpoint",
  about: "Something else about the server is new: its node, zone or hints, or where it is declared.",
  fields: { ...which, ...EndpointFacts.fields, from: text },
  tell: (e) => `${at(e)} behind ${e.service}: ${state(e)}`
})

export const EndpointRemoved = defineEvent("EndpointRemoved", {
  kind: "endpoint",
  about: "The server does not stand behind the Service any more.",
  fields: which,
  tell: (e) => `${at(e)} is gone from behind ${e.service}`
})

export const endpointEvents = [
  EndpointAdded,
  EndpointReady,
  EndpointUnready,
  EndpointDraining,
  EndpointChanged,
  EndpointRemoved
] as const
