/** A container as the runtime is asked for it (`pkg/kubelet/kuberuntime/kuberuntime_container.go` generateContainerConfig). */
import { Result } from "effect"
import type { ContainerConfig } from "../../../adapters/cri/port.ts"
import type { UserNamespace } from "../../../events/user-namespace.ts"
import { type EnvironmentEntry, expandCommand } from "../environment/environment.ts"
import { containerAnnotations, containerLabels } from "../labels.ts"
import { containerLogPath, type NodeFacts } from "../node-facts.ts"
import { containerResources } from "../resources/resources.ts"
import { targetNamespaces } from "../security/namespaces.ts"
import { containerSecurity, type ImageUser, type SecurityInvalid } from "../security/security.ts"
import { idMappings } from "../security/user-namespace.ts"
import type { PolicyContainer, PolicyPod } from "../spec-extension.ts"
import { agentMounts, type MountedVolume, type MountUnsatisfied, relabelledVolumes, volumeMounts } from "./mounts.ts"

/** What of this instance is not in the pod's definition. */
export interface ContainerInstance {
  /** 0 for the first; the restart count. */
  readonly attempt: number
  /** Id of the image to run. */
  readonly imageId: string
  readonly imageUser: ImageUser
  /** Id of the container whose processes it is to see (`targetContainerName`). */
  readonly targetId?: string
  /** Ids of the pod's own user namespace: files of all mounts are the container's by them. */
  readonly userNamespace?: UserNamespace
  /** Volumes of the pod that are ready, by name. */
  readonly volumes: ReadonlyMap<string, MountedVolume>
  readonly env: ReadonlyArray<EnvironmentEntry>
  /** Where the sub paths of its mounts are reachable, by the mount's index; absent: it has none. */
  readonly subPaths?: ReadonlyMap<number, string>
  /** Whether the runtime's handler can make a mount recursively read-only. */
  readonly recursiveReadOnly?: boolean
  /** Whether the pod's hosts file has been written (it is, once the pod has an address). */
  readonly hostsFile: boolean
}

/** Fails where a volume is missing or the security settings contradict each other: kubelet's CreateContainerConfigError. */
export const containerConfig = (
  pod: PolicyPod,
  container: PolicyContainer,
  node: NodeFacts,
  instance: ContainerInstance
): Result.Result<ContainerConfig, MountUnsatisfied | SecurityInvalid> => {
  const { env } = instance
  const mounts = volumeMounts(container, {
    volumes: instance.volumes,
    env,
    subPaths: instance.subPaths ?? new Map(),
    recursiveReadOnly: instance.recursiveReadOnly === true,
    relabelled: relabelledVolumes(pod, node)
  })
  if (Result.isFailure(mounts)) return Result.fail(mounts.failure)
  const security = containerSecurity(pod, container, instance.imageUser, {
    seccompDefault: node.seccompDefault === true,
    seccompRoot: `${node.rootDir}/seccomp`,
    maskedPaths: node.maskedPaths ?? [],
    userNamespace: instance.userNamespace
  })
  if (Result.isFailure(security)) return Result.fail(security.failure)

  const securityContext = {
    ...security.success,
    namespaceOptions: targetNamespaces(security.success.namespaceOptions, instance.targetId)
  }
  return Result.succeed({
    metadata: { name: container.name, attempt: instance.attempt },
    image: { image: instance.imageId, userSpecifiedImage: container.image },
    ...expandCommand(container, env),
    ...(container.workingDir === undefined ? {} : { workingDir: container.workingDir }),
    envs: env,
    mounts: [...mounts.success, ...agentMounts(pod, container, node, instance)].map((mount) =>
      instance.userNamespace === undefined ? mount : { ...mount, idMappings: idMappings(instance.userNamespace) }
    ),
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, instance.attempt),
    logPath: containerLogPath(container.name, instance.attempt),
    ...(container.stdin === true ? { stdin: true } : {}),
    ...(container.stdinOnce === true ? { stdinOnce: true } : {}),
    ...(container.tty === true ? { tty: true } : {}),
    ...(container.lifecycle?.stopSignal === undefined ? {} : { stopSignal: container.lifecycle.stopSignal }),
    linux: { resources: containerResources(pod, container, node), securityContext }
  })
}
