/** CRI messages as the port's values. Pure. An answer that makes no sense throws `Nonsense`, which the caller makes `Protocol`. */
import {
  CgroupDriver,
  type ContainerEventResponse,
  ContainerEventType,
  type ContainerMetadata,
  ContainerState,
  type ImageFsInfoResponse,
  MountPropagation,
  type Container as PbContainer,
  type ContainerStats as PbContainerStats,
  type ContainerStatus as PbContainerStatus,
  type FilesystemUsage as PbFilesystemUsage,
  type Image as PbImage,
  type PodSandbox,
  type PodSandboxMetadata,
  PodSandboxState,
  type PodSandboxStatus,
  type RuntimeConfigResponse,
  Signal,
  type StatusResponse
} from "./generated/api_pb.js"
import type {
  Container,
  ContainerEvent,
  ContainerStatus,
  ContainerUsage,
  FilesystemUsage,
  Image,
  ImageFilesystems,
  Mount,
  RuntimeStatus,
  Sandbox,
  SandboxConfig,
  SandboxStatus
} from "./port.ts"

export class Nonsense extends Error {}

const nonEmpty = (value: string, what: string): string => {
  if (value === "") throw new Nonsense(`the answer has an empty ${what}`)
  return value
}

/** Containers, sandboxes and images are named by their ids in every later call. */
export const idOf = (value: string): string => nonEmpty(value, "id")

const nanosecondsPerMillisecond = 1_000_000n

/** From nanoseconds since the epoch to RFC 3339 with milliseconds; 0 means never. */
const timeOf = (nanoseconds: bigint): string | undefined => {
  if (nanoseconds === 0n) return undefined
  const date = new Date(Number(nanoseconds / nanosecondsPerMillisecond))
  if (nanoseconds < 0n || Number.isNaN(date.getTime())) throw new Nonsense(`the answer has the time ${nanoseconds}`)
  return date.toISOString()
}

/**
 * The epoch where it is not told: containerd lists a container so whose status a power failure took, beside all that are
 * well (kubelet reads it so too).
 */
const createdAt = (nanoseconds: bigint): string => timeOf(nanoseconds) ?? new Date(0).toISOString()

const sandboxMetadata = (metadata: PodSandboxMetadata | undefined): SandboxConfig["metadata"] => {
  if (metadata === undefined) throw new Nonsense("a sandbox has no metadata")
  const { name, uid, namespace, attempt } = metadata
  return { name, uid, namespace, attempt }
}

const containerMetadata = (metadata: ContainerMetadata | undefined): { name: string; attempt: number } => {
  if (metadata === undefined) throw new Nonsense("a container has no metadata")
  return { name: metadata.name, attempt: metadata.attempt }
}

/** A number that this definition does not know comes from a newer runtime: the text is then missing from the enum. */
const sandboxState = (state: PodSandboxState): Sandbox["state"] => {
  const name = PodSandboxState[state] as Sandbox["state"] | undefined
  if (name === undefined) throw new Nonsense(`a sandbox has the unknown state ${state}`)
  return name
}

const containerState = (state: ContainerState): Container["state"] =>
  (ContainerState[state] as Container["state"] | undefined) ?? "CONTAINER_UNKNOWN"

export const decodeSandbox = (sandbox: PodSandbox | PodSandboxStatus): Sandbox => ({
  id: idOf(sandbox.id),
  metadata: sandboxMetadata(sandbox.metadata),
  state: sandboxState(sandbox.state),
  createdAt: createdAt(sandbox.createdAt),
  labels: sandbox.labels,
  annotations: sandbox.annotations
})

export const decodeSandboxStatus = (status: PodSandboxStatus | undefined): SandboxStatus => {
  if (status === undefined) throw new Nonsense("the answer has no status")
  const { ip = "", additionalIps = [] } = status.network ?? {}
  return { ...decodeSandbox(status), ips: [ip, ...additionalIps.map((more) => more.ip)].filter((text) => text !== "") }
}

export const decodeContainer = (container: PbContainer): Container => ({
  id: idOf(container.id),
  podSandboxId: nonEmpty(container.podSandboxId, "sandbox id"),
  metadata: containerMetadata(container.metadata),
  image: container.image?.image ?? "",
  imageRef: container.imageRef,
  state: containerState(container.state),
  createdAt: createdAt(container.createdAt),
  labels: container.labels,
  annotations: container.annotations
})

const decodeMount = (mount: PbContainerStatus["mounts"][number]): Mount => ({
  containerPath: mount.containerPath,
  hostPath: mount.hostPath,
  readonly: mount.readonly,
  selinuxRelabel: mount.selinuxRelabel,
  propagation:
    (MountPropagation[mount.propagation] as NonNullable<Mount["propagation"]> | undefined) ?? "PROPAGATION_PRIVATE"
})

export const decodeContainerStatus = (status: PbContainerStatus | undefined): ContainerStatus => {
  if (status === undefined) throw new Nonsense("the answer has no status")
  return {
    id: idOf(status.id),
    metadata: containerMetadata(status.metadata),
    state: containerState(status.state),
    createdAt: createdAt(status.createdAt),
    startedAt: timeOf(status.startedAt),
    finishedAt: timeOf(status.finishedAt),
    exitCode: status.exitCode,
    image: status.image?.image ?? "",
    imageRef: status.imageRef,
    reason: status.reason,
    message: status.message,
    labels: status.labels,
    annotations: status.annotations,
    mounts: status.mounts.map(decodeMount),
    logPath: status.logPath,
    ...stopSignal(status.stopSignal),
    ...userOf(status.user?.linux)
  }
}

