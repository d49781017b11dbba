/** Which actors the node's API has. */
import { type ActorId, actorId } from "../../events/actor-id.ts"

/** The server's own: where it listens, whom it refused. */
export const apiServer = (node: string): ActorId => actorId("api", "", node)

/** That of one pod: who has streams into it. */
export const apiOfPod = (namespace: string, pod: string): ActorId => actorId("api", namespace, pod)

export const isServer = (id: ActorId): boolean => id.namespace === ""
