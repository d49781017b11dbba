/** The port over gRPC: what a kubelet's remote runtime service is (pkg/kubelet/cri-client upstream). */
import { Effect, Layer, type Scope } from "effect"
import { type Channel, openChannel } from "./channel.ts"
import {
  decodeCgroupDriver,
  decodeContainer,
  decodeContainerEvent,
  decodeContainerStats,
  decodeContainerStatus,
  decodeImage,
  decodeImageFilesystems,
  decodeSandbox,
  decodeSandboxImage,
  decodeSandboxStatus,
  decodeStatus,
  idOf
} from "./decode.ts"
import { encodeAuthConfig, encodeContainerConfig, encodeResources, encodeSandboxConfig } from "./encode.ts"
import { ContainerSchema, ImageService, PodSandboxSchema, RuntimeService } from "./generated/api_pb.js"
import { makeListing } from "./listing.ts"
import { ContainerRuntime, type CriError, deadlines, type Labels, type StreamOptions } from "./port.ts"

export interface CriRuntimeOptions {
  /** `unix:///run/containerd/containerd.sock`; an absolute path is taken too. */
  readonly endpoint: string
  /** Milliseconds; default: the port's. */
  readonly deadlines?: Partial<Record<keyof typeof deadlines, number>>
}

type Service = ContainerRuntime["Service"]

/** What a kubelet sends: the version of its own runtime interface (kubeRuntimeAPIVersion). */
const kubeletApiVersion = "0.1.0"
const millisecondsPerSecond = 1_000

const filterOf = (labels: Labels) => ({ filter: { labelSelector: { ...labels } } })
const nothing = () => undefined
/** The wire has whole seconds, and 0 means something else: for ever to an exec, at once to a stop. */
const wholeSeconds = (seconds: number): bigint => BigInt(Math.ceil(Math.max(0, seconds)))

/** Newer runtimes answer so themselves; containerd before 2.0 says NotFound when asked to stop what is gone. */
const goneIsDone = (call: Effect.Effect<void, CriError>): Effect.Effect<void, CriError> =>
  Effect.catchIf(
    call,
    (error) => error.reason === "NotFound",
    () => Effect.void
  )

const all = (labels: Labels): boolean => Object.keys(labels).length === 0

const sandboxCalls = ({ unary, unaryBytes }: Channel, limit: Record<keyof typeof deadlines, number>) => {
  const everySandbox = makeListing(PodSandboxSchema, PodSandboxSchema.field.state.number, decodeSandbox)
  return {
    runPodSandbox: (config, runtimeHandler) =>
      unary(
        RuntimeService.method.runPodSandbox,
        limit.request,
        () => ({ config: encodeSandboxConfig(config), runtimeHandler }),
        (response) => idOf(response.podSandboxId)
      ),
    stopPodSandbox: (podSandboxId) =>
      goneIsDone(unary(RuntimeService.method.stopPodSandbox, limit.request, () => ({ podSandboxId }), nothing)),
    removePodSandbox: (podSandboxId) =>
      goneIsDone(unary(RuntimeService.method.removePodSandbox, limit.request, () => ({ podSandboxId }), nothing)),
    podSandboxStatus: (podSandboxId) =>
      unary(
        RuntimeService.method.podSandboxStatus,
        limit.quick,
        () => ({ podSandboxId }),
        (response) => decodeSandboxStatus(response.status)
      ),
    listPodSandboxes: (labels) =>
      all(labels)
        ? unaryBytes(RuntimeService.method.listPodSandbox, limit.quick, () => ({}), everySandbox)
        : unary(
            RuntimeService.method.listPodSandbox,
            limit.quick,
            () => filterOf(labels),
            (response) => response.items.map(decodeSandbox)
          )
  } satisfies Partial<Service>
}

const containerCalls = ({ unary, unaryBytes }: Channel, limit: Record<keyof typeof deadlines, number>) => {
  const everyContainer = makeListing(ContainerSchema, ContainerSchema.field.state.number, decodeContainer)
  return {
    createContainer: (podSandboxId, config, sandbox) =>
      unary(
        RuntimeService.method.createContainer,
        limit.request,
        () => ({ podSandboxId, config: encodeContainerConfig(config), sandboxConfig: encodeSandboxConfig(sandbox) }),
        (response) => idOf(response.containerId)
      ),
    startContainer: (containerId) =>
      unary(RuntimeService.method.startContainer, limit.request, () => ({ containerId }), nothing),
    stopContainer: (containerId, graceSeconds) =>
      goneIsDone(
        unary(
          RuntimeService.method.stopContainer,
          // The runtime answers after the grace at the latest, plus the time that any call may take.
          limit.request + Math.max(0, graceSeconds) * millisecondsPerSecond,
          () => ({ containerId, timeout: wholeSeconds(graceSeconds) }),
          nothing
        )
      ),
    removeContainer: (containerId) =>
      goneIsDone(unary(RuntimeService.method.removeContainer, limit.request, () => ({ containerId }), nothing)),
    containerStatus: (containerId) =>
      unary(
        RuntimeService.method.containerStatus,
        limit.quick,
        () => ({ containerId }),
        (response) => decodeContainerStatus(response.status)
      ),
    listContainers: (labels) =>
      all(labels)
        ? unaryBytes(RuntimeService.method.listContainers, limit.quick, () => ({}), everyContainer)
        : unary(
            RuntimeService.method.listContainers,
            limit.quick,
            () => filterOf(labels),
            (response) => response.containers.map(decodeContainer)
          ),
    containerStats: (containerId) =>
      unary(
        RuntimeService.method.containerStats,
        limit.quick,
        () => ({ containerId }),
        (response) => decodeContainerStats(response.stats)
      ),
    listContainerStats: (labels) =>
      unary(
        RuntimeService.method.listContainerStats,
        limit.quick,
        () => (all(labels) ? {} : filterOf(labels)),
        (response) => response.stats.map(decodeContainerStats)
      ),
    updateContainerResources: (containerId, resources) =>
      unary(
        RuntimeService.method.updateContainerResources,
        limit.request,
        () => ({ containerId, linux: encodeResources(resources) }),
        nothing
      ),
    reopenContainerLog: (containerId) =>
      unary(RuntimeService.method.reopenContainerLog, limit.quick, () => ({ containerId }), nothing),
    execSync: (containerId, command, timeoutSeconds) =>
      unary(
        RuntimeService.method.execSync,
        // The runtime keeps the timeout itself; ours leaves it time to clean up, as kubelet's does.
        timeoutSeconds > 0 ? timeoutSeconds * millisecondsPerSecond + limit.quick : limit.request,
        () => ({ containerId, cmd: [...command], timeout: wholeSeconds(timeoutSeconds) }),
        ({ stdout, stderr, exitCode }) => ({ stdout, stderr, exitCode })
      )
  } satisfies Partial<Service>
}

