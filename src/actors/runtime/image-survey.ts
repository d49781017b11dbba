/**
 * Looks at the images of the node: which of them containers use is remembered from look to look (kubelet keeps that in memory
 * too), and now and then the runtime's actor is told of those that may go. What goes is said by image-collection.ts.
 */
import { Clock, Context, Duration, Effect } from "effect"
import { ContainerRuntime, type CriError, type Image } from "../../adapters/cri/port.ts"
import { detectImages, evictionOrder, type ImageFs, type ImageGcPolicy, type ImageRecords } from "../image/garbage.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { Pods } from "../pod/pods.ts"
import type { PodState } from "../pod/state.ts"
import type { ImagesSurveyed } from "./commands.ts"
import { runtimeActor } from "./identity.ts"
import { RuntimeReach } from "./reach.ts"

/** Between looks at which images are in use. */
export const imageLookPeriod = Duration.minutes(1)
/** kubelet's ImageGCPeriod. */
export const imageCollectionPeriod = Duration.minutes(5)
/** Images that one look tells of; with more, those unused for the longest time. */
export const maxSurveyedImages = 500

export class ImageGc extends Context.Service<
  ImageGc,
  {
    /** As the configuration has it now. */
    readonly policy: () => ImageGcPolicy
    /** The disk that holds images; undefined: nobody tells. Fails never. */
    readonly disk: Effect.Effect<ImageFs | undefined>
    /** What is known of images; lives as long as the agent. */
    readonly memory: { records: ImageRecords; since: number | undefined }
  }
>()("chronode/ImageGc") {
  static readonly make = (policy: () => ImageGcPolicy, disk: Effect.Effect<ImageFs | undefined>) =>
    ImageGc.of({ policy, disk, memory: { records: new Map(), since: undefined } })
}

type Needs = ContainerRuntime | ImageGc | Pods
type Survey = typeof ImagesSurveyed.Type

const imagesOf = ({ containers, imageVolumes = [] }: PodState): ReadonlyArray<string> =>
  [...containers, ...imageVolumes].map(({ imageId }) => imageId)

/** Names and ids by which containers of the runtime (also those that have ended), pods and sandboxes call images now. */
const namesInUse: Effect.Effect<ReadonlySet<string>, CriError, ContainerRuntime | Pods> = Effect.gen(function* () {
  const runtime = yield* ContainerRuntime
  const pods = yield* Pods
  const [containers, sandboxImage = ""] = yield* Effect.all([runtime.listContainers({}), runtime.sandboxImage], {
    concurrency: 2
  })
  const names = [
    ...containers.flatMap(({ image, imageRef }) => [image, imageRef]),
    ...pods.all().flatMap(({ state }) => imagesOf(state)),
    sandboxImage
  ]
  return new Set(names.filter((name) => name !== ""))
})

const isCalled = (names: ReadonlySet<string>, { id, repoTags, repoDigests }: Image): boolean =>
  [id, ...repoTags, ...repoDigests].some((name) => names.has(name))

/** One look. Images that were there at the first may go at once, as with kubelet. */
const look: Effect.Effect<
  { readonly images: ReadonlyArray<Image>; readonly inUse: ReadonlySet<string> },
  CriError,
  Needs
> = Effect.gen(function* () {
  const { memory } = yield* ImageGc
  const runtime = yield* ContainerRuntime
  const [images, names] = yield* Effect.all([runtime.listImages, namesInUse], { concurrency: 2 })
  const inUse = new Set(images.filter((image) => isCalled(names, image)).map(({ id }) => id))
  const now = yield* Clock.currentTimeMillis
  memory.records = detectImages(memory.records, images, inUse, memory.since === undefined ? undefined : now, now)
  memory.since ??= now
  return { images, inUse }
})

/** A look, and what the runtime's actor is to be told of it. */
export const surveyImages = (by: "Period" | "Eviction"): Effect.Effect<Survey, CriError, Needs> =>
  Effect.gen(function* () {
    const { memory, policy, disk } = yield* ImageGc
    const { images, inUse } = yield* look
    const usage = yield* disk
    const at = yield* Clock.currentTimeMillis
    const names = new Map(images.map(({ id, repoTags, repoDigests }) => [id, repoTags[0] ?? repoDigests[0] ?? ""]))
    const unused = evictionOrder(memory.records, inUse)
      .slice(0, maxSurveyedImages)
      .flatMap((key): ReadonlyArray<Survey["unused"][number]> => {
        const record = memory.records.get(key)
        if (record === undefined) return []
        const { id, size, firstDetected, lastUsed } = record
        return [
          {
            ...{ id, name: names.get(id) ?? "", size },
            ...(Number.isFinite(firstDetected) ? { firstDetected } : {}),
            ...(Number.isFinite(lastUsed) ? { lastUsed } : {})
          }
        ]
      })
    return {
      ...({ _tag: "ImagesSurveyed", at, by, policy: policy(), since: memory.since ?? at, unused } as const),
      ...(usage === undefined ? {} : { disk: usage })
    }
  })

export const observeImages = (
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, Needs | RuntimeReach> =>
  Effect.gen(function* () {
    const { reached } = yield* RuntimeReach
    const warned = Effect.catch((error: CriError) => Effect.logWarning(`images: ${error.message}`))
    let collectedAt = yield* Clock.currentTimeMillis
    while (true) {
      yield* reached
      const now = yield* Clock.currentTimeMillis
      if (now - collectedAt < Duration.toMillis(imageCollectionPeriod)) yield* warned(Effect.asVoid(look))
      else {
        collectedAt = now
        yield* warned(
          Effect.flatMap(surveyImages("Period"), (command) =>
            isNoNews(command) ? Effect.void : emit({ to: runtimeActor, command })
          )
        )
      }
      yield* Effect.sleep(imageLookPeriod)
    }
  })

/** Nothing could follow from it, or nothing can be said. */
const isNoNews = ({ unused, disk }: Survey): boolean => unused.length === 0 && disk === undefined

/** An image goes with all its names, unless something uses it by now; answers why it stays. */
export const removeImage = (id: string): Effect.Effect<string | undefined, CriError, ContainerRuntime | Pods> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const [image, names] = yield* Effect.all([runtime.imageStatus(id), namesInUse], { concurrency: 2 })
    if (image === undefined) return undefined
    if (isCalled(names, image)) return "a container uses it by now"
    if (image.pinned) return "the runtime has pinned it by now"
    yield* runtime.removeImage(id)
    return undefined
  })
