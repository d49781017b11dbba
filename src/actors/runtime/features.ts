/** What the container runtime can: as its actor knows it, or asked of the runtime where the actor has not heard yet. */
import { Context, Effect } from "effect"
import {
  ContainerRuntime,
  type CriError,
  type HandlerFeatures,
  type Mount,
  type RuntimeStatus,
  type RuntimeVersion
} from "../../adapters/cri/port.ts"
import type { RuntimeState } from "./state.ts"

export type RuntimeFeatures = Pick<RuntimeStatus, "handlers" | "supplementalGroupsPolicy">

/** A look at the runtime's actor: its committed state, now. */
export class RuntimeView extends Context.Service<RuntimeView, { readonly state: () => RuntimeState | undefined }>()(
  "chronode/RuntimeView"
) {}

export const runtimeFeatures: Effect.Effect<RuntimeFeatures, CriError, ContainerRuntime | RuntimeView> = Effect.gen(
  function* () {
    const known = (yield* RuntimeView).state()
    if (known?.status === "connected" && known.handlers !== undefined) {
      return { handlers: known.handlers, supplementalGroupsPolicy: known.supplementalGroupsPolicy ?? false }
    }
    return yield* (yield* ContainerRuntime).status
  }
)

type Version = Pick<RuntimeVersion, "runtimeName" | "runtimeVersion">

export const runtimeVersion: Effect.Effect<Version, CriError, ContainerRuntime | RuntimeView> = Effect.gen(
  function* () {
    const known = (yield* RuntimeView).state()
    if (known?.status === "connected") return { runtimeName: known.name, runtimeVersion: known.version }
    return yield* (yield* ContainerRuntime).version
  }
)

/** The first version that can something, by the runtime's name. */
type Since = ReadonlyMap<string, readonly [major: number, minor: number]>

/** Images as mounts, and directories of them (KEP-4639): CRI has no sign for either, and what does not know of them mounts something else without a word. */
const imageMounts: Since = new Map([
  ["containerd", [2, 1]],
  ["cri-o", [1, 31]]
])
const imageSubPaths: Since = new Map([
  ["containerd", [2, 2]],
  ["cri-o", [1, 33]]
])

/** Undefined: it can, as far as is known. */
const whyNot = ({ runtimeName, runtimeVersion: version }: Version, what: string, table: Since): string | undefined => {
  const since = table.get(runtimeName)
  const [, major, minor] = /^v?(\d+)\.(\d+)/u.exec(version) ?? []
  if (since === undefined || major === undefined) return undefined
  const [m, n] = [Number(major), Number(minor)]
  if (m > since[0] || (m === since[0] && n >= since[1])) return undefined
  return `${runtimeName} ${version} cannot mount ${what}; ${since.join(".")} and newer can`
}

/** What of a container's mounts this runtime cannot do with images; undefined: nothing, as far as is known. */
export const whyNoImageMounts = (version: Version, mounts: ReadonlyArray<Mount>): string | undefined => {
  const ofImages = mounts.filter(({ image }) => image !== undefined)
  if (ofImages.length === 0) return undefined
  return (
    whyNot(version, "images as volumes", imageMounts) ??
    (ofImages.some(({ imageSubPath }) => imageSubPath !== undefined)
      ? whyNot(version, "a directory of an image (subPath)", imageSubPaths)
      : undefined)
  )
}

/** `handler`: "" is the runtime's default. What is not told is not there (`pkg/kubelet/container/runtime.go` RuntimeHandlers). */
export const featuresOfHandler = ({ handlers }: RuntimeFeatures, handler: string): HandlerFeatures =>
  handlers.find(({ name }) => name === handler) ?? {
    name: handler,
    recursiveReadOnlyMounts: false,
    userNamespaces: false
  }
