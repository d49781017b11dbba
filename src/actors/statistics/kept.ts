/** What costs more than a pass may, and may be older: sizes of volumes and logs, and what the runtime tells. */
import { Clock, Effect, Option } from "effect"
import { ContainerRuntime, type ContainerUsage, type FilesystemUsage } from "../../adapters/cri/port.ts"
import { type DirectoryUsage, FileSystems } from "../../adapters/filesystems/port.ts"
import type { PodFiles, VolumeFigure } from "./assembly.ts"
import { type Figures, makeFigures } from "./figures.ts"
import { CpuRates } from "./rates.ts"
import { defaultMaxAge } from "./statistics.ts"
import type { PodTarget } from "./targets.ts"

/** How old sizes of logs may be, and what the runtime tells of layers and images; milliseconds. */
export const logsAge = 20_000
export const layersAge = 30_000
/** Without cgroups of pods the runtime's figures are all there are. */
const usagesAge = defaultMaxAge / 2
export const imagesAge = 10_000
/** What a pass waits for sizes that nobody has asked for before, milliseconds. */
const sizesPatience = 300
/** The same for answers of the runtime. */
const runtimePatience = 2_000

/** What cannot be had is said once in a while by whoever else needs it; here it is left out. */
export const orAbsent = <A>(
  what: string,
  read: Effect.Effect<A, { readonly message: string }>
): Effect.Effect<A | undefined> =>
  Effect.catch(read, ({ message }) => Effect.as(Effect.logDebug(`statistics without ${what}: ${message}`), undefined))

/** Figures that outlive a pass. */
export interface Kept {
  readonly rates: CpuRates
  readonly volumes: Figures<VolumeFigure>
  readonly files: Figures<PodFiles>
  readonly usages: Figures<ReadonlyMap<string, ContainerUsage>>
  readonly images: Figures<RuntimeFileSystems>
  /** Cgroup of a container or sandbox, by its id. */
  cgroups: ReadonlyMap<string, string>
}

export interface RuntimeFileSystems {
  readonly images?: FilesystemUsage
  readonly layers?: FilesystemUsage
}

/** Key of what there is one of. */
export const all = "all"

const measureVolume =
  (files: FileSystems["Service"]) =>
  (path: string): Effect.Effect<VolumeFigure | undefined> =>
    orAbsent(
      `the size of ${path}`,
      Effect.gen(function* () {
        const on = yield* files.usage(path)
        const above = yield* files.usage(path.slice(0, Math.max(1, path.lastIndexOf("/"))))
        // One that is a file system of its own (medium Memory) says itself what is in it.
        if (on.device === above.device) return { used: yield* files.directory(path), on }
        const at = yield* Clock.currentTimeMillis
        return { used: { bytes: on.capacity - on.free, inodes: on.inodes - on.inodesFree, at }, on }
      })
    )

/** Missing directories are none's fault: a container that has printed nothing has no log. */
const sizeOf = (files: FileSystems["Service"], directory: string, prefix: string) =>
  Effect.catch(files.files(directory, prefix), () => Effect.succeed(undefined))

const hostsFile = "etc-hosts"

const measureFiles = (files: FileSystems["Service"], target: PodTarget): Effect.Effect<PodFiles> =>
  Effect.gen(function* () {
    const logs = new Map<string, DirectoryUsage>()
    for (const { name, logDirectory } of target.containers) {
      const size = yield* sizeOf(files, logDirectory, "")
      if (size !== undefined) logs.set(name, size)
    }
    const others = [yield* sizeOf(files, target.logDirectory, ""), yield* sizeOf(files, target.directory, hostsFile)]
    return { logs, others: others.filter((size) => size !== undefined) }
  })

export const makeKept = (volumeAge: number, perPod: boolean, targetOf: (uid: string) => PodTarget | undefined) =>
  Effect.gen(function* () {
    const files = yield* FileSystems
    const runtime = Option.getOrUndefined(yield* Effect.serviceOption(ContainerRuntime))
    const volumes = yield* makeFigures({ measure: measureVolume(files), maxAge: volumeAge, patience: sizesPatience })
    const podFiles = yield* makeFigures({
      measure: (uid) => {
        const target = targetOf(uid)
        return target === undefined ? Effect.succeed(undefined) : measureFiles(files, target)
      },
      maxAge: logsAge,
      patience: sizesPatience
    })
    const usages = yield* makeFigures<ReadonlyMap<string, ContainerUsage>>({
      measure: () =>
        runtime === undefined
          ? Effect.succeed(undefined)
          : orAbsent(
              "what the runtime tells of containers",
              Effect.map(runtime.listContainerStats({}), (list) => new Map(list.map((usage) => [usage.id, usage])))
            ),
      maxAge: perPod ? layersAge : usagesAge,
      patience: runtimePatience
    })
    const images = yield* makeFigures<RuntimeFileSystems>({
      measure: () =>
        runtime === undefined
          ? Effect.succeed(undefined)
          : orAbsent(
              "the file system of images",
              Effect.map(runtime.imageFilesystems, ({ images: [first], containers: [layers] }) => ({
                ...(first === undefined ? {} : { images: first }),
                ...(layers === undefined ? {} : { layers })
              }))
            ),
      maxAge: imagesAge,
      patience: runtimePatience
    })
    const kept: Kept = { rates: new CpuRates(), volumes, files: podFiles, usages, images, cgroups: new Map() }
    return kept
  })
