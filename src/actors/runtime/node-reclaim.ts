/**
 * What the node gives back before a pod has to go for want of disk: dead containers, also those of pods that have ended, and images
 * that nobody uses. The runtime's actor is told of them as of all garbage, so that each is recorded before it goes; here it is
 * waited for.
 */
import { Clock, Effect, Layer } from "effect"
import { ContainerRuntime } from "../../adapters/cri/port.ts"
import type { Host } from "../../adapters/host/port.ts"
import type { ContainerLogs } from "../../adapters/logs/port.ts"
import type { Volumes } from "../../adapters/volumes/port.ts"
import { NodeReclaim, type Reclaimed } from "../eviction/options.ts"
import type { Pods } from "../pod/pods.ts"
import type { PodSettings } from "../pod/settings.ts"
import { garbageNow } from "./collector.ts"
import type { RuntimeCommand } from "./commands.ts"
import { RuntimeView } from "./features.ts"
import { type ImageGc, surveyImages } from "./image-survey.ts"

type Needs = ContainerLogs | ContainerRuntime | Host | ImageGc | PodSettings | Pods | RuntimeView | Volumes
type Tell = (command: RuntimeCommand) => Effect.Effect<void>

/** Milliseconds between looks at what still has to go. */
const period = 100
/** Milliseconds after which what was told has been taken in. */
const hearing = 1000

/** Answers when nothing of it waits to be removed any more. Who waits bounds it. */
const untilGone = (ids: ReadonlySet<string>): Effect.Effect<void, never, RuntimeView> =>
  Effect.gen(function* () {
    const { state } = yield* RuntimeView
    const isPending = (): boolean => state()?.garbage?.some(({ id }) => ids.has(id)) === true
    const deadline = (yield* Clock.currentTimeMillis) + hearing
    while (!isPending() && (yield* Clock.currentTimeMillis) < deadline) yield* Effect.sleep(period)
    while (isPending()) yield* Effect.sleep(period)
  })

const failed = (error: { readonly message: string }): Reclaimed => ({ freedBytes: 0, message: error.message })

/** How much that frees nobody tells. */
const containers = (tell: Tell): Effect.Effect<Reclaimed, never, Needs> =>
  Effect.gen(function* () {
    const found = yield* garbageNow(true)
    if (found.length > 0) {
      yield* tell({ _tag: "GarbageSeen", at: yield* Clock.currentTimeMillis, found })
      yield* untilGone(new Set(found.map(({ id }) => id)))
    }
    return { freedBytes: 0 }
  }).pipe(Effect.catch((error) => Effect.succeed(failed(error))))

/** As the runtime says of each image; layers that others share stay. */
const images = (tell: Tell): Effect.Effect<Reclaimed, never, Needs> =>
  Effect.gen(function* () {
    const survey = yield* surveyImages("Eviction")
    if (survey.unused.length === 0) return { freedBytes: 0 }
    yield* tell(survey)
    yield* untilGone(new Set(survey.unused.map(({ id }) => id)))
    const left = new Set((yield* (yield* ContainerRuntime).listImages).map(({ id }) => id))
    return { freedBytes: survey.unused.reduce((sum, { id, size }) => sum + (left.has(id) ? 0 : size), 0) }
  }).pipe(Effect.catch((error) => Effect.succeed(failed(error))))

/** @param tell puts a command into the mailbox of the runtime's actor */
export const layer = (tell: Tell): Layer.Layer<NodeReclaim, never, Needs> =>
  Layer.effect(
    NodeReclaim,
    Effect.map(Effect.context<Needs>(), (context) =>
      NodeReclaim.of({
        containers: Effect.provide(containers(tell), context),
        images: Effect.provide(images(tell), context)
      })
    )
  )
