/** A node in memory with pods as a test wants them, and the statistics of it. */
import { Context, Effect } from "effect"
import { Pods } from "../../../src/actors/pod/pods.ts"
import { PodSettings } from "../../../src/actors/pod/settings.ts"
import { type ContainerInState, emptyContainer, emptyPod, type PodState } from "../../../src/actors/pod/state.ts"
import { makeStatistics, type StatisticsOptions } from "../../../src/actors/statistics/pass.ts"
import { CgroupStatistics } from "../../../src/adapters/cgroupfs/port.ts"
import { makeMemoryStatistics } from "../../../src/adapters/cgroupfs/statistics-memory.ts"
import { MemoryRuntime } from "../../../src/adapters/cri/memory.ts"
import {
  ContainerRuntime,
  type ContainerUsage,
  CriError,
  type ImageFilesystems
} from "../../../src/adapters/cri/port.ts"
import { makeMemoryFileSystems } from "../../../src/adapters/filesystems/memory.ts"
import { FileSystems } from "../../../src/adapters/filesystems/port.ts"
import { makeMemoryHost } from "../../../src/adapters/host/memory.ts"
import { Host } from "../../../src/adapters/host/port.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { Pod } from "../../../src/events/pod-spec.ts"

export const disk = {
  device: "8:1",
  capacity: 1_000_000_000,
  free: 600_000_000,
  available: 500_000_000,
  inodes: 10_000,
  inodesFree: 9_000
}

export interface GivenPod {
  readonly name: string
  readonly spec?: Partial<Pod["spec"]>
  readonly containers: ReadonlyArray<Partial<ContainerInState> & { readonly name: string }>
}

/** One that runs: uid `u-NAME`, sandbox `s-NAME`, containers `c-CONTAINER`. */
export const podState = ({ name, spec = {}, containers }: GivenPod): PodState => {
  const uid = `u-${name}`
  const pod = {
    metadata: { name, namespace: "default", uid },
    spec: { containers: containers.map((c) => ({ name: c.name, image: `registry.local/${c.name}:1` })), ...spec }
  } as unknown as Pod
  return {
    ...emptyPod(`default/${name}`),
    definition: { pod, source: "", qosClass: "BestEffort", maxRestartPeriodSeconds: 300, because: "" },
    sandbox: {
      status: "ready",
      attempt: 0,
      sandboxId: `s-${name}`,
      ips: [],
      createdAt: "2026-11-26T10:00:00.000Z",
      retry: null,
      because: ""
    },
    volumes: (spec.volumes ?? []).map((volume) => ({
      name: volume.name,
      status: "ready" as const,
      path: `/var/lib/chronode/pods/${uid}/volumes/${volume.name}`
    })),
    containers: containers.map((c) => ({
      ...emptyContainer(c.name, false),
      status: "running" as const,
      containerId: `c-${c.name}`,
      startedAt: "2026-11-26T10:00:01.000Z",
      ...c
    }))
  }
}

export const cgroupOf = (pod: string): string => `/kubepods/besteffort/podu-${pod}`

interface Settings {
  readonly options?: Partial<StatisticsOptions>
  readonly cgroupsPerQos?: boolean
  readonly driver?: "cgroupfs" | "systemd"
}

export const makeNode = (given: ReadonlyArray<GivenPod>, { options, cgroupsPerQos, driver }: Settings = {}) =>
  Effect.gen(function* () {
    const clock = { now: Date.now() }
    const cgroups = makeMemoryStatistics(() => clock.now)
    const files = makeMemoryFileSystems(disk)
    const host = makeMemoryHost("node")
    const memory = yield* MemoryRuntime.make()
    /** What the runtime says of containers, and of file systems. */
    const told: {
      usages: ReadonlyArray<ContainerUsage>
      filesystems: ImageFilesystems
      fails: boolean
      asked: number
    } = {
      usages: [],
      filesystems: { images: [], containers: [] },
      fails: false,
      asked: 0
    }
    const answer = <A>(call: string, say: () => A) =>
      Effect.suspend(() => {
        told.asked++
        return told.fails
          ? Effect.fail(new CriError({ reason: "Unavailable", call, message: "connection refused" }))
          : Effect.succeed(say())
      })
    const pods = given.map(podState)
    const context = Context.empty().pipe(
      Context.add(CgroupStatistics, cgroups.service),
      Context.add(FileSystems, files.service),
      Context.add(Host, host.service),
      Context.add(Pods, {
        all: () => pods.map((state) => ({ id: actorId("pod", "default", state.name), state })),
        everRan: () => Effect.succeed(true)
      }),
      Context.add(ContainerRuntime, {
        ...memory.runtime,
        listContainerStats: () => answer("ListContainerStats", () => told.usages),
        imageFilesystems: answer("ImageFsInfo", () => told.filesystems)
      }),
      Context.add(PodSettings, {
        facts: {
          nodeName: "node",
          podLogsDir: "/var/log/pods",
          rootDir: "/var/lib/chronode",
          cgroupDriver: driver ?? "cgroupfs",
          cgroupsPerQos: cgroupsPerQos ?? true,
          cgroupVersion: "v2",
          memoryCapacity: 8_000_000_000,
          hugePageSizes: [],
          swapAccounting: false,
          clusterDns: [],
          clusterDomain: ""
        },
        runtimeHandler: "",
        maxContainerRestartPeriodSeconds: 300
      })
    )
    for (const directory of ["/var/lib/chronode", "/var/log/pods"]) files.directories.add(directory)
    const statistics = yield* makeStatistics({
      nodeName: "node",
      volumeAge: 60_000,
      agentCgroup: "",
      runtimeCgroup: "",
      ...options
    }).pipe(Effect.provide(context))
    return { clock, cgroups, files, host, pods, told, statistics }
  })
