/** `Volumes` on this node's file systems. */
import { mkdir, realpath } from "node:fs/promises"
import { Effect, Layer, Semaphore } from "effect"
import { readBeneath } from "./beneath.ts"
import { unmountVolume, volumesOnNode } from "./directories.ts"
import { mountEmptyDir } from "./empty-dir.ts"
import { hasFiles, mountFiles } from "./files.ts"
import { mountHostPath } from "./host-path.ts"
import { isName } from "./layout.ts"
import { maxVolumeFileBytes, SubPathError, VolumeError, type VolumeRequest, Volumes } from "./port.ts"
import { cleanSubPaths, mountSubPath, SubPathFailed } from "./sub-path.ts"

export interface VolumesOptions {
  /** Directory under which `pods/<uid>/` holds a pod's files; absolute. */
  readonly rootDir: string
}

/** Runs what concerns one pod's volumes one after another, in order of asking: they share directories. */
const makeTurns = () => {
  const turns = new Map<string, { readonly semaphore: Semaphore.Semaphore; waiting: number }>()
  return <A, E>(key: string, run: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const turn = turns.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), waiting: 0 }
      turns.set(key, turn)
      turn.waiting += 1
      return Effect.ensuring(
        turn.semaphore.withPermit(run),
        Effect.sync(() => {
          turn.waiting -= 1
          if (turn.waiting === 0) turns.delete(key)
        })
      )
    })
}

/** Free of symbolic links, as the kernel lists its mount points. */
const resolveRoot = async (rootDir: string): Promise<string> => {
  await mkdir(rootDir, { recursive: true })
  return realpath(rootDir)
}

/** `execFile` puts what the command said behind its own words. */
const messageOf = (error: unknown): string => {
  const said = (error as { readonly stderr?: string }).stderr?.trim()
  if (said !== undefined && said !== "") return said
  return error instanceof Error ? error.message : String(error)
}

export const make = ({ rootDir }: VolumesOptions) => {
  const inTurn = makeTurns()
  const attempt = <A>(podUid: string, volume: string, run: () => Promise<A>): Effect.Effect<A, VolumeError> =>
    isName(podUid) && isName(volume)
      ? inTurn(
          podUid,
          // Half of it done is no state to leave: it is quick, or bounded by the commands' own time.
          Effect.uninterruptible(
            Effect.tryPromise({
              try: run,
              catch: (error) => new VolumeError({ podUid, volume, message: messageOf(error) })
            })
          )
        )
      : new VolumeError({
          podUid,
          volume,
          message: `${JSON.stringify(`${podUid}/${volume}`)} cannot be a directory's name`
        })

  const mounted = async (request: VolumeRequest): Promise<string> => {
    const { source } = request
    switch (source.kind) {
      case "emptyDir":
        return mountEmptyDir(await resolveRoot(rootDir), request, source)
      case "hostPath":
        return mountHostPath(source.path, source.type)
      case "files":
        return mountFiles(await resolveRoot(rootDir), request, source)
    }
  }

  return Volumes.of({
    mount: (request) => attempt(request.podUid, request.name, () => mounted(request)),
    mountSubPath: (request) => {
      const { podUid, volume, container } = request
      const refuse = (error: { readonly message: string }) =>
        new SubPathError({
          step: error instanceof SubPathFailed ? error.step : "prepare",
          podUid,
          volume,
          message: messageOf(error)
        })
      if (![podUid, volume, container].every(isName))
        return refuse(new Error(`${container} cannot be a directory's name`))
      return inTurn(
        podUid,
        Effect.uninterruptible(
          Effect.tryPromise({
            try: async () => mountSubPath(await resolveRoot(rootDir), request),
            catch: (error) => refuse(error as Error)
          })
        )
      )
    },
    readFile: (podUid, volume, volumePath, path) =>
      attempt(podUid, volume, () => readBeneath(volumePath, path, maxVolumeFileBytes)),
    unmount: (podUid, name) =>
      attempt(podUid, name, async () => {
        const root = await resolveRoot(rootDir)
        await cleanSubPaths(root, podUid, name)
        await unmountVolume(root, podUid, name)
      }),
    hasFiles: (podUid, name) => attempt(podUid, name, async () => hasFiles(await resolveRoot(rootDir), podUid, name)),
    onNode: Effect.tryPromise({
      try: async () => volumesOnNode(await resolveRoot(rootDir)),
      catch: (error) => new VolumeError({ podUid: "", volume: "", message: messageOf(error) })
    })
  })
}

export const layer = (options: VolumesOptions): Layer.Layer<Volumes> => Layer.sync(Volumes, () => make(options))
