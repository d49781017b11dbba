/** The actor of a Service, and how Services are named. */
import { type ActorId, actorId } from "../../events/actor-id.ts"

export const serviceActor = (namespace: string, name: string): ActorId => actorId("service", namespace, name)

/** `namespace/name` */
export const serviceKey = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`
