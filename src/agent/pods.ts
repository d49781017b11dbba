import { join } from "node:path"
import process from "node:process"
import { Context, Duration, Effect, Layer, Result } from "effect"
import { LogRotation } from "../actors/log/settings.ts"
import type { NodeFacts as PodFacts } from "../actors/pod/node-facts.ts"
import { safeSysctls } from "../actors/pod/security/sysctls.ts"
import { userNamespaceIds } from "../actors/pod/security/user-namespace-ids.ts"
import { PodSettings } from "../actors/pod/settings.ts"
import type { Table } from "../actors/service/table.ts"
import { Placements } from "../actors/source/placements.ts"
import { isSystemdBooted, notBooted } from "../adapters/cgroupfs/systemd.ts"
import { make as makeCredentials } from "../adapters/credentials/live.ts"
import { defaultNodeFiles, namedNodeFile } from "../adapters/credentials/node-file.ts"
import { Credentials } from "../adapters/credentials/port.ts"
import { CriRuntime } from "../adapters/cri/live.ts"
import { ContainerRuntime } from "../adapters/cri/port.ts"
import { layer as fileSystemsLayer } from "../adapters/filesystems/live.ts"
import { FileSystems } from "../adapters/filesystems/port.ts"
import { Host } from "../adapters/host/port.ts"
import { layer as logsLayer } from "../adapters/logs/live.ts"
import { layer as manifestsLayer } from "../adapters/manifests/live.ts"
import { Manifests } from "../adapters/manifests/port.ts"
import type { NodeMetrics } from "../adapters/metrics/node-metrics.ts"
import { layer as proberLayer } from "../adapters/probing/live.ts"
import { layer as volumesLayer } from "../adapters/volumes/live.ts"
import { Volumes } from "../adapters/volumes/port.ts"
import type { AgentOptions } from "../cli/run/agent-options.ts"
import { restartPeriodOf } from "../cli/run/agent-settings.ts"
import { hostProblem, nodeOffer, nodeResources, reservationProblem } from "../cli/run/node-offer.ts"
import { armedRuntime, armedVolumes } from "../failpoints.ts"
import { withServices } from "./services.ts"

/** What asking the runtime for its cgroup driver may take at the start; without an answer the configuration counts. */
const driverTimeout = Duration.seconds(2)

const runtimeLayer = (options: AgentOptions, metrics: NodeMetrics) =>
  Layer.effect(
    ContainerRuntime,
    Effect.map(ContainerRuntime, (runtime) => metrics.runtime(armedRuntime(runtime)))
  ).pipe(
    Layer.provide(CriRuntime.layer({ endpoint: options.cri, deadlines: { request: options.runtimeRequestTimeout } }))
  )

const registryLayer = ({ dataDir, registry }: AgentOptions) =>
  Layer.effect(
    Credentials,
    Effect.map(Manifests, ({ objects }) =>
      makeCredentials({
        files:
          registry.config === undefined
            ? defaultNodeFiles(dataDir, process.env.HOME)
            : registry.config === "none"
              ? []
              : [namedNodeFile(registry.config)],
        isFileNamed: registry.config !== undefined,
        providers: registry.providers,
        readSecret: objects.secret
      })
    )
  )

/** How large the file system of the pods' directories is; nothing where it does not tell. */
const storageOf = (directory: string) =>
  Effect.gen(function* () {
    const { usage } = yield* FileSystems
    const found = yield* Effect.result(usage(directory))
    return Result.isSuccess(found) ? { storage: found.success.capacity } : {}
  })

/** Whether containers may swap, and what there is of it. */
const swapOf = ({ memorySwap }: AgentOptions["kubelet"]) =>
  Effect.gen(function* () {
    if (memorySwap.swapBehavior !== "LimitedSwap") return {}
    const { readText } = yield* Host
    const kib = /^SwapTotal:\s+(\d+) kB$/mu.exec(yield* Effect.orDie(readText("/proc/meminfo")))?.[1] ?? "0"
    return { swapBehavior: "LimitedSwap", swapCapacity: Number(kib) * 1024 } as const
  })

