/** `Volumes` in memory, for tests and simulated nodes: a small host whose paths are put there by hand. */
import { Context, Effect, Layer } from "effect"
import { emptyDirPath, isName } from "./layout.ts"
import { type HostPathType, VolumeError, type VolumeRequest, Volumes } from "./port.ts"

export type HostFile = "directory" | "file" | "socket" | "character device" | "block device"

/** The other end: what is on the host, and what goes wrong. */
export class VolumesControl extends Context.Service<
  VolumesControl,
  {
    readonly put: (path: string, what: HostFile) => Effect.Effect<void>
    /** `mount` or `unmount` of the volumes for which `matches` holds fails from now on; `undefined`: no more. */
    readonly fail: (
      operation: "mount" | "unmount",
      matches: (podUid: string, volume: string) => boolean,
      message: string | undefined
    ) => Effect.Effect<void>
    /** Paths of what is on the host now, sorted. */
    readonly paths: Effect.Effect<ReadonlyArray<string>>
  }
>()("chronode/VolumesControl") {}

const rootDir = "/var/lib/chronode"
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
    const found = host.get(path)
    if (found === undefined) return `${path} does not exist (hostPath type ${type})`
    return found === wanted[type] ? undefined : `${path} is no ${wanted[type]} (hostPath type ${type})`
  }

  const mount = ({ podUid, name, source }: VolumeRequest): Effect.Effect<string, VolumeError> =>
    Effect.suspend(() => {
      const path = source.kind === "hostPath" ? source.path : emptyDirPath(rootDir, podUid, name)
      const problem =
        problemOf("mount", podUid, name) ??
        (source.kind === "hostPath" ? hostPathProblem(path, source.type) : undefined)
      if (problem !== undefined) return new VolumeError({ podUid, volume: name, message: problem })
      if (source.kind === "emptyDir") host.set(path, "directory")
      return Effect.succeed(path)
    })

  const volumes = Volumes.of({
    mount,
    unmount: (podUid, name) =>
      Effect.suspend(() => {
        const problem = problemOf("unmount", podUid, name)
        if (problem !== undefined) return new VolumeError({ podUid, volume: name, message: problem })
        host.delete(emptyDirPath(rootDir, podUid, name))
        return Effect.void
      })
  })
  const control = VolumesControl.of({
    put: (path, what) => Effect.sync(() => void host.set(path, what)),
    fail: (operation, matches, message) => Effect.sync(() => void rules.push({ operation, matches, message })),
    paths: Effect.sync(() => [...host.keys()].sort())
  })
  return Context.make(Volumes, volumes).pipe(Context.add(VolumesControl, control))
})

export const layer: Layer.Layer<Volumes | VolumesControl> = Layer.effectContext(make)
