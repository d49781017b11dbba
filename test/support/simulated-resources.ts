/**
 * Memory and disk of a simulated node: what its pods use as long as they run is what a test says, and what is left follows from
 * that. So an eviction frees what its pod used.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { EvictionLooks } from "../../src/actors/eviction/looks.ts"
import { EvictionOptions, NodeReclaim } from "../../src/actors/eviction/options.ts"
import type { EvictionSettings } from "../../src/actors/eviction/state.ts"
import { isAlive, type PodState } from "../../src/actors/pod/state.ts"
import { type Snapshot, Statistics } from "../../src/actors/statistics/statistics.ts"
import { CgroupStatistics } from "../../src/adapters/cgroupfs/port.ts"
import { type MemoryStatistics, makeMemoryStatistics } from "../../src/adapters/cgroupfs/statistics-memory.ts"
import type { PodStats } from "../../src/events/stats-summary.ts"

/** Bytes of memory and of the node's disk. */
export interface Use {
  readonly memory?: number
  readonly disk?: number
}

export interface SimulatedResources {
  readonly memoryCapacity: number
  readonly diskCapacity: number
  /** What is used beside the pods. */
  memory: number
  disk: number
  /** Bytes of that disk that the node can give back. */
  reclaimable: number
  /** What the runtime has is given back, as in the real agent. */
  readonly fromRuntime: boolean
  /** By the pod's name. */
  readonly pods: Map<string, Use>
  readonly cgroups: MemoryStatistics
  settings: EvictionSettings
}

export const makeSimulatedResources = (settings: EvictionSettings, fromRuntime = false): SimulatedResources => ({
  memoryCapacity: 1024 ** 3,
  diskCapacity: 10 * 1024 ** 3,
  memory: 0,
  disk: 0,
  reclaimable: 0,
  fromRuntime,
  pods: new Map(),
  cgroups: makeMemoryStatistics(),
  settings
})

const statsOf = (world: SimulatedResources, state: PodState, time: string): PodStats | undefined => {
  const pod = state.definition?.pod
  if (pod === undefined || !state.containers.some(isAlive)) return undefined
  const { name, namespace, uid } = pod.metadata
  const { memory = 0, disk = 0 } = world.pods.get(name) ?? {}
  const [first] = pod.spec.containers
  return {
    podRef: { name, namespace, uid },
    startTime: time,
    memory: { time, workingSetBytes: memory },
    containers: [
      {
        name: first!.name,
        startTime: time,
        memory: { time, workingSetBytes: memory },
        rootfs: { time, usedBytes: disk, inodesUsed: 1 },
        logs: { time, usedBytes: 0, inodesUsed: 1 }
      }
    ]
  }
}

const snapshotOf = (world: SimulatedResources, states: ReadonlyArray<PodState>, at: number): Snapshot => {
  const time = new Date(at).toISOString()
  const pods = states.flatMap((state) => statsOf(world, state, time) ?? [])
  const memory = world.memory + pods.reduce((sum, pod) => sum + (pod.memory?.workingSetBytes ?? 0), 0)
  const disk = world.disk + pods.reduce((sum, pod) => sum + (pod.containers[0]?.rootfs?.usedBytes ?? 0), 0)
  const fs = {
    time,
    availableBytes: world.diskCapacity - disk,
    capacityBytes: world.diskCapacity,
    usedBytes: disk
  }
  return {
    at,
    summary: {
      node: {
        nodeName: "sim",
        startTime: time,
        memory: {
          time,
          availableBytes: world.memoryCapacity - memory,
          workingSetBytes: memory,
          usageBytes: memory
        },
        fs,
        runtime: { imageFs: fs, containerFs: fs }
      },
      pods
    },
    containers: [],
    node: { at },
    devices: { nodefs: "1:1", imagefs: "1:1" },
    cost: 0
  }
}

/** What eviction needs of the node; `states`: the pods of the moment. */
export const resourcesLayer = (
  world: SimulatedResources,
  states: () => ReadonlyArray<PodState>
): Layer.Layer<CgroupStatistics | EvictionLooks | EvictionOptions | NodeReclaim | Statistics> =>
  Layer.mergeAll(
    EvictionLooks.layer,
    Layer.succeedContext(
      Context.make(CgroupStatistics, world.cgroups.service).pipe(
        Context.add(EvictionOptions, EvictionOptions.of({ settings: () => world.settings })),
        Context.add(
          NodeReclaim,
          NodeReclaim.of({
            containers: Effect.succeed({ freedBytes: 0 }),
            images: Effect.sync(() => {
              const freedBytes = world.reclaimable
              world.disk -= freedBytes
              world.reclaimable = 0
              return { freedBytes }
            })
          })
        ),
        Context.add(
          Statistics,
          Statistics.of({
            renewSizes: Effect.void,
            snapshot: () => Effect.map(Clock.currentTimeMillis, (at) => snapshotOf(world, states(), at)),
            brief: () => Effect.map(Clock.currentTimeMillis, (at) => snapshotOf(world, states(), at))
          })
        )
      )
    )
  )
