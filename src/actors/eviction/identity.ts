import { type ActorId, actorId } from "../../events/actor-id.ts"

/** One for the node, whatever its name. */
export const evictionActor: ActorId = actorId("eviction", "", "pods")
