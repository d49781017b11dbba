/** The image's actor, live: it looks for the image, has it pulled, and tells the pods that wait. */
import { Clock, Effect, Result, Semaphore } from "effect"
import { ContainerRuntime } from "../../adapters/cri/port.ts"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import type { ReportImage } from "../pod/commands.ts"
import type { ImageCommand } from "./commands.ts"
import { imageDecider } from "./decider.ts"
import { parseReference } from "./reference.ts"
import type { ImageEvent, ImageState } from "./state.ts"

type Work = Effect.Effect<ReadonlyArray<Outgoing>, never, ContainerRuntime>

export interface ImageOptions {
  /** Pulls of different images at one time; kubelet's maxParallelImagePulls. */
  readonly maxParallelPulls: number
}
export const defaultImageOptions: ImageOptions = { maxParallelPulls: 5 }

const withTag = (image: string): string => {
  const reference = parseReference(image)
  return "problem" in reference ? image : reference.withTag
}

const toSelf = (id: ActorId, command: ImageCommand): ReadonlyArray<Outgoing> => [{ to: id, command }]

const check = (id: ActorId): Work =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const result = yield* Effect.result(runtime.imageStatus(withTag(id.name)))
    const at = yield* Clock.currentTimeMillis
    if (Result.isFailure(result)) return toSelf(id, { _tag: "InspectFailed", at, message: result.failure.message })
    const image = result.success
    return toSelf(
      id,
      image === undefined ? { _tag: "ImageAbsent", at } : { _tag: "ImagePresent", at, imageId: image.id }
    )
  })

const pullNow = (id: ActorId): Work =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const begun = yield* Clock.currentTimeMillis
    const result = yield* Effect.result(runtime.pullImage(withTag(id.name), undefined))
    const at = yield* Clock.currentTimeMillis
    return toSelf(
      id,
      Result.isSuccess(result)
        ? { _tag: "PullSucceeded", at, imageId: result.success, duration: Math.max(0, Math.round(at - begun)) }
        : { _tag: "PullFailed", at, message: result.failure.message }
    )
  })

/** After a restart: the pull may have ended well before it. Who insists on pulling gets it anew; it is quick then. */
const finishPull = (id: ActorId, { waiting, pulling }: ImageState, pull: Work): Work =>
  waiting.some((w) => w.policy === "Always")
    ? pull
    : Effect.gen(function* () {
        const runtime = yield* ContainerRuntime
        const image = yield* runtime.imageStatus(withTag(id.name)).pipe(Effect.catch(() => Effect.succeed(undefined)))
        if (image === undefined) return yield* pull
        const at = yield* Clock.currentTimeMillis
        const duration = Math.max(0, Math.round(at - (pulling?.since ?? at)))
        return toSelf(id, { _tag: "PullSucceeded", at, imageId: image.id, duration })
      })

type Told = Omit<typeof ReportImage.Type, "_tag" | "at" | "image">

const report = (id: ActorId, pods: ReadonlyArray<string>, outcome: Told): Work =>
  Effect.map(Clock.currentTimeMillis, (at) =>
    pods.map((pod) => {
      const slash = pod.indexOf("/")
      const command: typeof ReportImage.Type = { _tag: "ReportImage", at, image: id.name, ...outcome }
      return { to: actorId("pod", pod.slice(0, slash), pod.slice(slash + 1)), command }
    })
  )

export const makeImageBehavior = (
  options: ImageOptions
): Behavior<ImageState, ImageCommand, ImageEvent, ContainerRuntime> => {
  const pulls = Semaphore.makeUnsafe(options.maxParallelPulls)
  const pull = (id: ActorId): Work => pulls.withPermit(pullNow(id))
  return {
    ...imageDecider,
    react: ({ event }, _, id) => {
      switch (event._tag) {
        case "ImageRequested":
          return event.policy === "Always" || "problem" in parseReference(event.image) ? [] : check(id)
        case "ImagePullStarted":
          return pull(id)
        case "ImageFound":
        case "ImagePulled":
          return report(id, event.pods ?? [], { outcome: "present", imageId: event.imageId })
        case "ImagePullFailed": {
          const { reason, message, retryAt, pods } = event
          return report(id, pods ?? [], {
            outcome: "failed",
            reason,
            message,
            ...(retryAt === undefined ? {} : { retryAt })
          })
        }
        case "ImageReleased":
          return []
      }
    },
    resume: (state, id) => [
      ...(state.checking ? [check(id)] : []),
      ...(state.pulling === null ? [] : [finishPull(id, state, pull(id))])
    ]
  }
}

export const imageBehavior = makeImageBehavior(defaultImageOptions)
