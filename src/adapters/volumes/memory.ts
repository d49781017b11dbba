/** `Volumes` in memory, for tests and simulated nodes: a small host whose paths are put there by hand. */
import { Context, Effect, Layer, Result } from "effect"
import { filesPlugins, isName, plugins, subPathsDirectory, subPathTarget, volumePath } from "./layout.ts"
import { cleanPayload } from "./payload.ts"
import {
  type HostPathType,
  type ProjectedFile,
  SubPathError,
  VolumeError,
  type VolumeRequest,
  Volumes
} from "./port.ts"

export type HostFile = "directory" | "file" | "socket" | "character device" | "block device"

/** The other end: what is on the host, and what goes wrong. */
export class VolumesControl extends Context.Service<
  VolumesControl,
  {
    readonly put: (path: string, what: HostFile) => Effect.Effect<void>
    /** A file of this text. */
    readonly write: (path: string, text: string) => Effect.Effect<void>
    /** `mount` or `unmount` of the volumes for which `matches` holds fails from now on; `undefined`: no more. */
    readonly fail: (
      operation: "mount" | "unmount",
      matches: (podUid: string, volume: string) => boolean,
      message: string | undefined
    ) => Effect.Effect<void>
    /** A file of a mounted volume, by its path on the host. */
    readonly file: (path: string) => Effect.Effect<ProjectedFile | undefined>
    /** Takes down what the kernel forgets when the node is started anew: what was in memory. */
    readonly reboot: Effect.Effect<void>
    /** Paths of what is on the host now, sorted. */
    readonly paths: Effect.Effect<ReadonlyArray<string>>
  }
>()("chronode/VolumesControl") {}

const rootDir = "/var/lib/chronode"
/** kubelet's words for each. */
const described: Readonly<Record<HostFile, string>> = {
  directory: "a directory",
  file: "a file",
  socket: "a socket file",
  "character device": "a character device",
  "block device": "a block device"
}
const wanted: Readonly<Record<Exclude<HostPathType, "">, HostFile>> = {
  Directory: "directory",
  DirectoryOrCreate: "directory",
  File: "file",
  FileOrCreate: "file",
  Socket: "socket",
  CharDevice: "character device",
  BlockDevice: "block device"
}