const userOf = (user: NonNullable<PbContainerStatus["user"]>["linux"]): Pick<ContainerStatus, "user"> =>
  user === undefined
    ? {}
    : {
        user: {
          uid: Number(user.uid),
          gid: Number(user.gid),
          supplementalGroups: user.supplementalGroups.map(Number)
        }
      }

/** `SIGRTMINPLUS3` of the protocol is `SIGRTMIN+3`. The default, or a number of a newer runtime: none is told. */
const stopSignal = (number: Signal): Pick<ContainerStatus, "stopSignal"> => {
  const name = Signal[number] as string | undefined
  return number === Signal.RUNTIME_DEFAULT || name === undefined
    ? {}
    : { stopSignal: name.replace("PLUS", "+").replace("MINUS", "-") }
}

export const decodeImage = (image: PbImage): Image => ({
  id: idOf(image.id),
  repoTags: image.repoTags,
  repoDigests: image.repoDigests,
  size: Number(image.size),
  uid: image.uid === undefined ? undefined : Number(image.uid.value),
  username: image.username,
  pinned: image.pinned
})

/** containerd tells its configuration as JSON where it is asked for more (`Status`, verbose): `sandboxImage` up to 1.7. */
export const decodeSandboxImage = ({ info }: StatusResponse): string | undefined => {
  const text = info.config
  if (text === undefined) return undefined
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch {
    return undefined
  }
  const name = (config as { readonly sandboxImage?: unknown } | null)?.sandboxImage
  return typeof name === "string" && name !== "" ? name : undefined
}

export const decodeCgroupDriver = (response: RuntimeConfigResponse): "cgroupfs" | "systemd" => {
  switch (response.linux?.cgroupDriver) {
    case CgroupDriver.CGROUPFS:
      return "cgroupfs"
    case CgroupDriver.SYSTEMD:
      return "systemd"
    default:
      throw new Nonsense("the answer names no cgroup driver")
  }
}

export const decodeStatus = ({ status, runtimeHandlers, features }: StatusResponse): RuntimeStatus => {
  if (status === undefined) throw new Nonsense("the answer has no status")
  return {
    conditions: status.conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
    handlers: runtimeHandlers.map(({ name, features }) => ({
      name,
      recursiveReadOnlyMounts: features?.recursiveReadOnlyMounts ?? false,
      userNamespaces: features?.userNamespaces ?? false
    })),
    supplementalGroupsPolicy: features?.supplementalGroupsPolicy ?? false
  }
}

/** Undefined for a type of event that this definition does not know: it is only a hint. */
export const decodeContainerEvent = (event: ContainerEventResponse): ContainerEvent | undefined => {
  const type = ContainerEventType[event.containerEventType] as ContainerEvent["type"] | undefined
  if (type === undefined) return undefined
  const metadata = event.podSandboxStatus?.metadata
  return {
    containerId: idOf(event.containerId),
    type,
    createdAt: createdAt(event.createdAt),
    pod: metadata && { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid }
  }
}

const millisOf = (nanoseconds: bigint): number => Number(nanoseconds / nanosecondsPerMillisecond)
type Wrapped = { readonly value: bigint } | undefined
const numberIn = <K extends string>(key: K, wrapped: Wrapped): { readonly [P in K]?: number } =>
  (wrapped === undefined ? {} : { [key]: Number(wrapped.value) }) as { readonly [P in K]?: number }

const filesystemUsage = ({ timestamp, fsId, usedBytes, inodesUsed }: PbFilesystemUsage): FilesystemUsage => ({
  at: millisOf(timestamp),
  mountpoint: fsId?.mountpoint ?? "",
  ...numberIn("usedBytes", usedBytes),
  ...numberIn("inodesUsed", inodesUsed)
})

export const decodeImageFilesystems = (response: ImageFsInfoResponse): ImageFilesystems => ({
  images: response.imageFilesystems.map(filesystemUsage),
  containers: response.containerFilesystems.map(filesystemUsage)
})

export const decodeContainerStats = (stats: PbContainerStats | undefined): ContainerUsage => {
  const { attributes, cpu, memory, writableLayer } = stats ?? {}
  if (attributes === undefined) throw new Nonsense("what a container uses has no attributes")
  return {
    id: idOf(attributes.id),
    name: attributes.metadata?.name ?? "",
    ...(cpu?.usageCoreNanoSeconds === undefined
      ? {}
      : { cpu: { at: millisOf(cpu.timestamp), usage: Number(cpu.usageCoreNanoSeconds.value) } }),
    ...(memory?.workingSetBytes === undefined
      ? {}
      : {
          memory: {
            at: millisOf(memory.timestamp),
            workingSet: Number(memory.workingSetBytes.value),
            ...numberIn("usage", memory.usageBytes),
            ...numberIn("rss", memory.rssBytes)
          }
        }),
    ...(writableLayer === undefined ? {} : { writableLayer: filesystemUsage(writableLayer) })
  }
}
