/** What is known of a container's log while it is being rotated. */
import type { ActorId } from "../../events/actor-id.ts"
import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { logEvents } from "../../events/kinds/log.ts"

export type LogEvent = EventsOf<typeof logEvents>

export interface Rotation {
  /** The failed one waits for `retryAt`. */
  readonly status: "rotating" | "failed"
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly attempt: number
  readonly path: string
  readonly sizeBytes: number
  /** In a row. */
  readonly failures: number
  /** Milliseconds since the epoch. */
  readonly retryAt: number | null
  /** Id of the event that last changed it. */
  readonly because: string
}

export interface LogState {
  readonly rotation: Rotation | null
}

export const initialLog: LogState = { rotation: null }

/** The actor's name is `<pod>.<container>`, and only the pod's own name may hold dots. */
export const podOfLog = (id: ActorId): string => id.name.slice(0, id.name.lastIndexOf("."))

export const evolveLog = (state: LogState, event: LogEvent, meta: EventMeta): LogState => {
  switch (event._tag) {
    case "LogRotationRequested": {
      const { _tag, ...asked } = event
      const failures = state.rotation?.containerId === event.containerId ? state.rotation.failures : 0
      return { rotation: { ...asked, status: "rotating", failures, retryAt: null, because: meta.id } }
    }
    case "LogRotationFailed": {
      const { failures, retryAt } = event
      return state.rotation === null
        ? state
        : { rotation: { ...state.rotation, status: "failed", failures, retryAt: millis(retryAt), because: meta.id } }
    }
    case "LogRotated":
    case "LogRotationDropped":
      return initialLog
  }
}
