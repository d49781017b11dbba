/**
 * Statistics from the live node: one pass reads the cgroups of all pods, and puts to them what costs more and may be older
 * (sizes of volumes, of logs, of layers). Nothing of it fails: what cannot be read is left out.
 */
import process from "node:process"
import { Clock, Effect, Layer, type Scope, Semaphore } from "effect"
import { type BriefSample, CgroupStatistics } from "../../adapters/cgroupfs/port.ts"
import type { ContainerUsage, FilesystemUsage } from "../../adapters/cri/port.ts"
import { FileSystems, type FileSystemUsage } from "../../adapters/filesystems/port.ts"
import { Host } from "../../adapters/host/port.ts"
import { Pods } from "../pod/pods.ts"
import { PodSettings } from "../pod/settings.ts"
import { containerSamples, summaryOf } from "./assembly.ts"
import { given } from "./given.ts"
import { all, type Kept, makeKept, orAbsent, type RuntimeFileSystems } from "./kept.ts"
import {
  briefSamplesOf,
  findCgroups,
  readInterfaces,
  type SystemCgroups,
  samplesOf,
  systemCgroups
} from "./pod-cgroups.ts"
import { type BriefSnapshot, defaultMaxAge, renewalPatience, type Snapshot, Statistics } from "./statistics.ts"
import { type PodTarget, podTargets } from "./targets.ts"

export interface StatisticsOptions extends SystemCgroups {
  readonly nodeName: string
  /** How old the size of a volume may be (kubelet's volumeStatsAggPeriod), milliseconds; not positive: none is measured. */
  readonly volumeAge: number
}

type Needs = CgroupStatistics | FileSystems | Host | PodSettings | Pods

const uptimeOf = (text: string): number => Number.parseFloat(text) * 1000

/** All of a list at once, by key; what is not known is left out. */
const collect = <A>(keys: ReadonlyArray<string>, get: (key: string) => Effect.Effect<A | undefined>) =>
  Effect.map(
    Effect.forEach(keys, (key) => Effect.map(get(key), (value) => [key, value] as const), { concurrency: "unbounded" }),
    (found) => new Map(found.filter((entry): entry is readonly [string, A] => entry[1] !== undefined))
  )

const usageOf = (path: string) =>
  Effect.flatMap(FileSystems, (files) => orAbsent(`the file system of ${path}`, files.usage(path)))

const on = (used: FilesystemUsage | undefined, usage: FileSystemUsage | undefined) =>
  used === undefined ? undefined : { used, ...(usage === undefined ? {} : { on: usage }) }

/** What is kept, brought up to date as far as it is due. */
const sizes = (options: StatisticsOptions, kept: Kept, pods: ReadonlyArray<PodTarget>) =>
  Effect.gen(function* () {
    const paths = options.volumeAge > 0 ? pods.flatMap(({ volumes }) => volumes.map(({ path }) => path)) : []
    const uids = pods.map(({ reference }) => reference.uid)
    const [usages, runtime, volumes, files] = yield* Effect.all(
      [kept.usages.get(all), kept.images.get(all), collect(paths, kept.volumes.get), collect(uids, kept.files.get)],
      { concurrency: "unbounded" }
    )
    kept.volumes.retain(new Set(paths))
    kept.files.retain(new Set(uids))
    return { usages: usages ?? new Map<string, ContainerUsage>(), runtime, volumes, files }
  })

const fileSystems = (runtime: RuntimeFileSystems | undefined) =>
  Effect.gen(function* () {
    const { facts } = yield* PodSettings
    const { images, layers } = runtime ?? {}
    return {
      nodefs: yield* usageOf(facts.rootDir),
      logfs: yield* usageOf(facts.podLogsDir),
      imagefs: images && (yield* usageOf(images.mountpoint)),
      containerfs: layers && (yield* usageOf(layers.mountpoint))
    }
  })

/** What passes of both kinds are made in. */
interface PassWorld {
  readonly options: StatisticsOptions
  readonly kept: Kept
  /** RFC 3339. */
  readonly bootTime: string
  readonly targets: { now: ReadonlyArray<PodTarget> }
}

