/** `chronode/client`: a typed subscriber to what Chronode's agents publish on NATS. For Bun, Deno and Node. */
export type { Delivery } from "./delivery.ts"
export {
  type ChronodeEvent,
  type Envelope,
  type EventTag,
  type KnownEvent,
  NoEvent,
  parseEvent,
  type UnknownEvent
} from "./event.ts"
export type * from "./event-data.ts"
export type { EventSelection, StartAt, SubscribeOptions } from "./options.ts"
export { SubscribeError } from "./streams.ts"
export { type Subscription, subscribe } from "./subscribe.ts"
