/** What an image's actor can be told: by pods, by the outcome of its own work, and by the clock. */
import { Schema } from "effect"
import { ImagePullPolicy } from "../../events/kinds/image.ts"
import { TimerFired } from "../kernel/behavior.ts"
import { GrantedSecret } from "./verification.ts"

const text = Schema.String
const at = Schema.Finite

/** `image`: as the pod writes it; `pod`: `namespace/name`. */
export const RequestImage = Schema.TaggedStruct("RequestImage", {
  at,
  image: text,
  pod: text,
  policy: ImagePullPolicy,
  secrets: Schema.optionalKey(Schema.Array(text))
})
export const ReleaseImage = Schema.TaggedStruct("ReleaseImage", { at, pod: text })

/** It was looked for on the node: it is there, it is not, or the runtime could not say. */
export const ImagePresent = Schema.TaggedStruct("ImagePresent", {
  at,
  imageId: text,
  /** The pods that ask have yet to prove that they may have it. */
  unverified: Schema.optionalKey(Schema.Boolean)
})
export const ImageAbsent = Schema.TaggedStruct("ImageAbsent", { at })
export const InspectFailed = Schema.TaggedStruct("InspectFailed", { at, message: text })

/** It is its turn to be pulled. `queued`: milliseconds that it waited; `credentials`, `problems`: as in ImagePullStarted. */
export const PullTurn = Schema.TaggedStruct("PullTurn", {
  at,
  queued: Schema.Int,
  credentials: Schema.Array(text),
  problems: Schema.Array(text)
})
/** `duration` in milliseconds; `size` in bytes; `credentials`: those that the registry took. */
export const PullSucceeded = Schema.TaggedStruct("PullSucceeded", {
  at,
  imageId: text,
  duration: Schema.Int,
  size: Schema.optionalKey(Schema.Int),
  credentials: Schema.optionalKey(text),
  grant: Schema.optionalKey(Schema.Struct({ secret: Schema.optionalKey(GrantedSecret) }))
})
export const PullFailed = Schema.TaggedStruct("PullFailed", { at, message: text })

/** The runtime does not have it any more. */
export const ImageGone = Schema.TaggedStruct("ImageGone", { at, imageId: text })

export const ImageCommand = Schema.Union([
  RequestImage,
  ReleaseImage,
  ImagePresent,
  ImageAbsent,
  InspectFailed,
  PullTurn,
  PullSucceeded,
  PullFailed,
  ImageGone,
  TimerFired
])
export type ImageCommand = typeof ImageCommand.Type
