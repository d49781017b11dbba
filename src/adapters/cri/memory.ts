/**
 * A runtime that lives in memory and behaves as containerd does, for tests and simulations: states, reserved names,
 * reasons and error texts are those of containerd 1.6 (measured; the contract suite holds both to them). Time is
 * Effect's Clock. Nothing here runs a process: what a container would do is a `Program` that the test gives.
 */
import { Clock, Effect, Layer, type Scope } from "effect"
import { MemoryImages } from "./memory-images.ts"
import { type Answer, type Failure, fail, type Program } from "./memory-model.ts"
import { exitContainer, MemoryPods } from "./memory-pods.ts"
import {
  type ContainerConfig,
  ContainerRuntime,
  CriError,
  type HandlerFeatures,
  type RuntimeCondition,
  type SandboxConfig
} from "./port.ts"

export interface MemoryRuntimeOptions {
  /** What a container does once started. Default: it runs until stopped, and SIGTERM ends it at once with 143. */
  readonly program?: (config: ContainerConfig, sandbox: SandboxConfig) => Program
  /** Images on the node, and images that a pull finds. */
  readonly images?: ReadonlyArray<string>
  readonly registry?: ReadonlyArray<string>
  /** Of them, those that the runtime says are never to be removed. */
  readonly pinnedImages?: ReadonlyArray<string>
  /** What sandboxes are made of, as far as it is told. */
  readonly sandboxImage?: string
  /** False: `containerEvents` is `Unimplemented`, as in containerd before 1.7. Default true. */
  readonly events?: boolean
  /** Absent: `Unimplemented`, as in containerd before 2.0. */
  readonly cgroupDriver?: "cgroupfs" | "systemd"
  readonly runtimeHandlers?: ReadonlyArray<string>
  /** What the runtime's status tells of them. Absent: nothing, as containerd before 2.0. */
  readonly handlerFeatures?: ReadonlyArray<HandlerFeatures>
  readonly supplementalGroupsPolicy?: boolean
}

/** The runtime, and the strings by which a test moves it. */
export interface MemoryRuntime {
  readonly runtime: ContainerRuntime["Service"]
  readonly layer: Layer.Layer<ContainerRuntime>
  /** A running container's process ends. Nothing happens to one that does not run. */
  readonly exit: (containerId: string, code: number, oomKilled?: boolean) => Effect.Effect<void>
  /** The process that holds a sandbox's namespaces ends; its containers run on. */
  readonly endSandbox: (sandboxId: string) => Effect.Effect<void>
  /** For containers that are created from now on. */
  readonly setProgram: (program: NonNullable<MemoryRuntimeOptions["program"]>) => Effect.Effect<void>
  readonly addImage: (image: string) => Effect.Effect<void>
  /** The next `times` pulls of the image fail like this. */
  readonly failPulls: (image: string, failure: Failure, times: number) => Effect.Effect<void>
  /** False: every call fails with `Unavailable` and event streams break. Containers run on. */
  readonly setReachable: (reachable: boolean) => Effect.Effect<void>
  readonly setCondition: (condition: RuntimeCondition) => Effect.Effect<void>
  /** Names of the calls so far, oldest first, as CRI names them, with what they were for: `StartContainer app`. */
  readonly calls: ReadonlyArray<string>
}

type Service = ContainerRuntime["Service"]

/** Older ones are forgotten: a simulated node asks for lists every second. */
const rememberedCalls = 100_000

/** There are no processes to stream from. */
const noStreaming = () => fail("Unimplemented", "no streaming server")
const noCheckpoints = () => fail("Unimplemented", "no checkpoints")

