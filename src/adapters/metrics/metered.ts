/** Ports that count and time their calls. An interrupted call is timed too, and is no error. */
import { Cause, Effect, Exit } from "effect"
import { Journal } from "../../events/journal/port.ts"
import { Cgroups } from "../cgroupfs/port.ts"
import { ContainerRuntime } from "../cri/port.ts"
import { Volumes } from "../volumes/port.ts"

/** Told when a call has ended; `interrupted`: nobody waits for it any more. */
export type Ended = (seconds: number, outcome: "success" | "failure" | "interrupted") => void

/** The effect, with its time and outcome told. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>, ended: Ended): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.onExit(effect, (exit) =>
      Effect.sync(() => {
        const outcome = Exit.isSuccess(exit)
          ? "success"
          : Cause.hasInterruptsOnly(exit.cause)
            ? "interrupted"
            : "failure"
        ended((performance.now() - began) / 1000, outcome)
      })
    )
  })

/** The port's calls under kubelet's names of operations (`pkg/kubelet/kuberuntime/instrumented_services.go`). */
const runtimeOperations = {
  version: "version",
  status: "status",
  runPodSandbox: "run_podsandbox",
  stopPodSandbox: "stop_podsandbox",
  removePodSandbox: "remove_podsandbox",
  podSandboxStatus: "podsandbox_status",
  listPodSandboxes: "list_podsandbox",
  createContainer: "create_container",
  startContainer: "start_container",
  stopContainer: "stop_container",
  removeContainer: "remove_container",
  containerStatus: "container_status",
  listContainers: "list_containers",
  updateContainerResources: "update_container",
  reopenContainerLog: "reopen_container_log",
  execSync: "exec_sync",
  exec: "exec",
  attach: "attach",
  portForward: "port_forward",
  imageStatus: "image_status",
  listImages: "list_images",
  pullImage: "pull_image",
  removeImage: "remove_image"
} as const satisfies Readonly<Partial<Record<keyof ContainerRuntime["Service"], string>>>

/** kubelet's, of calls that were added to the port later and are named by the same rule: `imageFsInfo` → `image_fs_info`. */
const operationOf = (call: string): string =>
  (runtimeOperations as Readonly<Record<string, string>>)[call] ??
  call.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`)

/** What is no call that is answered once. */
const isCall = (name: string): boolean => name !== "endpoint" && name !== "containerEvents" && name !== "cgroupDriver"

export interface RuntimeMeter {
  readonly called: (operation: string, seconds: number, failed: boolean) => void
  readonly sandboxRun: (handler: string, seconds: number, failed: boolean) => void
}

export const meteredRuntime = (
  runtime: ContainerRuntime["Service"],
  meter: RuntimeMeter
): ContainerRuntime["Service"] => {
  const metered = { ...runtime } as Record<string, unknown>
  for (const [name, call] of Object.entries(runtime)) {
    if (!isCall(name)) continue
    const operation = operationOf(name)
    const ended: Ended = (seconds, outcome) => meter.called(operation, seconds, outcome === "failure")
    if (Effect.isEffect(call)) metered[name] = timed(call as Effect.Effect<unknown>, ended)
    else if (typeof call === "function")
      metered[name] = (...args: ReadonlyArray<unknown>) => {
        const effect = (call as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown>)(...args)
        return Effect.isEffect(effect) ? timed(effect, ended) : effect
      }
  }
  const run = metered.runPodSandbox as ContainerRuntime["Service"]["runPodSandbox"]
  metered.runPodSandbox = ((config, handler) =>
    timed(run(config, handler), (seconds, outcome) =>
      meter.sandboxRun(handler, seconds, outcome === "failure")
    )) satisfies ContainerRuntime["Service"]["runPodSandbox"]
  return ContainerRuntime.of(metered as never)
}

/** `operation`: kubelet's words, create, update, destroy (`pkg/kubelet/cm/cgroup_manager_linux.go`). */
export const meteredCgroups = (
  cgroups: Cgroups["Service"],
  ended: (operation: string, seconds: number) => void
): Cgroups["Service"] => {
  const as =
    (operation: string): Ended =>
    (seconds) =>
      ended(operation, seconds)
  return Cgroups.of({
    ...cgroups,
    ensure: (path, values) => timed(cgroups.ensure(path, values), as("create")),
    update: (path, values) => timed(cgroups.update(path, values), as("update")),
    remove: (path) => timed(cgroups.remove(path), as("destroy"))
  })
}

export interface VolumeOperation {
  /** kubelet's name of the plugin: `kubernetes.io/empty-dir`; empty where it is not known (any more). */
  readonly plugin: string
  readonly operation: "volume_mount" | "volume_unmount"
  readonly failed: boolean
  readonly seconds: number
}

const sourcePlugins = { emptyDir: "kubernetes.io/empty-dir", hostPath: "kubernetes.io/host-path" } as const

export const meteredVolumes = (
  volumes: Volumes["Service"],
  ended: (operation: VolumeOperation) => void
): Volumes["Service"] =>
  Volumes.of({
    ...volumes,
    mount: (request) => {
      const { source } = request
      const plugin = source.kind === "files" ? `kubernetes.io/${source.plugin}` : sourcePlugins[source.kind]
      return timed(volumes.mount(request), (seconds, outcome) =>
        ended({ plugin, operation: "volume_mount", failed: outcome === "failure", seconds })
      )
    },
    unmount: (podUid, name) =>
      timed(volumes.unmount(podUid, name), (seconds, outcome) =>
        ended({ plugin: "", operation: "volume_unmount", failed: outcome === "failure", seconds })
      )
  })

export const meteredJournal = (journal: Journal["Service"], ended: (seconds: number) => void): Journal["Service"] =>
  Journal.of({ ...journal, append: (drafts) => timed(journal.append(drafts), ended) })
