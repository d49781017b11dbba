/** The runtime's actor: there is one. */
import { actorId } from "../../events/actor-id.ts"

export const runtimeActor = actorId("runtime", "", "cri")
