/** The one actor that puts Services into the kernel. */
import { type ActorId, actorId } from "../../events/actor-id.ts"

export const proxyActor: ActorId = actorId("proxy", "", "services")
