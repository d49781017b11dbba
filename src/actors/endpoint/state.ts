/**
 * What is known of an endpoint. There may be 100,000 of them: one flat object each, which the table of Services
 * (../service/table.ts) holds too, and nothing in the state of another actor grows with them.
 */
import type { EventsOf } from "../../events/catalogue.ts"
import type { endpointEvents } from "../../events/kinds/endpoint.ts"
import type { EndpointFacts, Protocol } from "../../events/service-shape.ts"

export type EndpointEvent = EventsOf<typeof endpointEvents>

export interface Endpoint extends EndpointFacts {
  readonly service: string
  readonly portName: string
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
  /** `pod namespace/name` or `slice namespace/name` */
  readonly from: string
}

/** Null: there is none, or not any more. */
export type EndpointState = Endpoint | null

export const initialEndpoint: EndpointState = null

export const evolveEndpoint = (state: EndpointState, event: EndpointEvent): EndpointState => {
  switch (event._tag) {
    case "EndpointAdded":
    case "EndpointChanged": {
      const { _tag, ...endpoint } = event
      return endpoint
    }
    case "EndpointReady":
      return state === null ? null : { ...state, ready: true, serving: true, terminating: false }
    case "EndpointUnready":
      return state === null ? null : { ...state, ready: false, serving: false, terminating: false }
    case "EndpointDraining":
      return state === null ? null : { ...state, ready: false, serving: event.serving, terminating: true }
    case "EndpointRemoved":
      return null
  }
}