const make = (options: MemoryRuntimeOptions = {}): Effect.Effect<MemoryRuntime, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const images = new MemoryImages(options.images ?? [], options.registry ?? [], options.pinnedImages)
    const pods = new MemoryPods({
      scope,
      images,
      handlers: ["", "runc", ...(options.runtimeHandlers ?? [])],
      program: options.program ?? (() => ({}))
    })
    const calls: Array<string> = []
    const conditions = new Map<string, RuntimeCondition>(
      ["RuntimeReady", "NetworkReady"].map((type) => [type, { type, status: true, reason: "", message: "" }])
    )
    let reachable = true
    const note = (made: string) => {
      if (calls.push(made) > rememberedCalls) calls.shift()
    }

    /** One call: counted, refused while nobody listens, else run with the time it is made. */
    const call = <A>(name: string, about: string, body: (now: number) => Answer<A>): Effect.Effect<A, CriError> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        note(about === "" ? name : `${name} ${about}`)
        return reachable ? body(now) : fail("Unavailable", "connection refused")
      }).pipe(Effect.mapError(({ reason, message }) => new CriError({ reason, call: name, message })))
    const nameOf = (containerId: string) => pods.containers.get(containerId)?.config.metadata.name ?? containerId
    const podOf = (sandboxId: string) => pods.sandboxes.get(sandboxId)?.config.metadata.name ?? sandboxId

    const runtime: Service = {
      endpoint: "memory",
      version: call("Version", "", () =>
        Effect.succeed({ runtimeName: "memory", runtimeVersion: "1.0.0", runtimeApiVersion: "v1" })
      ),
      status: call("Status", "", () =>
        Effect.sync(() => ({
          conditions: [...conditions.values()],
          handlers: options.handlerFeatures ?? [],
          supplementalGroupsPolicy: options.supplementalGroupsPolicy ?? false
        }))
      ),
      cgroupDriver: call("RuntimeConfig", "", () =>
        options.cgroupDriver === undefined
          ? fail("Unimplemented", "unknown method RuntimeConfig")
          : Effect.succeed(options.cgroupDriver)
      ),
      runPodSandbox: (config, handler) =>
        call("RunPodSandbox", config.metadata.name, (now) => pods.runSandbox(config, handler, now)),
      stopPodSandbox: (id) => call("StopPodSandbox", podOf(id), (now) => pods.stopSandbox(id, now)),
      removePodSandbox: (id) => call("RemovePodSandbox", podOf(id), (now) => pods.removeSandbox(id, now)),
      podSandboxStatus: (id) => call("PodSandboxStatus", podOf(id), () => pods.sandboxStatus(id)),
      listPodSandboxes: (labels) => call("ListPodSandbox", "", () => pods.listSandboxes(labels)),
      createContainer: (sandboxId, config, sandbox) =>
        call("CreateContainer", config.metadata.name, (now) => pods.create(sandboxId, config, sandbox, now)),
      startContainer: (id) => call("StartContainer", nameOf(id), (now) => pods.start(id, now)),
      stopContainer: (id, grace) => call("StopContainer", nameOf(id), () => pods.stop(id, grace)),
      removeContainer: (id) => call("RemoveContainer", nameOf(id), (now) => pods.remove(id, now)),
      containerStatus: (id) => call("ContainerStatus", nameOf(id), () => pods.containerStatus(id)),
      listContainers: (labels) => call("ListContainers", "", () => pods.listContainers(labels)),
      containerStats: (id) => call("ContainerStats", nameOf(id), (now) => pods.containerUsage(id, now)),
      listContainerStats: (labels) => call("ListContainerStats", "", (now) => pods.listUsage(labels, now)),
      updateContainerResources: (id, resources) =>
        call("UpdateContainerResources", nameOf(id), () => pods.updateResources(id, resources)),
      reopenContainerLog: (id) => call("ReopenContainerLog", nameOf(id), () => pods.reopenLog(id)),
      exec: () => call("Exec", "", noStreaming),
      attach: () => call("Attach", "", noStreaming),
      portForward: () => call("PortForward", "", noStreaming),
      checkpointContainer: (id) => call("CheckpointContainer", nameOf(id), noCheckpoints),
      execSync: (id, command, timeoutSeconds) =>
        call("ExecSync", nameOf(id), () => pods.exec(id, command, timeoutSeconds)),
      imageStatus: (image) => call("ImageStatus", image, () => Effect.sync(() => images.find(image))),
      listImages: call("ListImages", "", () => Effect.sync(() => images.list())),
      sandboxImage: call("Status", "", () => Effect.succeed(options.sandboxImage)),
      pullImage: (image) => call("PullImage", image, () => images.pull(image)),
      removeImage: (image) => call("RemoveImage", image, () => Effect.sync(() => images.remove(image))),
      imageFilesystems: call("ImageFsInfo", "", (now) => Effect.sync(() => images.filesystems(now))),
      containerEvents: pods.events.stream(() => {
        note("GetContainerEvents")
        const refusal = (reason: CriError["reason"], message: string) =>
          new CriError({ reason, call: "GetContainerEvents", message })
        if (!reachable) return refusal("Unavailable", "connection refused")
        if (options.events === false) return refusal("Unimplemented", "method GetContainerEvents not implemented")
        return undefined
      })
    }
    return {
      runtime,
      layer: Layer.succeed(ContainerRuntime, runtime),
      exit: (id, code, oomKilled = false) =>
        Effect.map(Clock.currentTimeMillis, (now) => exitContainer(pods, id, { code, oomKilled }, now)),
      endSandbox: (id) => Effect.map(Clock.currentTimeMillis, (now) => pods.endSandbox(id, now)),
      setProgram: (program) =>
        Effect.sync(() => {
          pods.program = program
        }),
      addImage: (image) => Effect.sync(() => void images.add(image)),
      failPulls: (image, failure, times) => Effect.sync(() => images.failPulls(image, failure, times)),
      setReachable: (next) =>
        Effect.sync(() => {
          reachable = next
          if (!next) pods.events.breakOff()
        }),
      setCondition: (condition) => Effect.sync(() => void conditions.set(condition.type, condition)),
      calls
    }
  })

export const MemoryRuntime = { make }
