/** A look at the pods of this node, for those who compare the runtime with them. */
import { Context, type Effect } from "effect"
import type { ActorId } from "../../events/actor-id.ts"
import type { PodState } from "./state.ts"

export class Pods extends Context.Service<
  Pods,
  {
    /** All pods with their committed states, now. */
    readonly all: () => ReadonlyArray<{ readonly id: ActorId; readonly state: PodState }>
    /** Whether this node's journal knows a pod of that uid: it ran here once. */
    readonly everRan: (uid: string) => Effect.Effect<boolean>
  }
>()("chronode/Pods") {}
