/** A summary, made of what one pass has read (`pkg/kubelet/server/stats/summary.go`, `pkg/kubelet/stats/cri_stats_provider.go`). Pure. */
import type { BriefSample, CgroupSample, ContainerSample, InterfaceCounters } from "../../adapters/cgroupfs/port.ts"
import type { ContainerUsage, FilesystemUsage } from "../../adapters/cri/port.ts"
import type { DirectoryUsage, FileSystemUsage } from "../../adapters/filesystems/port.ts"
import type { ContainerStats, FsStats, NodeStats, PodStats, Summary, VolumeStats } from "../../events/stats-summary.ts"
import { cpuStats, ioStats, memoryStats, networkStats, swapStats, timeOf } from "./figures-of-cgroups.ts"
import { given } from "./given.ts"
import { directoryStats, ephemeralStorage, fileSystemStats, layerStats } from "./storage.ts"
import type { ContainerTarget, PodTarget } from "./targets.ts"

/** A volume's size, and the file system that it is on. */
export interface VolumeFigure {
  readonly used: DirectoryUsage
  readonly on: FileSystemUsage
}

/** A pod's files that are not in volumes. */
export interface PodFiles {
  /** By container. */
  readonly logs: ReadonlyMap<string, DirectoryUsage>
  /** Right in its log directory; its hosts file. */
  readonly others: ReadonlyArray<DirectoryUsage>
}

/** What a pass has read. What could not be read is absent. */
export interface Readings<Sample extends BriefSample = BriefSample> {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly nodeName: string
  /** RFC 3339. */
  readonly bootTime: string
  /** Bytes. */
  readonly memoryCapacity: number
  readonly node: CgroupSample
  readonly nodeInterfaces: ReadonlyArray<InterfaceCounters>
  readonly pods: ReadonlyArray<PodTarget>
  readonly samples: ReadonlyMap<string, Sample>
  /** Cgroup of a container or sandbox, by its id. */
  readonly cgroups: ReadonlyMap<string, string>
  /** Nanocores of a path, at the moment. */
  readonly rate: (path: string) => number | undefined
  /** By uid of the pod. */
  readonly interfaces: ReadonlyMap<string, ReadonlyArray<InterfaceCounters>>
  readonly nodefs?: FileSystemUsage
  /** What holds the pods' logs. */
  readonly logfs?: FileSystemUsage
  readonly images?: { readonly used: FilesystemUsage; readonly on?: FileSystemUsage }
  /** Absent: the images' own. */
  readonly layers?: { readonly used: FilesystemUsage; readonly on?: FileSystemUsage }
  /** As the runtime tells it, by container id. */
  readonly usages: ReadonlyMap<string, ContainerUsage>
  /** By path of the volume. */
  readonly volumes: ReadonlyMap<string, VolumeFigure>
  /** By uid of the pod. */
  readonly files: ReadonlyMap<string, PodFiles>
  /** Names of the system's own cgroups, by path. */
  readonly system: ReadonlyMap<string, string>
}

type CgroupFigures = Pick<ContainerStats, "cpu" | "memory" | "swap" | "io">
const ofCgroup = (sample: BriefSample | undefined, nanoCores: number | undefined): CgroupFigures =>
  sample === undefined
    ? {}
    : given({
        cpu: cpuStats(sample, nanoCores),
        memory: memoryStats(sample),
        swap: swapStats(sample),
        io: ioStats(sample)
      })

/** Where there is no cgroup to read, what the runtime says counts. */
const ofRuntime = ({ cpu, memory, id }: ContainerUsage, readings: Readings): CgroupFigures =>
  given({
    cpu:
      cpu === undefined
        ? undefined
        : given({ time: timeOf(cpu.at), usageNanoCores: readings.rate(id), usageCoreNanoSeconds: cpu.usage }),
    memory:
      memory === undefined
        ? undefined
        : given({
            time: timeOf(memory.at),
            usageBytes: memory.usage,
            workingSetBytes: memory.workingSet,
            rssBytes: memory.rss
          })
  })

/** The file system of a container's layer: that of all layers. */
const layersOf = ({ layers, images }: Readings): FileSystemUsage | undefined => (layers ?? images)?.on

const containerStats = (target: ContainerTarget, files: PodFiles | undefined, readings: Readings): ContainerStats => {
  const path = readings.cgroups.get(target.id)
  const sample = path === undefined ? undefined : readings.samples.get(path)
  const usage = readings.usages.get(target.id)
  const logs = files?.logs.get(target.name)
  const figures =
    sample === undefined && usage !== undefined
      ? ofRuntime(usage, readings)
      : ofCgroup(sample, path === undefined ? undefined : readings.rate(path))
  return given({
    name: target.name,
    startTime: target.startTime,
    ...figures,
    rootfs: usage?.writableLayer && layerStats(usage.writableLayer, layersOf(readings)),
    logs: logs && directoryStats(logs, readings.logfs)
  })
}

const addUp = (values: ReadonlyArray<number | undefined>): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0)

/** Without a cgroup of the pod its containers are added up (addPodCPUMemoryStats). */
const ofContainers = (containers: ReadonlyArray<ContainerStats>): CgroupFigures => {
  const cpus = containers.flatMap(({ cpu }) => cpu ?? [])
  const memories = containers.flatMap(({ memory }) => memory ?? [])
  return given({
    cpu:
      cpus.length === 0
        ? undefined
        : {
            time: cpus.at(-1)!.time,
            usageNanoCores: addUp(cpus.map((cpu) => cpu.usageNanoCores)),
            usageCoreNanoSeconds: addUp(cpus.map((cpu) => cpu.usageCoreNanoSeconds))
          },
    memory:
      memories.length === 0
        ? undefined
        : {
            time: memories.at(-1)!.time,
            usageBytes: addUp(memories.map((memory) => memory.usageBytes)),
            workingSetBytes: addUp(memories.map((memory) => memory.workingSetBytes)),
            rssBytes: addUp(memories.map((memory) => memory.rssBytes))
          }
  })
}

