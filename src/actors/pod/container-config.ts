/** A container as the runtime is asked for it (`pkg/kubelet/kuberuntime/kuberuntime_container.go` generateContainerConfig). */
import { Result, Schema } from "effect"
import type { ContainerConfig, Mount } from "../../adapters/cri/port.ts"
import type { UserNamespace } from "../../events/user-namespace.ts"
import { environment, expandCommand } from "./environment.ts"
import { containerAnnotations, containerLabels } from "./labels.ts"
import { targetNamespaces } from "./namespaces.ts"
import { containerLogPath, hostsFilePath, type NodeFacts, terminationLogPath } from "./node-facts.ts"
import { containerResources } from "./resources.ts"
import { containerSecurity, type ImageUser, type SecurityInvalid } from "./security.ts"
import type { PolicyContainer, PolicyPod } from "./spec-extension.ts"
import { idMappings } from "./user-namespace.ts"

export class MountUnsatisfied extends Schema.TaggedError<MountUnsatisfied>()("MountUnsatisfied", {
  container: Schema.String,
  volume: Schema.String
}) {
  override get message(): string {
    return `container ${this.container} mounts volume ${this.volume}, which the pod does not have or which is not ready`
  }
}

/** What of this instance is not in the pod's definition. */
export interface ContainerInstance {
  /** 0 for the first; the restart count. */
  readonly attempt: number
  /** Id of the image to run. */
  readonly imageId: string
  readonly imageUser: ImageUser
  /** Where each volume of the pod is on the node, by name; `readOnly` where the volume itself is so. */
  readonly volumes: ReadonlyMap<string, { readonly hostPath: string; readonly readOnly?: boolean }>
  /** Variables of Services, by name. */
  readonly serviceVariables?: ReadonlyMap<string, string>
  /** Id of the container whose processes it is to see (`targetContainerName`). */
  readonly targetId?: string
  /** Ids of the pod's own user namespace: files of all mounts are the container's by them. */
  readonly userNamespace?: UserNamespace
  /** Whether the pod's hosts file has been written (it is, once the pod has an address). */
  readonly hostsFile: boolean
}

const hostsPath = "/etc/hosts"
const propagations = {
  None: undefined,
  HostToContainer: "PROPAGATION_HOST_TO_CONTAINER",
  Bidirectional: "PROPAGATION_BIDIRECTIONAL"
} as const

const absolute = (path: string): string => (path.startsWith("/") ? path : `/${path}`)

const volumeMounts = (
  container: PolicyContainer,
  volumes: ContainerInstance["volumes"]
): Result.Result<ReadonlyArray<Mount>, MountUnsatisfied> => {
  const mounts: Array<Mount> = []
  for (const { name, mountPath, readOnly, mountPropagation } of container.volumeMounts ?? []) {
    const volume = volumes.get(name)
    if (volume === undefined) return Result.fail(new MountUnsatisfied({ container: container.name, volume: name }))
    const propagation = propagations[mountPropagation ?? "None"]
    mounts.push({
      containerPath: absolute(mountPath),
      hostPath: volume.hostPath,
      ...(readOnly === true || volume.readOnly === true ? { readonly: true } : {}),
      ...(propagation === undefined ? {} : { propagation })
    })
  }
  return Result.succeed(mounts)
}

/** Files that the agent makes: the hosts file (unless the container mounts its own there) and the termination message. */
const agentMounts = (
  pod: PolicyPod,
  container: PolicyContainer,
  node: NodeFacts,
  instance: ContainerInstance
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

/** Fails where a volume is missing or the security settings contradict each other: kubelet's CreateContainerConfigError. */
export const containerConfig = (
  pod: PolicyPod,
  container: PolicyContainer,
  node: NodeFacts,
  instance: ContainerInstance
): Result.Result<ContainerConfig, MountUnsatisfied | SecurityInvalid> => {
  const mounts = volumeMounts(container, instance.volumes)
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
  const envs = environment(container.env, instance.serviceVariables)
  return Result.succeed({
    metadata: { name: container.name, attempt: instance.attempt },
    image: { image: instance.imageId, userSpecifiedImage: container.image },
    ...expandCommand(container, envs),
    ...(container.workingDir === undefined ? {} : { workingDir: container.workingDir }),
    envs,
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
