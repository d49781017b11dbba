/** What is known of the API: whether this is its server's actor, and the streams that are open into a pod. */
import type { ActorId } from "../../events/actor-id.ts"
import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { apiEvents } from "../../events/kinds/api.ts"
import { isServer } from "./identity.ts"

export type ApiEvent = EventsOf<typeof apiEvents>

export interface OpenStream {
  readonly session: string
  readonly type: "exec" | "attach" | "portForward" | "checkpoint"
  readonly podUid: string
  /** Empty for forwarded ports. */
  readonly container: string
  readonly user: string
  readonly from: string
  /** Milliseconds since the epoch. */
  readonly since: number
  /** Id of the event that opened it. */
  readonly because: string
}

export interface ApiState {
  readonly isServer: boolean
  readonly open: ReadonlyArray<OpenStream>
  /** Uid of the pod that the last event was about. */
  readonly podUid?: string
}

export const initialApi = (id: ActorId): ApiState => ({ isServer: isServer(id), open: [] })

const types = {
  ExecStarted: "exec",
  AttachStarted: "attach",
  PortForwardStarted: "portForward",
  CheckpointRequested: "checkpoint"
} as const

export const evolveApi = (state: ApiState, event: ApiEvent, meta: EventMeta): ApiState => {
  switch (event._tag) {
    case "ExecStarted":
    case "AttachStarted":
    case "PortForwardStarted":
    case "CheckpointRequested": {
      const { session, podUid, user, from } = event
      const opened: OpenStream = {
        ...{ session, podUid, user, from, type: types[event._tag] },
        container: "container" in event ? event.container : "",
        since: millis(meta.time),
        because: meta.id
      }
      return { ...state, podUid, open: [...state.open, opened] }
    }
    case "ExecEnded":
    case "AttachEnded":
    case "PortForwardEnded":
    case "CheckpointCreated":
    case "CheckpointFailed":
      return {
        ...state,
        podUid: event.podUid,
        open: state.open.filter(({ session }) => session !== event.session)
      }
    default:
      return state
  }
}
