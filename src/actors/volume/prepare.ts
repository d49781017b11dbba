/** Preparing a volume: what it is to hold is looked up and handed to the port, with what the pod's limits say of it. */
import { Clock, Effect, Result } from "effect"
import { Manifests } from "../../adapters/manifests/port.ts"
import {
  type FilesPlugin,
  type HostPathType,
  type VolumeError,
  type VolumeRequest,
  Volumes
} from "../../adapters/volumes/port.ts"
import type { Volume } from "../../events/pod-spec.ts"
import { sandboxAnnotations } from "../pod/labels.ts"
import { Pods } from "../pod/pods.ts"
import { PodSettings } from "../pod/settings.ts"
import type { PolicyPod } from "../pod/spec-extension.ts"
import type { VolumeCommand } from "./commands.ts"
import {
  type ContentProblem,
  contentOf,
  contentText,
  type Found,
  foundKey,
  isOfFiles,
  referencesOf
} from "./content.ts"
import { memorySize, pageSize } from "./empty-dir-size.ts"
import { nestedMounts } from "./nested-mounts.ts"

export type VolumeNeeds = Manifests | Pods | PodSettings | Volumes

export interface Asked {
  readonly podUid: string
  readonly namespace: string
  readonly volume: Volume
  readonly fsGroup: number | undefined
}

/** The pod as the downward API shows it: a pod of a directory has kubelet's annotations of where it came from. */
const podOf = (podUid: string) =>
  Effect.map(Pods, (pods): PolicyPod | undefined => {
    const state = pods.all().find(({ state: s }) => s.definition?.pod.metadata.uid === podUid)?.state
    const pod = state?.definition?.pod
    if (state === undefined || pod === undefined) return undefined
    const annotations = sandboxAnnotations(pod, { source: "file", seenAt: state.startTime })
    return { ...pod, metadata: { ...pod.metadata, annotations } }
  })

const allocatable = Effect.map(PodSettings, ({ offer }) => offer?.allocatable ?? {})

const utf8 = new TextEncoder()

const lookUp = ({ namespace, volume }: Asked): Effect.Effect<Found, ContentProblem, Manifests> =>
  Effect.gen(function* () {
    const { objects } = yield* Manifests
    const found = new Map<string, ReadonlyMap<string, Uint8Array>>()
    for (const reference of referencesOf(volume)) {
      if (reference.kind === "ConfigMap") {
        const object = yield* objects.configMap(namespace, reference.name)
        if (object === undefined) continue
        const texts = Object.entries(object.data).map(([key, text]) => [key, utf8.encode(text)] as const)
        found.set(foundKey(reference), new Map([...texts, ...Object.entries(object.binaryData)]))
      } else {
        const object = yield* objects.secret(namespace, reference.name)
        if (object !== undefined) found.set(foundKey(reference), new Map(Object.entries(object.data)))
      }
    }
    return found
  }).pipe(Effect.mapError(({ message }) => ({ message, awaitsObject: false })))

const pluginOf = ({ configMap, secret, downwardAPI }: Volume): FilesPlugin => {
  if (configMap !== undefined) return "configmap"
  if (secret !== undefined) return "secret"
  return downwardAPI === undefined ? "projected" : "downward-api"
}

type Source = VolumeRequest["source"]
interface Prepared {
  readonly source: Source
  readonly hash?: string
}
type Preparation = Effect.Effect<Prepared, ContentProblem, Exclude<VolumeNeeds, Volumes>>

const filesSource = (asked: Asked): Preparation =>
  Effect.gen(function* () {
    const { volume, podUid } = asked
    const pod = yield* podOf(podUid)
    if (pod === undefined) return yield* Effect.fail({ message: `pod ${podUid} is not known`, awaitsObject: false })
    const found = yield* lookUp(asked)
    const offer = yield* allocatable
    const files = yield* Effect.fromResult(contentOf(volume, found, pod, offer))
    const { objects } = yield* Manifests
    // kubelet keeps only ConfigMaps on the disk.
    const memory = volume.configMap === undefined
    const size = memory ? memorySize(undefined, pod, offer) : undefined
    return {
      source: {
        kind: "files",
        plugin: pluginOf(volume),
        memory,
        ...(size === undefined ? {} : { sizeLimitBytes: size }),
        files,
        nested: nestedMounts(pod, volume.name)
      },
      hash: objects.fingerprint(contentText(files))
    }
  })

const emptyDirSource = ({ podUid, volume }: Asked): Preparation =>
  Effect.gen(function* () {
    const { medium = "", sizeLimit } = volume.emptyDir ?? {}
    if (medium === "") return { source: { kind: "emptyDir", medium } }
    const pod = yield* podOf(podUid)
    if (medium === "Memory") {
      const size = memorySize(sizeLimit, pod, yield* allocatable)
      return { source: { kind: "emptyDir", medium, ...(size === undefined ? {} : { sizeLimitBytes: size }) } }
    }
    const bytes = pageSize(medium, pod)
    if (Result.isFailure(bytes)) return yield* Effect.fail({ message: bytes.failure, awaitsObject: false })
    return { source: { kind: "emptyDir", medium: "HugePages", pageSizeBytes: bytes.success } }
  })

const sourceOf = (asked: Asked): Preparation => {
  const { hostPath } = asked.volume
  if (hostPath !== undefined) {
    const type = (hostPath.type ?? "") as HostPathType
    return Effect.succeed({ source: { kind: "hostPath", path: hostPath.path, type } })
  }
  return isOfFiles(asked.volume) ? filesSource(asked) : emptyDirSource(asked)
}

const failed = (
  asked: Asked,
  { message, awaitsObject }: ContentProblem
): Effect.Effect<VolumeCommand, never, Volumes> =>
  Effect.gen(function* () {
    const { podUid, volume } = asked
    const volumes = yield* Volumes
    const kept =
      isOfFiles(volume) && (yield* Effect.catch(volumes.hasFiles(podUid, volume.name), () => Effect.succeed(false)))
    return {
      _tag: "MountFailed",
      at: yield* Clock.currentTimeMillis,
      podUid,
      message,
      ...(kept ? { kept: true } : {}),
      ...(awaitsObject ? { awaitsObject: true } : {})
    }
  })

/** Answers what came of it. A volume that is there already is brought up to date. */
export const prepareVolume = (asked: Asked): Effect.Effect<VolumeCommand, never, VolumeNeeds> =>
  Effect.gen(function* () {
    const volumes = yield* Volumes
    const { podUid, volume, fsGroup } = asked
    const { source, hash } = yield* sourceOf(asked)
    const path = yield* volumes.mount({
      podUid,
      name: volume.name,
      source,
      ...(fsGroup === undefined ? {} : { fsGroup })
    })
    const told: VolumeCommand = {
      _tag: "MountSucceeded",
      at: yield* Clock.currentTimeMillis,
      podUid,
      path,
      ...(hash === undefined ? {} : { hash })
    }
    return told
  }).pipe(
    Effect.catch((error: ContentProblem | VolumeError) =>
      failed(asked, { message: error.message, awaitsObject: "awaitsObject" in error && error.awaitsObject })
    )
  )
