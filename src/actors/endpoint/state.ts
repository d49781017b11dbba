/**
 * What is known of an endpoint. There may be 100,000 of them: one flat object each, which the table of Services
 * (../service/table.ts) holds too, and nothing in the state of another actor grows with them.
 */
import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { endpointEvents } from "../../events/kinds/endpoint.ts"
import type { EndpointConditions, EndpointFacts, Protocol } from "../../events/service-shape.ts"
import { makeSharedTexts } from "../../events/shared-text.ts"

export type EndpointEvent = EventsOf<typeof endpointEvents>

export interface Endpoint extends EndpointFacts {
  readonly service: string
  readonly portName: string
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
  /** `pod namespace/name` or `slice namespace/name` */
  readonly from: string
  /** When it came to be as ready as it is, milliseconds since the epoch. */
  readonly since: number
}

/** Null: there is none, or not any more. */
export type EndpointState = Endpoint | null

export const initialEndpoint: EndpointState = null

export const evolveEndpoint = (state: EndpointState, event: EndpointEvent, meta: EventMeta): EndpointState => {
  switch (event._tag) {
    case "EndpointAdded":
    case "EndpointChanged": {
      const { _tag, ...told } = event
      const endpoint = sharing(told)
      return { ...endpoint, since: sameConditions(state, endpoint) ? state.since : millis(meta.time) }
    }
    case "EndpointReady":
      return turned(state, { ready: true, serving: true, terminating: false }, meta)
    case "EndpointUnready":
      return turned(state, { ready: false, serving: false, terminating: false }, meta)
    case "EndpointDraining":
      return turned(state, { ready: false, serving: event.serving, terminating: true }, meta)
    case "EndpointRemoved":
      return null
  }
}

/** Names that thousands of endpoints have in common. */
const shared = makeSharedTexts(16_384)
const sharing = (told: Omit<Endpoint, "since">): Omit<Endpoint, "since"> => ({
  ...told,
  service: shared(told.service),
  portName: shared(told.portName),
  protocol: shared(told.protocol) as Endpoint["protocol"],
  from: shared(told.from),
  ...(told.node === undefined ? {} : { node: shared(told.node) }),
  ...(told.zone === undefined ? {} : { zone: shared(told.zone) })
})

const sameConditions = (state: EndpointState, now: EndpointConditions): state is Endpoint =>
  state !== null && state.ready === now.ready && state.serving === now.serving && state.terminating === now.terminating

const turned = (state: EndpointState, now: EndpointConditions, meta: EventMeta): EndpointState =>
  state === null ? null : { ...state, ...now, since: millis(meta.time) }
