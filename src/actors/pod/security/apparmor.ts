/** AppArmor profiles of containers (`pkg/kubelet/kuberuntime/helpers.go` getAppArmorProfile, `pkg/security/apparmor`). */
import { Result } from "effect"
import type { SecurityProfile } from "../../../adapters/cri/port.ts"
import type { AppArmorProfile } from "../../../events/pod-spec.ts"
import type { Refusal } from "../admission/refusal.ts"
import { everyContainer, type PolicyContainer, type PolicyPod } from "../spec-extension.ts"

/** `<prefix><container>: runtime/default | unconfined | localhost/<name>`, from before there were fields for it. */
const annotationPrefix = "container.apparmor.security.beta.kubernetes.io/"
const localhostPrefix = "localhost/"

const ofAnnotation = (pod: PolicyPod, container: string): AppArmorProfile | undefined => {
  const text = pod.metadata.annotations?.[`${annotationPrefix}${container}`]
  if (text === "runtime/default") return { type: "RuntimeDefault" }
  if (text === "unconfined") return { type: "Unconfined" }
  return text?.startsWith(localhostPrefix) === true
    ? { type: "Localhost", localhostProfile: text.slice(localhostPrefix.length) }
    : undefined
}

/** The container's own, else that of its annotation, else the pod's. */
export const appArmorOf = (pod: PolicyPod, container: PolicyContainer): AppArmorProfile | undefined =>
  container.securityContext?.appArmorProfile ??
  ofAnnotation(pod, container.name) ??
  pod.spec.securityContext?.appArmorProfile

/** As the runtime is told it. */
export const appArmorProfile = (
  profile: AppArmorProfile | undefined
): Result.Result<SecurityProfile | undefined, string> => {
  if (profile === undefined) return Result.succeed(undefined)
  switch (profile.type) {
    case "RuntimeDefault":
    case "Unconfined":
      return Result.succeed({ profileType: profile.type })
    case "Localhost":
      return profile.localhostProfile
        ? Result.succeed({ profileType: "Localhost", localhostRef: profile.localhostProfile })
        : Result.fail("a Localhost AppArmor profile names no localhostProfile")
    default:
      return Result.fail(`unknown type of AppArmor profile: ${JSON.stringify(profile.type satisfies never)}`)
  }
}

/** Whether the pod asks for any confinement; `Unconfined` asks for none. */
export const needsAppArmor = (pod: PolicyPod): boolean =>
  [
    pod.spec.securityContext?.appArmorProfile,
    ...everyContainer(pod.spec).map((container) => appArmorOf(pod, container))
  ].some((profile) => profile !== undefined && profile.type !== "Unconfined")

/** A pod that asks for confinement does not run on a host that cannot confine it; `undefined`: nobody looked. */
export const appArmorRefusal = (pod: PolicyPod, isEnabled: boolean | undefined): Refusal | undefined =>
  isEnabled !== false || !needsAppArmor(pod)
    ? undefined
    : { reason: "AppArmor", message: "Cannot enforce AppArmor: AppArmor is not enabled on the host" }
