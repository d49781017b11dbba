/** What of the configuration and the node eviction goes by. */
import { Context, type Effect } from "effect"
import type { EvictionSettings } from "./state.ts"

export class EvictionOptions extends Context.Service<
  EvictionOptions,
  {
    /** As the configuration has them now. */
    readonly settings: () => EvictionSettings
    /** Cgroup of all pods; absent: there is none of them. */
    readonly podsCgroup?: string
  }
>()("chronode/EvictionOptions") {}

/** What the node can do without: answers how many bytes became free, as far as that is known. Fails never. */
export interface Reclaimed {
  readonly freedBytes: number
  /** What went wrong meanwhile. */
  readonly message?: string
}

export class NodeReclaim extends Context.Service<
  NodeReclaim,
  {
    /** Containers that have ended, all but those that pods go by (kubelet's DeleteAllUnusedContainers). */
    readonly containers: Effect.Effect<Reclaimed>
    /** Images that no container uses (kubelet's DeleteUnusedImages). */
    readonly images: Effect.Effect<Reclaimed>
  }
>()("chronode/NodeReclaim") {}