/** With a terminal there is no stderr of its own: the runtime refuses both. */
const streamsOf = ({ stdin, tty, stdout, stderr }: StreamOptions) => ({
  ...{ stdin, tty },
  stdout: stdout ?? true,
  stderr: !tty && (stderr ?? true)
})

const streamingCalls = ({ unary }: Channel, limit: Record<keyof typeof deadlines, number>) =>
  ({
    exec: (containerId, command, streams) =>
      unary(
        RuntimeService.method.exec,
        limit.quick,
        () => ({ containerId, cmd: [...command], ...streamsOf(streams) }),
        (response) => idOf(response.url)
      ),
    attach: (containerId, streams) =>
      unary(
        RuntimeService.method.attach,
        limit.quick,
        () => ({ containerId, ...streamsOf(streams) }),
        (response) => idOf(response.url)
      ),
    portForward: (podSandboxId, ports) =>
      unary(
        RuntimeService.method.portForward,
        limit.quick,
        () => ({ podSandboxId, port: [...ports] }),
        (response) => idOf(response.url)
      ),
    checkpointContainer: (containerId, location, timeoutSeconds) =>
      unary(
        RuntimeService.method.checkpointContainer,
        timeoutSeconds > 0 ? timeoutSeconds * millisecondsPerSecond + limit.quick : limit.request,
        () => ({ containerId, location, timeout: wholeSeconds(timeoutSeconds) }),
        nothing
      )
  }) satisfies Partial<Service>

const imageCalls = ({ unary }: Channel, limit: Record<keyof typeof deadlines, number>) =>
  ({
    imageStatus: (image) =>
      unary(
        ImageService.method.imageStatus,
        limit.quick,
        () => ({ image: { image } }),
        (response) => response.image && decodeImage(response.image)
      ),
    listImages: unary(
      ImageService.method.listImages,
      limit.quick,
      () => ({}),
      (response) => response.images.map(decodeImage)
    ),
    pullImage: (image, sandbox, auth) =>
      unary(
        ImageService.method.pullImage,
        limit.pull,
        () => ({
          image: { image },
          ...(auth && { auth: encodeAuthConfig(auth) }),
          ...(sandbox && { sandboxConfig: encodeSandboxConfig(sandbox) })
        }),
        (response) => idOf(response.imageRef)
      ),
    removeImage: (image) =>
      unary(ImageService.method.removeImage, limit.request, () => ({ image: { image } }), nothing),
    imageFilesystems: unary(ImageService.method.imageFsInfo, limit.quick, () => ({}), decodeImageFilesystems)
  }) satisfies Partial<Service>

const make = (options: CriRuntimeOptions): Effect.Effect<Service, CriError, Scope.Scope> =>
  Effect.gen(function* () {
    const channel = yield* openChannel(options.endpoint)
    const limit = { ...deadlines, ...options.deadlines }
    return ContainerRuntime.of({
      endpoint: options.endpoint,
      version: channel.unary(
        RuntimeService.method.version,
        limit.quick,
        () => ({ version: kubeletApiVersion }),
        ({ runtimeName, runtimeVersion, runtimeApiVersion }) => ({ runtimeName, runtimeVersion, runtimeApiVersion })
      ),
      status: channel.unary(RuntimeService.method.status, limit.quick, () => ({}), decodeStatus),
      sandboxImage: channel.unary(
        RuntimeService.method.status,
        limit.quick,
        () => ({ verbose: true }),
        decodeSandboxImage
      ),
      cgroupDriver: channel.unary(RuntimeService.method.runtimeConfig, limit.quick, () => ({}), decodeCgroupDriver),
      ...sandboxCalls(channel, limit),
      ...containerCalls(channel, limit),
      ...streamingCalls(channel, limit),
      ...imageCalls(channel, limit),
      containerEvents: channel.serverStream(RuntimeService.method.getContainerEvents, {}, decodeContainerEvent)
    })
  })

export const CriRuntime = {
  make,
  /** Connects on the first call and reconnects by itself; fails only for an endpoint that is none. */
  layer: (options: CriRuntimeOptions): Layer.Layer<ContainerRuntime, CriError> =>
    Layer.effect(ContainerRuntime, make(options))
}
