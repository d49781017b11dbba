/** What is known of an image while pods wait for it. Nothing is kept beyond that: the runtime knows what it has. */
import type { ActorId } from "../../events/actor-id.ts"
import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { ImagePullPolicy, imageEvents } from "../../events/kinds/image.ts"
import { imageOfActor } from "./identity.ts"
import type { Grant } from "./verification.ts"

export type ImageEvent = EventsOf<typeof imageEvents>
export type PullPolicy = typeof ImagePullPolicy.Type

export interface WaitingPod {
  /** `namespace/name` */
  readonly pod: string
  readonly policy: PullPolicy
  /** Id of the event by which it asked. */
  readonly because: string
}

export interface ImageState {
  /** As pods write it. */
  readonly image: string
  readonly waiting: ReadonlyArray<WaitingPod>
  /** Names of the Secrets that all who wait have; absent: they have none. */
  readonly secrets?: ReadonlyArray<string>
  /** It is being looked for on the node. */
  readonly checking: boolean
  /** Id of the event by which it is to be pulled; absent: it is not, or it is being pulled. */
  readonly queued?: string
  /** Id of the event that began the pull that is under way, since when (ms), and by which event it was queued. */
  readonly pulling: { readonly because: string; readonly since: number; readonly queued?: string } | null
  /** Failures in a row. */
  readonly failures: number
  /** Whom pulls gave it, oldest first; absent: nothing is to be remembered. */
  readonly grants?: ReadonlyArray<Grant>
  /** Back-off: when it is tried again (ms), and the failure that led to it. */
  readonly retry: { readonly at: number; readonly because: string } | null
}

export const emptyImage = (image: string): ImageState => ({
  image,
  waiting: [],
  checking: false,
  pulling: null,
  failures: 0,
  retry: null
})
export const initialImage = (id: ActorId): ImageState => emptyImage(imageOfActor(id))

/** Failures that are found without pulling. */
const withoutPull = new Set(["ErrImageNeverPull", "ImageInspectError", "InvalidImageName"])

/** Images of one name (its tag moves on) and Secrets of which grants are kept. */
const maxGrants = 20

/** Nothing is under way. What was granted stands. */
const idle = ({ image, grants }: ImageState): ImageState => withGrants(emptyImage(image), grants ?? [])

const withGrants = (state: ImageState, grants: ReadonlyArray<Grant>): ImageState => {
  const { grants: _, ...rest } = state
  return grants.length === 0 ? rest : { ...rest, grants: grants.slice(-maxGrants) }
}

const isSame = (a: Grant, b: Grant): boolean =>
  a.imageId === b.imageId &&
  a.secret?.namespace === b.secret?.namespace &&
  a.secret?.name === b.secret?.name &&
  a.secret?.hash === b.secret?.hash

/** Nobody waits and nothing is under way: all is forgotten but what was granted. */
const settled = (state: ImageState): ImageState =>
  state.waiting.length === 0 && state.pulling === null ? idle(state) : state

const without = (waiting: ImageState["waiting"], pods: ReadonlyArray<string>): ImageState["waiting"] =>
  waiting.filter(({ pod }) => !pods.includes(pod))

export const evolveImage = (state: ImageState, event: ImageEvent, meta: EventMeta): ImageState => {
  switch (event._tag) {
    case "ImageRequested": {
      const { pod, policy, secrets } = event
      const others = state.waiting.filter((w) => w.pod !== pod || w.policy !== policy)
      return {
        ...state,
        waiting: [...others, { pod, policy, because: meta.id }],
        ...(secrets === undefined ? {} : { secrets }),
        checking: state.checking || policy !== "Always"
      }
    }
    case "ImageFound":
      // Who insists on pulling goes on waiting, in a back-off too.
      return settled({ ...state, waiting: state.waiting.filter(({ policy }) => policy === "Always"), checking: false })
    case "ImagePullQueued":
      return { ...state, checking: false, retry: null, queued: meta.id }
    case "ImagePullStarted": {
      const { queued, ...rest } = state
      const pulling = { because: meta.id, since: millis(meta.time), ...(queued === undefined ? {} : { queued }) }
      return { ...rest, checking: false, retry: null, pulling }
    }
    case "ImagePulled": {
      if (event.grant === undefined) return idle(state)
      const grant: Grant = { imageId: event.imageId, ...event.grant }
      return withGrants(idle(state), [...(state.grants ?? []).filter((known) => !isSame(known, grant)), grant])
    }
    case "ImageGrantsDropped":
      return withGrants(
        state,
        (state.grants ?? []).filter(({ imageId }) => imageId !== event.imageId)
      )
    case "ImagePullFailed":
      return settled({
        ...state,
        waiting: event.retryAt === undefined ? without(state.waiting, event.pods ?? []) : state.waiting,
        checking: false,
        pulling: withoutPull.has(event.reason) ? state.pulling : null,
        failures: event.attempt,
        retry: event.retryAt === undefined ? null : { at: millis(event.retryAt), because: meta.id }
      })
    case "ImageReleased": {
      const waiting = without(state.waiting, [event.pod])
      return settled({
        ...state,
        waiting,
        checking: state.checking && waiting.some(({ policy }) => policy !== "Always")
      })
    }
  }
}