/** Readings with the cgroups of the system and of pods and containers as `sample` reads them. */
const read = <Sample extends BriefSample>(
  { options, kept, bootTime, targets }: PassWorld,
  sample: (
    system: ReadonlyArray<string>,
    ofPods: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyMap<string, Sample>, never, CgroupStatistics>
) =>
  Effect.gen(function* () {
    const at = yield* Clock.currentTimeMillis
    const host = yield* Host
    const statistics = yield* CgroupStatistics
    const { facts } = yield* PodSettings
    const states = (yield* Pods).all().map(({ state }) => state)
    const pods = podTargets(states, facts)
    targets.now = pods
    const cgroups = yield* findCgroups(pods, kept)
    const system = yield* systemCgroups(options)
    const own = pods.flatMap(({ cgroup }) => (cgroup === "" ? [] : [cgroup]))
    const ofContainers = pods.flatMap(({ containers }) => containers.flatMap(({ id }) => cgroups.get(id) ?? []))
    const samples = yield* sample([...system.keys()], [...own, ...ofContainers])
    const node = (yield* orAbsent("the node's own figures", statistics.node)) ?? { at }
    const { usages, runtime, volumes, files } = yield* sizes(options, kept, pods)
    const { nodefs, logfs, imagefs, containerfs } = yield* fileSystems(runtime)
    const readings = {
      at,
      nodeName: options.nodeName,
      bootTime,
      memoryCapacity: host.facts.memoryCapacity,
      node,
      pods,
      samples,
      cgroups,
      rate: kept.rates.of([
        ...[["/", node] as const, ...samples].map(([path, sample]) => [path, sample.at, sample.cpu?.usage] as const),
        ...[...usages.values()].map(({ id, cpu }) => [id, cpu?.at ?? at, cpu?.usage] as const)
      ]),
      ...given({ nodefs, logfs, images: on(runtime?.images, imagefs), layers: on(runtime?.layers, containerfs) }),
      usages,
      volumes,
      files,
      system
    }
    const devices = given({
      nodefs: nodefs?.device,
      imagefs: imagefs?.device,
      containerfs: containerfs?.device
    })
    return { readings, devices }
  })

const makePass = (world: PassWorld) =>
  Effect.gen(function* () {
    const before = process.cpuUsage()
    const { readings: figures, devices } = yield* read(world, (system, ofPods) => samplesOf([...system, ...ofPods]))
    const statistics = yield* CgroupStatistics
    const readings = {
      ...figures,
      nodeInterfaces: (yield* orAbsent("the node's network", statistics.network("/"))) ?? [],
      interfaces: yield* readInterfaces(figures.pods, figures.cgroups)
    }
    const { user, system } = process.cpuUsage(before)
    const snapshot: Snapshot = {
      at: readings.at,
      summary: summaryOf(readings),
      containers: containerSamples(readings),
      node: readings.node,
      devices,
      cost: (user + system) / 1000
    }
    return snapshot
  })

const makeBriefPass = (world: PassWorld): Effect.Effect<BriefSnapshot, never, Needs> =>
  Effect.map(read(world, briefSamplesOf), ({ readings, devices }) => ({
    at: readings.at,
    summary: summaryOf({ ...readings, nodeInterfaces: [], interfaces: new Map() }),
    devices
  }))

/** Figures that are kept until they are too old. Of those who wait for a pass at the same time all but the first get the same one. */
const renewed = <A extends { readonly at: number }>(
  turns: Semaphore.Semaphore,
  last: () => A | undefined,
  pass: Effect.Effect<A>
): ((maxAge?: number) => Effect.Effect<A>) => {
  return (maxAge = defaultMaxAge) =>
    Effect.gen(function* () {
      const wanted = (yield* Clock.currentTimeMillis) - maxAge
      const fresh = (): A | undefined => {
        const one = last()
        return one !== undefined && one.at >= wanted ? one : undefined
      }
      // Whoever waited for a pass that began after it asked takes that one.
      return (
        fresh() ??
        (yield* turns.withPermits(1)(
          Effect.suspend(() => {
            const one = fresh()
            return one === undefined ? pass : Effect.succeed(one)
          })
        ))
      )
    })
}

export const makeStatistics = (
  options: StatisticsOptions
): Effect.Effect<Statistics["Service"], never, Needs | Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Needs>()
    const host = yield* Host
    const { facts } = yield* PodSettings
    const targets: { now: ReadonlyArray<PodTarget> } = { now: [] }
    const kept = yield* makeKept(options.volumeAge, facts.cgroupsPerQos !== false, (uid) =>
      targets.now.find(({ reference }) => reference.uid === uid)
    )
    const uptime = uptimeOf(yield* Effect.catch(host.readText("/proc/uptime"), () => Effect.succeed("0")))
    const bootTime = new Date((yield* Clock.currentTimeMillis) - (Number.isFinite(uptime) ? uptime : 0)).toISOString()
    const world: PassWorld = { options, kept, bootTime, targets }
    const turns = Semaphore.makeUnsafe(1)
    let whole: Snapshot | undefined
    let brief: BriefSnapshot | undefined
    return Statistics.of({
      renewSizes: Effect.all(
        [kept.volumes, kept.files, kept.usages].map(({ renew }) => renew(renewalPatience)),
        { concurrency: "unbounded", discard: true }
      ),
      snapshot: renewed(
        turns,
        () => whole,
        Effect.map(Effect.provide(makePass(world), context), (made) => {
          whole = made
          return made
        })
      ),
      brief: renewed(
        turns,
        () => (whole !== undefined && whole.at >= (brief?.at ?? 0) ? whole : brief),
        Effect.map(Effect.provide(makeBriefPass(world), context), (made) => {
          brief = made
          return made
        })
      )
    })
  })

export const layer = (options: StatisticsOptions): Layer.Layer<Statistics, never, Needs> =>
  Layer.effect(Statistics, makeStatistics(options))
