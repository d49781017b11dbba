/** What is mounted into a container (`pkg/kubelet/kubelet_pods.go` makeMounts). */
import { Result, Schema } from "effect"
import type { Mount } from "../../../adapters/cri/port.ts"
import type { VolumeMount } from "../../../events/pod-spec.ts"
import type { EnvironmentEntry } from "../environment/environment.ts"
import { expand } from "../environment/expansion.ts"
import { hostsFilePath, type NodeFacts, terminationLogPath } from "../node-facts.ts"
import type { PolicyContainer, PolicyPod } from "../spec-extension.ts"

/** A mount that cannot be made as the spec says, in kubelet's words. */
export class MountUnsatisfied extends Schema.TaggedError<MountUnsatisfied>()("MountUnsatisfied", {
  message: Schema.String
}) {}

type Outcome<A> = Result.Result<A, MountUnsatisfied>
const unsatisfied = (message: string) => Result.fail(new MountUnsatisfied({ message }))

/** Where a volume of the pod is on the node; `readOnly` where the volume itself is so. */
export interface MountedVolume {
  /** Empty where it is an image. */
  readonly hostPath: string
  readonly image?: NonNullable<Mount["image"]>
  readonly readOnly?: boolean
}

/**
 * `subPathExpr` with the container's variables put in (`pkg/kubelet/container/helpers.go` ExpandContainerVolumeMounts): a
 * variable that is missing or empty is a failure, since it would name another directory than was meant.
 */
export const expandSubPath = (
  { subPathExpr = "" }: Pick<VolumeMount, "subPathExpr">,
  env: ReadonlyArray<EnvironmentEntry>
): Outcome<string> => {
  const values = new Map(env.map(({ key, value }) => [key, value]))
  const missing = new Set<string>()
  const expanded = expand(subPathExpr, (name) => {
    const value = values.get(name) ?? ""
    if (value === "") missing.add(name)
    return value
  })
  return missing.size === 0
    ? Result.succeed(expanded)
    : unsatisfied(`missing value for ${[...missing].sort().join(", ")}`)
}

/** Path of a mount within its volume; empty: the volume itself. A path that an expression led to is not shown: it may be secret. */
export const subPathOf = (mount: VolumeMount, env: ReadonlyArray<EnvironmentEntry>): Outcome<string> => {
  const written = mount.subPathExpr ?? ""
  const path = written === "" ? Result.succeed(mount.subPath ?? "") : expandSubPath(mount, env)
  if (Result.isFailure(path)) return path
  const shown = written === "" ? path.success : written
  if (path.success.startsWith("/")) return unsatisfied(`error SubPath \`${shown}\` must not be an absolute path`)
  if (path.success.split("/").includes(".."))
    return unsatisfied(`unable to provision SubPath \`${shown}\`: must not contain '..'`)
  return path
}

/** Whether a mount is recursively read-only (KEP-3857, resolveRecursiveReadOnly). `supported`: by the runtime's handler. */
export const isRecursiveReadOnly = (mount: VolumeMount, supported: boolean): Outcome<boolean> => {
  const mode: string = mount.recursiveReadOnly ?? "Disabled"
  if (mode === "Disabled") return Result.succeed(false)
  if (mode !== "IfPossible" && mode !== "Enabled") return unsatisfied(`unknown recursive read-only mode "${mode}"`)
  if (mount.readOnly !== true) {
    return unsatisfied(`volume "${mount.name}" requested recursive read-only mode, but it is not read-only`)
  }
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None") {
    return unsatisfied(
      `volume "${mount.name}" requested recursive read-only mode, but it is not compatible with propagation ${mount.mountPropagation}`
    )
  }
  if (mode === "Enabled" && !supported) {
    return unsatisfied(
      `volume "${mount.name}" requested recursive read-only mode, but it is not supported by the runtime`
    )
  }
  return Result.succeed(supported)
}

const propagations = {
  None: undefined,
  HostToContainer: "PROPAGATION_HOST_TO_CONTAINER",
  Bidirectional: "PROPAGATION_BIDIRECTIONAL"
} as const

const hostsPath = "/etc/hosts"
const absolute = (path: string): string => (path.startsWith("/") ? path : `/${path}`)

