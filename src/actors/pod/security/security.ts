/** Security settings as the runtime is told them (`pkg/kubelet/kuberuntime/security_context.go`, helpers_linux.go). */
import { Result, Schema } from "effect"
import type { ContainerConfig, SecurityProfile } from "../../../adapters/cri/port.ts"
import type { SeccompProfile } from "../../../events/pod-spec.ts"
import type { UserNamespace } from "../../../events/user-namespace.ts"
import { everyContainer, type PolicyContainer, type PolicyPod } from "../spec-extension.ts"
import { appArmorOf, appArmorProfile } from "./apparmor.ts"
import { podNamespaces } from "./namespaces.ts"

export class SecurityInvalid extends Schema.TaggedError<SecurityInvalid>()("SecurityInvalid", {
  container: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `container ${this.container}: ${this.problem}`
  }
}

/** Hidden from containers; `pkg/securitycontext/util.go`. */
export const defaultMaskedPaths: ReadonlyArray<string> = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap"
]
export const defaultReadonlyPaths: ReadonlyArray<string> = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger"
]

/** Largest user id that a container may have. */
const maxUserId = 2 ** 31 - 1

/** Who an image runs as: a number, or a name that only the image knows. */
export interface ImageUser {
  readonly uid?: number
  readonly username?: string
}
/** From the runtime's view of an image; without any it runs as root. */
export const imageUser = (image: { readonly uid: number | undefined; readonly username: string }): ImageUser =>
  image.uid !== undefined ? { uid: image.uid } : image.username !== "" ? { username: image.username } : { uid: 0 }

/** The container's profile, else the pod's, else the node's default. `root`: where local profiles are. */
export const seccompProfile = (
  own: SeccompProfile | undefined,
  whole: SeccompProfile | undefined,
  fallback: { readonly runtimeDefault: boolean; readonly root: string }
): Result.Result<SecurityProfile, string> => {
  const profile = own ?? whole
  if (profile === undefined)
    return Result.succeed({ profileType: fallback.runtimeDefault ? "RuntimeDefault" : "Unconfined" })
  if (profile.type !== "Localhost") return Result.succeed({ profileType: profile.type })
  return profile.localhostProfile
    ? Result.succeed({ profileType: "Localhost", localhostRef: `${fallback.root}/${profile.localhostProfile}` })
    : Result.fail("a Localhost seccomp profile names no localhostProfile")
}

/** Why `runAsNonRoot` forbids the container to run; `undefined`: it may. */
export const runAsNonRootProblem = (
  pod: PolicyPod,
  container: PolicyContainer,
  user: ImageUser
): string | undefined => {
  const own = container.securityContext
  const whole = pod.spec.securityContext
  if ((own?.runAsNonRoot ?? whole?.runAsNonRoot) !== true) return undefined
  const runAsUser = own?.runAsUser ?? whole?.runAsUser
  if (runAsUser !== undefined) return runAsUser === 0 ? "runAsUser is 0 and runAsNonRoot forbids it" : undefined
  if (user.uid === 0) return "the image runs as root and runAsNonRoot forbids it"
  if (user.uid !== undefined)
    return user.uid < 0 || user.uid > maxUserId
      ? `the image's user id ${user.uid} is not between 1 and ${maxUserId}, which runAsNonRoot needs`
      : undefined
  return user.username !== undefined && user.username !== ""
    ? `the image's user ${JSON.stringify(user.username)} is a name, and runAsNonRoot cannot tell whether it is root`
    : undefined
}

/** Supplementary groups of a pod; `fsGroup` is one of them. */
export const podGroups = (pod: PolicyPod): ReadonlyArray<number> => {
  const security = pod.spec.securityContext
  return [...(security?.fsGroup === undefined ? [] : [security.fsGroup]), ...(security?.supplementalGroups ?? [])]
}

/** Whether only the groups that the pod names count, and none that the image gives to its user (KEP-3619). */
export const isStrict = (pod: PolicyPod): boolean => pod.spec.securityContext?.supplementalGroupsPolicy === "Strict"

export const hasPrivilegedContainer = (pod: PolicyPod): boolean =>
  everyContainer(pod.spec).some((container) => container.securityContext?.privileged === true)

/**
 * CRI's names have no prefix: containerd puts one before whatever it gets, and leaves out what it does not know then. So
 * `CAP_NET_RAW`, which kubelet hands on as it is, would be dropped by nobody.
 */
const capability = (name: string): string => name.replace(/^CAP_/iu, "")

export interface SecurityOptions {
  readonly seccompDefault: boolean
  readonly seccompRoot: string
  readonly maskedPaths: ReadonlyArray<string>
  /** Ids of the pod's own user namespace. */
  readonly userNamespace?: UserNamespace | undefined
}

type ContainerSecurity = ContainerConfig["linux"]["securityContext"]

/** A container's own settings over the pod's, over the image's. */
export const containerSecurity = (
  pod: PolicyPod,
  container: PolicyContainer,
  user: ImageUser,
  options: SecurityOptions
): Result.Result<ContainerSecurity, SecurityInvalid> => {
  const own = container.securityContext
  const whole = pod.spec.securityContext
  const refuse = (problem: string) => Result.fail(new SecurityInvalid({ container: container.name, problem }))
  const forbidden = runAsNonRootProblem(pod, container, user)
  if (forbidden !== undefined) return refuse(forbidden)
  const seccomp = seccompProfile(own?.seccompProfile, whole?.seccompProfile, {
    runtimeDefault: options.seccompDefault,
    root: options.seccompRoot
  })
  if (Result.isFailure(seccomp)) return refuse(seccomp.failure)
  const apparmor = appArmorProfile(appArmorOf(pod, container))
  if (Result.isFailure(apparmor)) return refuse(apparmor.failure)

  const runAsUser = own?.runAsUser ?? whole?.runAsUser ?? user.uid
  const runAsGroup = own?.runAsGroup ?? whole?.runAsGroup
  const groups = podGroups(pod)
  const selinuxOptions = own?.seLinuxOptions ?? whole?.seLinuxOptions
  const unmasked = own?.procMount === "Unmasked"
  return Result.succeed({
    namespaceOptions: podNamespaces(pod, options.userNamespace),
    seccomp: seccomp.success,
    ...(apparmor.success === undefined ? {} : { apparmor: apparmor.success }),
    ...(selinuxOptions === undefined ? {} : { selinuxOptions }),
    maskedPaths: unmasked ? [] : [...defaultMaskedPaths, ...options.maskedPaths],
    readonlyPaths: unmasked ? [] : defaultReadonlyPaths,
    ...(own?.capabilities === undefined
      ? {}
      : {
          capabilities: {
            addCapabilities: (own.capabilities.add ?? []).map(capability),
            dropCapabilities: (own.capabilities.drop ?? []).map(capability)
          }
        }),
    ...(own?.privileged === true ? { privileged: true } : {}),
    ...(runAsUser === undefined
      ? user.username === undefined
        ? {}
        : { runAsUsername: user.username }
      : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    ...(own?.readOnlyRootFilesystem === true ? { readonlyRootfs: true } : {}),
    ...(groups.length === 0 ? {} : { supplementalGroups: groups }),
    ...(isStrict(pod) ? { supplementalGroupsPolicy: "Strict" as const } : {}),
    ...(own?.allowPrivilegeEscalation === false ? { noNewPrivs: true } : {})
  })
}
