/** The image's actor, live: it looks for the image, has it pulled, and tells the pods that wait. */
import { Clock, Effect, Result, Semaphore } from "effect"
import { ContainerRuntime } from "../../adapters/cri/port.ts"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { Behavior, Observation, Outgoing } from "../kernel/behavior.ts"
import type { ReportImage } from "../pod/commands.ts"
import { type RuntimeReach, whenReached } from "../runtime/reach.ts"
import type { ImageCommand } from "./commands.ts"
import { imageDecider } from "./decider.ts"
import { defaultImageOptions, type ImageOptions, PullLimiter } from "./pull-limits.ts"
import { isUnverified, type PullNeeds, pullImage, requestOf, withTag } from "./pulling.ts"
import { parseReference } from "./reference.ts"
import type { ImageEvent, ImageState } from "./state.ts"
import type { Verification } from "./verification.ts"

export type ImageNeeds = PullNeeds | RuntimeReach
type Work = Effect.Effect<ReadonlyArray<Outgoing>, never, ImageNeeds>

/** Until the first look whether an image that was granted is still on the node, and between looks; milliseconds. */
const firstGrantCheck = 60_000
const grantCheckPeriod = 3_600_000

const toSelf = (id: ActorId, command: ImageCommand): ReadonlyArray<Outgoing> => [{ to: id, command }]

const check = (id: ActorId, state: ImageState, verification: Verification): Work =>
  whenReached(
    Effect.gen(function* () {
      const runtime = yield* ContainerRuntime
      const result = yield* Effect.result(runtime.imageStatus(withTag(state.image)))
      const at = yield* Clock.currentTimeMillis
      if (Result.isFailure(result)) return toSelf(id, { _tag: "InspectFailed", at, message: result.failure.message })
      const image = result.success
      if (image === undefined) return toSelf(id, { _tag: "ImageAbsent", at })
      const unverified = (yield* isUnverified(requestOf(id, state), image.id, verification)) ? { unverified: true } : {}
      return toSelf(id, { _tag: "ImagePresent", at, imageId: image.id, ...unverified })
    })
  )

/** Grants end with their image, so that what is remembered is bounded by what is on the node. */
const watchGrants = (state: ImageState, id: ActorId): ReadonlyArray<Observation<ImageNeeds>> =>
  [...new Set((state.grants ?? []).map(({ imageId }) => imageId))].map((imageId) => ({
    key: `grant ${imageId}`,
    run: (emit) =>
      Effect.gen(function* () {
        const runtime = yield* ContainerRuntime
        yield* Effect.sleep(firstGrantCheck)
        for (;;) {
          const status = yield* Effect.result(runtime.imageStatus(imageId))
          if (Result.isSuccess(status) && status.success === undefined) {
            yield* emit({
              to: id,
              command: { _tag: "ImageGone", at: yield* Clock.currentTimeMillis, imageId } as never
            })
          }
          yield* Effect.sleep(grantCheckPeriod)
        }
      })
  }))

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
  const { verification } = options
  const limits = {
    turns: Semaphore.makeUnsafe(options.maxParallelPulls),
    limiter: new PullLimiter(options),
    verification
  }
  return {
    ...imageDecider,
    react: ({ event }, state, id) => {
      switch (event._tag) {
        case "ImageRequested":
          return event.policy === "Always" || "problem" in parseReference(event.image)
            ? []
            : check(id, state, verification)
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
        case "ImageGrantsDropped":
          return []
      }
    },
    /** A pull goes on from its queueing to its end, and is called off where nobody wants it any more before it begins. */
    observe: (state, id) => {
      const because = state.queued ?? state.pulling?.queued ?? state.pulling?.because
      const grants = watchGrants(state, id)
      if (because === undefined) return grants
      return [
        { key: `pull ${because}`, because, run: (emit) => whenReached(pullImage(limits, state, id, emit)) },
        ...grants
      ]
    },
    resume: (state, id) => (state.checking ? [check(id, state, verification)] : [])
  }
}

export const imageBehavior = makeImageBehavior(defaultImageOptions)