const volumeStats = (target: PodTarget, { volumes }: Readings): ReadonlyArray<VolumeStats & { local: boolean }> =>
  target.volumes.flatMap(({ name, path, isLocalEphemeral }) => {
    const figure = volumes.get(path)
    return figure === undefined ? [] : [{ ...directoryStats(figure.used, figure.on), name, local: isLocalEphemeral }]
  })

const podStats = (target: PodTarget, readings: Readings): PodStats => {
  const { nodefs, at } = readings
  const files = readings.files.get(target.reference.uid)
  const containers = target.containers.map((container) => containerStats(container, files, readings))
  const own = target.cgroup === "" ? undefined : readings.samples.get(target.cgroup)
  const volumes = volumeStats(target, readings)
  const processes = target.containers.flatMap(
    ({ id }) => readings.samples.get(readings.cgroups.get(id) ?? "")?.pids ?? []
  )
  const interfaces = readings.interfaces.get(target.reference.uid)
  return given({
    podRef: target.reference,
    startTime: target.startTime,
    containers,
    ...(own === undefined ? ofContainers(containers) : ofCgroup(own, readings.rate(target.cgroup))),
    network: interfaces && networkStats(at, interfaces),
    volume: volumes.length === 0 ? undefined : volumes.map(({ local: _, ...volume }) => volume),
    "ephemeral-storage":
      nodefs &&
      ephemeralStorage(fileSystemStats(at, nodefs), {
        containers,
        volumes: volumes.filter(({ local }) => local),
        files: (files?.others ?? []).map((used) => directoryStats(used, nodefs))
      }),
    process_stats:
      processes.length === 0 ? undefined : { process_count: addUp(processes.map(({ current }) => current)) }
  })
}

const systemContainers = ({ system, samples, rate, bootTime }: Readings): ReadonlyArray<ContainerStats> =>
  [...system].flatMap(([path, name]) => {
    const sample = samples.get(path)
    return sample === undefined ? [] : [{ name, startTime: bootTime, ...ofCgroup(sample, rate(path)) }]
  })

const imageFileSystem = (part: Readings["images"]): FsStats | undefined => part && layerStats(part.used, part.on)

const nodeStats = (readings: Readings): NodeStats => {
  const { at, node, nodefs, images, layers } = readings
  const imageFs = imageFileSystem(images)
  const containerFs = imageFileSystem(layers) ?? imageFs
  return given({
    nodeName: readings.nodeName,
    startTime: readings.bootTime,
    systemContainers: systemContainers(readings),
    cpu: cpuStats(node, readings.rate("/")),
    memory: memoryStats(node, readings.memoryCapacity),
    swap: swapStats(node),
    io: ioStats(node),
    network: networkStats(at, readings.nodeInterfaces),
    fs: nodefs && fileSystemStats(at, nodefs),
    runtime: imageFs === undefined ? undefined : given({ imageFs, containerFs }),
    rlimit: node.pids && given({ time: timeOf(node.at), maxpid: node.pids.limit, curproc: node.pids.current })
  })
}

export const summaryOf = (readings: Readings): Summary => ({
  node: nodeStats(readings),
  pods: readings.pods.map((target) => podStats(target, readings))
})

/** Every cgroup of a pod: its own and those of its containers as they were read, its sandbox's with the network alone. */
export const containerSamples = (readings: Readings<CgroupSample>): ReadonlyArray<ContainerSample> =>
  readings.pods.flatMap((target): ReadonlyArray<ContainerSample> => {
    const { name, namespace, uid } = target.reference
    const network = readings.interfaces.get(uid)
    const of = (path: string | undefined, container: Pick<ContainerTarget, "name" | "id" | "image" | "startTime">) => {
      // A sandbox is not read: what it uses itself is next to nothing, and costs a quarter of the pass.
      const isSandbox = container.name === sandboxName
      const sample = isSandbox ? { at: readings.at } : readings.samples.get(path ?? "")
      if (path === undefined || sample === undefined) return []
      return [
        {
          path,
          namespace,
          pod: name,
          podUid: uid,
          container: container.name,
          containerId: container.id,
          image: container.image,
          startedAt: Date.parse(container.startTime),
          sample,
          ...(isSandbox && network !== undefined ? { network } : {})
        }
      ]
    }
    const { startTime, sandboxId } = target
    return [
      ...(target.cgroup === "" ? [] : of(target.cgroup, { name: "", id: "", image: "", startTime })),
      ...of(readings.cgroups.get(sandboxId), { name: sandboxName, id: sandboxId, image: "", startTime }),
      ...target.containers.flatMap((container) => of(readings.cgroups.get(container.id), container))
    ]
  })

/** What cAdvisor calls the container of a sandbox. */
export const sandboxName = "POD"

/** The short form (`?only_cpu_and_memory=true`, GetCPUAndMemoryStats). */
export const onlyCpuAndMemory = ({ node, pods }: Summary): Summary => {
  const short = ({ name, startTime, cpu, memory }: ContainerStats): ContainerStats =>
    given({ name, startTime, cpu, memory })
  return {
    node: given({
      nodeName: node.nodeName,
      startTime: node.startTime,
      systemContainers: node.systemContainers?.map(short),
      cpu: node.cpu,
      memory: node.memory
    }),
    pods: pods.map(({ podRef, startTime, containers, cpu, memory }) =>
      given({ podRef, startTime, containers: containers.map(short), cpu, memory })
    )
  }
}
