/** The image's actor, live: it looks for the image, has it pulled, and tells the pods that wait. */
import { Clock, Effect, Result, Semaphore } from "effect"
import type { Credentials } from "../../adapters/credentials/port.ts"
import { ContainerRuntime } from "../../adapters/cri/port.ts"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import type { ReportImage } from "../pod/commands.ts"
import type { ImageCommand } from "./commands.ts"
import { imageDecider } from "./decider.ts"
import { partsOf } from "./identity.ts"
import { defaultImageOptions, type ImageOptions, PullLimiter } from "./pull-limits.ts"
import { pullImage, withTag } from "./pulling.ts"
import { parseReference } from "./reference.ts"
import type { ImageEvent, ImageState } from "./state.ts"

export type ImageNeeds = ContainerRuntime | Credentials
type Work = Effect.Effect<ReadonlyArray<Outgoing>, never, ContainerRuntime>

const toSelf = (id: ActorId, command: ImageCommand): ReadonlyArray<Outgoing> => [{ to: id, command }]

const check = (id: ActorId): Work =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const result = yield* Effect.result(runtime.imageStatus(withTag(partsOf(id).image)))
    const at = yield* Clock.currentTimeMillis
    if (Result.isFailure(result)) return toSelf(id, { _tag: "InspectFailed", at, message: result.failure.message })
    const image = result.success
    return toSelf(
      id,
      image === undefined ? { _tag: "ImageAbsent", at } : { _tag: "ImagePresent", at, imageId: image.id }
    )
  })

type Told = Omit<typeof ReportImage.Type, "_tag" | "at" | "image">

const report = (image: string, pods: ReadonlyArray<string>, outcome: Told): Work =>
  Effect.map(Clock.currentTimeMillis, (at) =>
    pods.map((pod) => {
      const slash = pod.indexOf("/")
      const command: typeof ReportImage.Type = { _tag: "ReportImage", at, image, ...outcome }
      return { to: actorId("pod", pod.slice(0, slash), pod.slice(slash + 1)), command }
    })
  )

export const makeImageBehavior = (
  options: ImageOptions
): Behavior<ImageState, ImageCommand, ImageEvent, ImageNeeds> => {
  const limits = { turns: Semaphore.makeUnsafe(options.maxParallelPulls), limiter: new PullLimiter(options) }
  return {
    ...imageDecider,
    react: ({ event }, _, id) => {
      switch (event._tag) {
        case "ImageRequested":
          return event.policy === "Always" || "problem" in parseReference(event.image) ? [] : check(id)
        case "ImageFound":
        case "ImagePulled":
          return report(event.image, event.pods ?? [], { outcome: "present", imageId: event.imageId })
        case "ImagePullFailed": {
          const { image, reason, message, attempt, retryAt, pods } = event
          return report(image, pods ?? [], {
            outcome: "failed",
            reason,
            message,
            attempt,
            ...(retryAt === undefined ? {} : { retryAt })
          })
        }
        case "ImagePullQueued":
        case "ImagePullStarted":
        case "ImageReleased":
          return []
      }
    },
    /** A pull goes on from its queueing to its end, and is called off where nobody wants it any more before it begins. */
    observe: (state, id) => {
      const because = state.queued ?? state.pulling?.queued ?? state.pulling?.because
      if (because === undefined) return []
      return [{ key: `pull ${because}`, because, run: (emit) => pullImage(limits, state, id, emit) }]
    },
    resume: (state, id) => (state.checking ? [check(id)] : [])
  }
}

export const imageBehavior = makeImageBehavior(defaultImageOptions)
