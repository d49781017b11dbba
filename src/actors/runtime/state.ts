/** What is known of the container runtime: reachable or not, its version and conditions, sandboxes of no pod, and what is being removed. */
import type { HandlerFeatures } from "../../adapters/cri/port.ts"
import type { EventOf, EventsOf } from "../../events/catalogue.ts"
import type { runtimeEvents } from "../../events/kinds/runtime.ts"
import type { Decision } from "../kernel/decision.ts"

export type RuntimeEvent = EventsOf<typeof runtimeEvents>

export interface Orphan {
  readonly sandboxId: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** Something that nobody needs any more. */
export type Garbage = Omit<EventOf<"GarbageFound">, "_tag" | "reason">

export interface RuntimeState {
  readonly status: "unknown" | "connected" | "disconnected"
  readonly endpoint: string
  readonly name: string
  readonly version: string
  readonly apiVersion: string
  readonly events: boolean
  readonly cgroupDriver: "cgroupfs" | "systemd" | "unknown"
  /** Both absent where no event has told of them. */
  readonly handlers?: ReadonlyArray<HandlerFeatures>
  readonly supplementalGroupsPolicy?: boolean
  readonly conditions: Readonly<
    Record<string, { readonly status: boolean; readonly reason: string; readonly message: string }>
  >
  readonly orphans: ReadonlyArray<Orphan>
  /** What is being removed; absent: nothing ever was. */
  readonly garbage?: ReadonlyArray<Garbage>
  /** The disk of images is too full, and nothing can be done about it. */
  readonly isImageSpaceShort?: boolean
  /** No look at all containers has been finished for too long. */
  readonly unhealthy?: { readonly message: string; readonly because: string }
  readonly because: string
}

export type RuntimeDecision = Decision<RuntimeState, RuntimeEvent>