/** What pods are told of this node: facts of the host, the configuration, and the runtime's own cgroup driver. */
const podSettings = (options: AgentOptions) =>
  Layer.effect(
    PodSettings,
    Effect.gen(function* () {
      const host = yield* Host
      const runtime = yield* ContainerRuntime
      const { facts } = host
      const { pods } = options
      const driver = yield* runtime.cgroupDriver.pipe(
        Effect.timeout(driverTimeout),
        Effect.catch(() => Effect.succeed(pods.cgroupDriver))
      )
      if (driver === "systemd" && pods.cgroupsPerQOS && !isSystemdBooted())
        return yield* Effect.die(new Error(notBooted))
      const unfit = hostProblem(options.kubelet, facts.cgroupVersion, yield* Effect.orDie(host.readText("/proc/swaps")))
      if (unfit !== undefined) return yield* Effect.die(new Error(unfit))
      const machine = { ...facts, ...(yield* storageOf(options.dataDir)) }
      const overReserved = reservationProblem(options.kubelet, machine)
      if (overReserved !== undefined) return yield* Effect.die(new Error(overReserved))
      const { capacity, allocatable, enforced, reservedTiers } = nodeResources(options.kubelet, machine)
      const resolvConf = pods.resolvConf === "" ? undefined : yield* Effect.orDie(host.readText(pods.resolvConf))
      const podFacts: PodFacts = {
        nodeName: options.nodeName,
        podLogsDir: options.podLogsDir,
        ...(options.containerLogsDir === undefined ? {} : { containerLogsDir: options.containerLogsDir }),
        rootDir: options.dataDir,
        cgroupDriver: driver,
        cgroupRoot: pods.cgroupRoot,
        cgroupsPerQos: pods.cgroupsPerQOS,
        podPidsLimit: pods.podPidsLimit,
        enforceCpuLimits: pods.cpuCFSQuota,
        quotaPeriod: pods.cpuCFSQuotaPeriod * 1000,
        ...(pods.singleProcessOOMKill === undefined ? {} : { singleProcessOomKill: pods.singleProcessOOMKill }),
        cgroupVersion: facts.cgroupVersion === "v2" ? "v2" : "v1",
        memoryCapacity: facts.memoryCapacity,
        hugePageSizes: facts.hugePageSizes,
        swapAccounting: facts.swapAccounting,
        ...(yield* swapOf(options.kubelet)),
        selinux: facts.selinux,
        appArmor: facts.appArmor,
        seccompDefault: pods.seccompDefault,
        sysctls: [...safeSysctls(facts.kernel), ...pods.allowedUnsafeSysctls],
        maskedPaths: facts.thermalPaths,
        clusterDns: pods.clusterDNS,
        clusterDomain: pods.clusterDomain,
        ...(resolvConf === undefined ? {} : { resolvConf }),
        nodeIps: facts.addresses
      }
      return PodSettings.of({
        facts: podFacts,
        capacity,
        allocatable,
        offer: nodeOffer(options.nodeName, machine, { allocatable }),
        podsAllocatable: enforced,
        reservedTiers,
        userNamespaces: yield* userNamespaceIds(pods.idsPerPod, pods.maxPods),
        runtimeHandler: "",
        get maxContainerRestartPeriodSeconds() {
          return restartPeriodOf(options.kubelet) / 1000
        }
      })
    })
  )

/** What pods need, over that. */
export const podLayers = (options: AgentOptions, directory: string, table: Table | undefined, metrics: NodeMetrics) => {
  const declared = manifestsLayer({
    directory,
    nodeName: options.nodeName,
    keyFile: join(options.dataDir, "fingerprint.key"),
    fileCheckMillis: options.fileCheckFrequency
  })
  const adapters = Layer.mergeAll(
    runtimeLayer(options, metrics),
    table === undefined
      ? declared
      : Layer.effect(
          Manifests,
          Effect.map(Manifests, (manifests) => withServices(manifests, table))
        ).pipe(Layer.provide(declared)),
    Layer.effect(
      Volumes,
      Effect.map(Volumes, (volumes) => metrics.volumes(armedVolumes(volumes)))
    ).pipe(Layer.provide(volumesLayer({ rootDir: options.dataDir }))),
    logsLayer,
    Layer.succeed(LogRotation, LogRotation.make(options.logRotation))
  )
  return Placements.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(podSettings(options).pipe(Layer.provide(fileSystemsLayer)), proberLayer, registryLayer(options))
    ),
    Layer.provideMerge(adapters)
  )
}

/** A node without pods makes no cgroups for them. */
export const noPods = (options: AgentOptions) =>
  Effect.map(Host, ({ facts }) =>
    Context.make(
      PodSettings,
      PodSettings.of({
        facts: {
          nodeName: options.nodeName,
          podLogsDir: options.podLogsDir,
          rootDir: options.dataDir,
          cgroupDriver: "cgroupfs",
          cgroupsPerQos: false,
          cgroupVersion: facts.cgroupVersion === "v2" ? "v2" : "v1",
          memoryCapacity: facts.memoryCapacity,
          hugePageSizes: facts.hugePageSizes,
          swapAccounting: facts.swapAccounting,
          clusterDns: [],
          clusterDomain: ""
        },
        runtimeHandler: "",
        maxContainerRestartPeriodSeconds: restartPeriodOf(options.kubelet) / 1000
      })
    )
  )
