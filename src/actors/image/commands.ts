/** What an image's actor can be told: by pods, by the outcome of its own work, and by the clock. */
import { Schema } from "effect"
import { ImagePullPolicy } from "../../events/kinds/image.ts"
import { TimerFired } from "../kernel/behavior.ts"

const text = Schema.String
const at = Schema.Finite

/** `image`: as the pod writes it; `pod`: `namespace/name`. */
export const RequestImage = Schema.TaggedStruct("RequestImage", { at, image: text, pod: text, policy: ImagePullPolicy })
export const ReleaseImage = Schema.TaggedStruct("ReleaseImage", { at, pod: text })

/** It was looked for on the node: it is there, it is not, or the runtime could not say. */
export const ImagePresent = Schema.TaggedStruct("ImagePresent", { at, imageId: text })
export const ImageAbsent = Schema.TaggedStruct("ImageAbsent", { at })
export const InspectFailed = Schema.TaggedStruct("InspectFailed", { at, message: text })

/** `duration` in milliseconds. */
export const PullSucceeded = Schema.TaggedStruct("PullSucceeded", { at, imageId: text, duration: Schema.Int })
export const PullFailed = Schema.TaggedStruct("PullFailed", { at, message: text })

export const ImageCommand = Schema.Union([
  RequestImage,
  ReleaseImage,
  ImagePresent,
  ImageAbsent,
  InspectFailed,
  PullSucceeded,
  PullFailed,
  TimerFired
])
export type ImageCommand = typeof ImageCommand.Type