export interface MountSources {
  /** Volumes of the pod that are ready, by name. */
  readonly volumes: ReadonlyMap<string, MountedVolume>
  /** Where the sub path of a mount has been made reachable on the node, by the mount's index in the container. */
  readonly subPaths: ReadonlyMap<number, string>
  readonly env: ReadonlyArray<EnvironmentEntry>
  readonly recursiveReadOnly: boolean
  /** Volumes whose files get the container's SELinux label. */
  readonly relabelled?: ReadonlySet<string>
}

export interface SubPathRequest {
  /** Of the mount in the container. */
  readonly index: number
  readonly volume: string
  readonly volumePath: string
  readonly subPath: string
}

/** What has to be made reachable before the mounts can be said: the sub paths of the container's mounts. */
export const subPathRequests = (
  container: PolicyContainer,
  sources: Pick<MountSources, "volumes" | "env">
): Outcome<ReadonlyArray<SubPathRequest>> => {
  const requests: Array<SubPathRequest> = []
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = sources.volumes.get(mount.name)
    if (volume === undefined) return noVolume(container, mount)
    const subPath = subPathOf(mount, sources.env)
    if (Result.isFailure(subPath)) return Result.fail(subPath.failure)
    // Within an image the runtime finds the way itself.
    if (subPath.success !== "" && volume.image === undefined)
      requests.push({ index, volume: mount.name, volumePath: volume.hostPath, subPath: subPath.success })
  }
  return Result.succeed(requests)
}

const noVolume = (container: PolicyContainer, { name }: VolumeMount) =>
  unsatisfied(`cannot find volume "${name}" to mount into container "${container.name}"`)

/** Files that were made for the pod are given its label; those of the host, and of images, keep theirs (`pkg/volume` GetAttributes). */
export const relabelledVolumes = ({ spec }: PolicyPod, node: Pick<NodeFacts, "selinux">): ReadonlySet<string> =>
  new Set(
    node.selinux === true
      ? (spec.volumes ?? [])
          .filter(({ hostPath, image }) => hostPath === undefined && image === undefined)
          .map(({ name }) => name)
      : []
  )

/** In the order of the spec. */
export const volumeMounts = (container: PolicyContainer, sources: MountSources): Outcome<ReadonlyArray<Mount>> => {
  const mounts: Array<Mount> = []
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = sources.volumes.get(mount.name)
    if (volume === undefined) return noVolume(container, mount)
    const subPath = subPathOf(mount, sources.env)
    if (Result.isFailure(subPath)) return Result.fail(subPath.failure)
    const isInVolume = subPath.success !== "" && volume.image === undefined
    const hostPath = isInVolume ? sources.subPaths.get(index) : volume.hostPath
    if (hostPath === undefined) {
      return unsatisfied(`failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`)
    }
    const recursive = isRecursiveReadOnly(mount, sources.recursiveReadOnly)
    if (Result.isFailure(recursive))
      return unsatisfied(`failed to resolve recursive read-only mode: ${recursive.failure.message}`)
    const propagation = propagations[mount.mountPropagation ?? "None"]
    mounts.push({
      containerPath: absolute(mount.mountPath),
      hostPath,
      ...(volume.image === undefined
        ? {}
        : { image: volume.image, ...(subPath.success === "" ? {} : { imageSubPath: subPath.success }) }),
      ...(mount.readOnly === true || volume.readOnly === true ? { readonly: true } : {}),
      ...(recursive.success ? { recursiveReadOnly: true } : {}),
      ...(sources.relabelled?.has(mount.name) === true ? { selinuxRelabel: true } : {}),
      ...(propagation === undefined ? {} : { propagation })
    })
  }
  return Result.succeed(mounts)
}

/** Files that the agent makes: the hosts file (unless the container mounts its own there) and the termination message. */
export const agentMounts = (
  pod: PolicyPod,
  container: PolicyContainer,
  node: NodeFacts,
  instance: { readonly attempt: number; readonly hostsFile: boolean }
): ReadonlyArray<Mount> => {
  const relabel = node.selinux === true ? { selinuxRelabel: true } : {}
  const ownHosts = container.volumeMounts?.some(({ mountPath }) => absolute(mountPath) === hostsPath) === true
  const message = container.terminationMessagePath ?? ""
  return [
    ...(instance.hostsFile && !ownHosts
      ? [{ containerPath: hostsPath, hostPath: hostsFilePath(node, pod.metadata.uid), ...relabel }]
      : []),
    ...(message === ""
      ? []
      : [
          {
            containerPath: absolute(message),
            hostPath: terminationLogPath(node, pod.metadata.uid, container.name, instance.attempt),
            ...relabel
          }
        ])
  ]
}
