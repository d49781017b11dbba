/** Who an image runs as, asked of the runtime once: pods that start together are often of one image. */
import { Effect } from "effect"
import type { ContainerRuntime, CriError } from "../../../adapters/cri/port.ts"
import { type ImageUser, imageUser } from "../security/security.ts"

type Runtime = ContainerRuntime["Service"]

/** Images whose user is remembered; a node has hundreds at most. */
const maxKnown = 1_000
/** An id that is the digest of the image's configuration, which says the user: it is of no other image, ever. */
const digest = /^(?:sha256:)?[0-9a-f]{64}$/u

const known = new WeakMap<Runtime, Map<string, ImageUser>>()

/** `imageId`: as the runtime names the image. One that is not there runs as root, and cannot be run. */
export const userOfImage = (runtime: Runtime, imageId: string): Effect.Effect<ImageUser, CriError> =>
  Effect.suspend(() => {
    const users = known.get(runtime) ?? new Map<string, ImageUser>()
    const user = users.get(imageId)
    if (user !== undefined) return Effect.succeed(user)
    return Effect.map(runtime.imageStatus(imageId), (image) => {
      const asked = imageUser(image ?? { uid: undefined, username: "" })
      if (image === undefined || !digest.test(imageId)) return asked
      if (users.size >= maxKnown) users.clear()
      known.set(runtime, users.set(imageId, asked))
      return asked
    })
  })