export const make = Effect.sync(() => {
  const host = new Map<string, HostFile>()
  const contents = new Map<string, { readonly files: ReadonlyMap<string, ProjectedFile>; readonly memory: boolean }>()
  const texts = new Map<string, string>()
  const rules: Array<{
    readonly operation: "mount" | "unmount"
    readonly matches: (podUid: string, volume: string) => boolean
    readonly message: string | undefined
  }> = []

  const problemOf = (operation: "mount" | "unmount", podUid: string, volume: string): string | undefined =>
    isName(podUid) && isName(volume)
      ? rules.findLast((r) => r.operation === operation && r.matches(podUid, volume))?.message
      : `${JSON.stringify(`${podUid}/${volume}`)} cannot be a directory's name`

  const hostPathProblem = (path: string, type: HostPathType): string | undefined => {
    if (type === "") return undefined
    if (!host.has(path) && type.endsWith("OrCreate")) host.set(path, wanted[type])
    return host.get(path) === wanted[type]
      ? undefined
      : `hostPath type check failed: ${path} is not ${described[wanted[type]]}`
  }

  const pathOf = ({ podUid, name, source }: VolumeRequest): string =>
    source.kind === "hostPath"
      ? source.path
      : volumePath(rootDir, podUid, source.kind === "files" ? source.plugin : "empty-dir", name)

  const mount = (request: VolumeRequest): Effect.Effect<string, VolumeError> =>
    Effect.suspend(() => {
      const { podUid, name, source } = request
      const path = pathOf(request)
      const payload = source.kind === "files" ? cleanPayload(source.files) : undefined
      const problem =
        problemOf("mount", podUid, name) ??
        (source.kind === "hostPath" ? hostPathProblem(path, source.type) : undefined) ??
        (payload !== undefined && Result.isFailure(payload) ? payload.failure : undefined)
      if (problem !== undefined) return new VolumeError({ podUid, volume: name, message: problem })
      if (source.kind !== "hostPath") host.set(path, "directory")
      if (payload !== undefined && Result.isSuccess(payload) && source.kind === "files") {
        contents.set(path, { files: payload.success, memory: source.memory })
      }
      return Effect.succeed(path)
    })

  const volumes = Volumes.of({
    mount,
    mountSubPath: (request) =>
      Effect.suspend(() => {
        const { podUid, volume, volumePath: within, subPath } = request
        const refuse = (step: "create" | "prepare", message: string) =>
          new SubPathError({ step, podUid, volume, message })
        const problem = problemOf("mount", podUid, volume)
        if (problem !== undefined) return refuse("prepare", problem)
        if (!isName(request.container)) {
          return refuse("prepare", `${JSON.stringify(request.container)} cannot be a directory's name`)
        }
        if (subPath.split("/").includes("..")) return refuse("create", `${subPath} is outside of ${within}`)
        if (!host.has(within)) return refuse("create", `${within} does not exist`)
        if (!host.has(`${within}/${subPath}`)) host.set(`${within}/${subPath}`, "directory")
        const target = subPathTarget(rootDir, request)
        host.set(target, host.get(`${within}/${subPath}`)!)
        return Effect.succeed(target)
      }),
    readFile: (podUid, volume, within, path) =>
      Effect.suspend(() => {
        const text = texts.get(`${within}/${path}`)
        return text === undefined || path.split("/").includes("..")
          ? new VolumeError({ podUid, volume, message: `${within}/${path} does not exist` })
          : Effect.succeed(text)
      }),
    unmount: (podUid, name) =>
      Effect.suspend(() => {
        const problem = problemOf("unmount", podUid, name)
        if (problem !== undefined) return new VolumeError({ podUid, volume: name, message: problem })
        const subPaths = `${subPathsDirectory(rootDir, podUid)}/${name}`
        const own = [subPaths, ...plugins.map((plugin) => volumePath(rootDir, podUid, plugin, name))]
        for (const path of [...host.keys(), ...contents.keys()]) {
          if (!own.some((directory) => `${path}/`.startsWith(`${directory}/`))) continue
          host.delete(path)
          contents.delete(path)
        }
        return Effect.void
      }),
    hasFiles: (podUid, name) =>
      Effect.sync(() => filesPlugins.some((plugin) => contents.has(volumePath(rootDir, podUid, plugin, name)))),
    onNode: Effect.sync(() => {
      const own = /^\/var\/lib\/chronode\/pods\/([^/]+)\/(?:volumes\/[^/]+\/([^/]+)$|volume-subpaths\/([^/]+)\/)/u
      const found = new Map<string, { readonly podUid: string; readonly name: string }>()
      for (const path of host.keys()) {
        const [, podUid, ofVolume, ofSubPath] = own.exec(path) ?? []
        const name = ofVolume ?? ofSubPath
        if (podUid !== undefined && name !== undefined) found.set(`${podUid}/${name}`, { podUid, name })
      }
      return [...found.values()]
    })
  })
  const control = VolumesControl.of({
    put: (path, what) => Effect.sync(() => void host.set(path, what)),
    write: (path, text) =>
      Effect.sync(() => {
        host.set(path, "file")
        texts.set(path, text)
      }),
    fail: (operation, matches, message) => Effect.sync(() => void rules.push({ operation, matches, message })),
    file: (path) =>
      Effect.sync(() => {
        for (const [volume, { files }] of contents) {
          if (path.startsWith(`${volume}/`)) return files.get(path.slice(volume.length + 1))
        }
        return undefined
      }),
    reboot: Effect.sync(() => {
      for (const [path, { memory }] of contents) if (memory) contents.delete(path)
    }),
    paths: Effect.sync(() => [...host.keys()].sort())
  })
  return Context.make(Volumes, volumes).pipe(Context.add(VolumesControl, control))
})

export const layer: Layer.Layer<Volumes | VolumesControl> = Layer.effectContext(make)
