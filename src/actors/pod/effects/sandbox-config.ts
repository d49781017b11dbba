/** The sandbox of a pod as the runtime is asked for it (`pkg/kubelet/kuberuntime/kuberuntime_sandbox.go`). */
import { Result } from "effect"
import type { SandboxConfig } from "../../../adapters/cri/port.ts"
import { dottedSysctl } from "../../../events/sysctl-name.ts"
import type { UserNamespace } from "../../../events/user-namespace.ts"
import { type ConfigOrigin, sandboxAnnotations, sandboxLabels } from "../labels.ts"
import { podDns } from "../network/dns.ts"
import { type HostnameInvalid, podHostname, sandboxHostname } from "../network/hostname.ts"
import { portMappings } from "../network/ports.ts"
import { type NodeFacts, podLogDirectory } from "../node-facts.ts"
import { podCgroupPath } from "../resources/pod-cgroup.ts"
import { overheadResources, sandboxResources } from "../resources/resources.ts"
import { podNamespaces } from "../security/namespaces.ts"
import { hasPrivilegedContainer, isStrict, podGroups } from "../security/security.ts"
import { initContainersOf, isSidecar, type PolicyPod } from "../spec-extension.ts"

const sandboxSecurity = (
  pod: PolicyPod,
  userNamespace: UserNamespace | undefined
): SandboxConfig["linux"]["securityContext"] => {
  const security = pod.spec.securityContext
  const groups = podGroups(pod)
  return {
    namespaceOptions: podNamespaces(pod, userNamespace),
    // The pause process needs no more than the runtime's default allows, whatever the containers ask for.
    seccomp: { profileType: "RuntimeDefault" },
    ...(hasPrivilegedContainer(pod) ? { privileged: true } : {}),
    ...(security?.runAsUser === undefined ? {} : { runAsUser: security.runAsUser }),
    ...(security?.runAsGroup === undefined ? {} : { runAsGroup: security.runAsGroup }),
    ...(groups.length === 0 ? {} : { supplementalGroups: groups }),
    ...(isStrict(pod) ? { supplementalGroupsPolicy: "Strict" as const } : {}),
    ...(security?.seLinuxOptions === undefined ? {} : { selinuxOptions: security.seLinuxOptions })
  }
}

/** `attempt`: 0 for the pod's first sandbox. Fails where the pod's names make no host name. */
export const sandboxConfig = (
  pod: PolicyPod,
  node: NodeFacts,
  attempt: number,
  origin?: ConfigOrigin,
  userNamespace?: UserNamespace
): Result.Result<SandboxConfig, HostnameInvalid> => {
  const hostname = Result.flatMap(podHostname(pod, node.clusterDomain), (names) => sandboxHostname(pod, names))
  if (Result.isFailure(hostname)) return Result.fail(hostname.failure)
  const { metadata, spec } = pod
  const ports = [...spec.containers, ...initContainersOf(spec).filter(isSidecar)].flatMap(portMappings)
  const sysctls = spec.securityContext?.sysctls ?? []
  return Result.succeed({
    metadata: { name: metadata.name, uid: metadata.uid, namespace: metadata.namespace, attempt },
    hostname: hostname.success,
    logDirectory: podLogDirectory(node, pod),
    dnsConfig: podDns(pod, node).config,
    ...(ports.length === 0 ? {} : { portMappings: ports }),
    labels: sandboxLabels(pod),
    annotations: sandboxAnnotations(pod, origin),
    linux: {
      cgroupParent: podCgroupPath(pod, node),
      securityContext: sandboxSecurity(pod, userNamespace),
      ...(sysctls.length === 0
        ? {}
        : { sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [dottedSysctl(name), value])) }),
      overhead: overheadResources(pod, node),
      resources: sandboxResources(pod, node)
    }
  })
}
