/** The part of validation that is about users, privileges and confinement (`validation.go` ValidatePodSecurityContext, ValidateSecurityContext). */
import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext } from "../../events/pod-spec.ts"
import { dottedSysctl, isSysctlName, maxSysctlName, sysctlNamespace } from "../../events/sysctl-name.ts"
import type { Complain, WrittenPod } from "./written.ts"

type Spec = NonNullable<WrittenPod["spec"]>
type Written<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** Largest user and group id. */
const maxId = 2 ** 31 - 1
/** Characters of the name of an AppArmor profile. */
const maxProfileName = 4095

const validateId = (id: number | undefined, path: string, complain: Complain): void => {
  if (id !== undefined && (id < 0 || id > maxId)) complain(path, `must be between 0 and ${maxId}, not ${id}`)
}

const validateProfile = (
  profile: Written<SeccompProfile | AppArmorProfile> | undefined,
  path: string,
  complain: Complain,
  validateName: (name: string) => string | undefined
): void => {
  if (profile === undefined) return
  const { type, localhostProfile } = profile
  if (type === undefined) complain(`${path}.type`, "is missing: RuntimeDefault, Unconfined or Localhost")
  else if (type !== "Localhost") {
    if (localhostProfile !== undefined) complain(`${path}.localhostProfile`, "is for the type Localhost only")
  } else if (localhostProfile === undefined || localhostProfile.trim() === "") {
    complain(`${path}.localhostProfile`, "is missing: the type Localhost needs it")
  } else {
    const wrong = validateName(localhostProfile)
    if (wrong !== undefined) complain(`${path}.localhostProfile`, wrong)
  }
}

/** A file below the directory of profiles. */
const seccompPathProblem = (name: string): string | undefined => {
  if (name.startsWith("/")) return "must be a relative path"
  return name.split("/").includes("..") ? 'must not contain ".."' : undefined
}

const appArmorNameProblem = (name: string): string | undefined => {
  if (name.trim() !== name) return "must not begin or end with a space"
  return name.length > maxProfileName ? `is longer than ${maxProfileName} characters` : undefined
}

const validateProfiles = (
  context: Pick<Written<SecurityContext>, "seccompProfile" | "appArmorProfile">,
  path: string,
  complain: Complain
): void => {
  validateProfile(context.seccompProfile, `${path}.seccompProfile`, complain, seccompPathProblem)
  validateProfile(context.appArmorProfile, `${path}.appArmorProfile`, complain, appArmorNameProblem)
}

const validateWindows = (
  options: SecurityContext["windowsOptions"] | undefined,
  spec: Spec,
  path: string,
  complain: Complain
): void => {
  if (options === undefined) return
  if (spec.os?.name === "linux") complain(`${path}.windowsOptions`, "is not allowed for a pod whose os is linux")
  if (options.hostProcess === true && spec.hostNetwork !== true) {
    complain(`${path}.windowsOptions.hostProcess`, "needs hostNetwork true")
  }
}

/** Of one container. */
export const validateSecurity = (context: SecurityContext, spec: Spec, path: string, complain: Complain): void => {
  validateId(context.runAsUser, `${path}.runAsUser`, complain)
  validateId(context.runAsGroup, `${path}.runAsGroup`, complain)
  validateProfiles(context, path, complain)
  validateWindows(context.windowsOptions, spec, path, complain)
  if (context.procMount === "Unmasked" && spec.hostUsers !== false) {
    complain(`${path}.procMount`, "Unmasked needs hostUsers false")
  }
  if (context.allowPrivilegeEscalation !== false) return
  if (context.privileged === true) {
    complain(`${path}.allowPrivilegeEscalation`, "cannot be false for a container that is privileged")
  }
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN") === true) {
    complain(`${path}.allowPrivilegeEscalation`, "cannot be false for a container that adds CAP_SYS_ADMIN")
  }
}

const validateSysctls = (sysctls: NonNullable<PodSecurityContext["sysctls"]>, spec: Spec, complain: Complain): void => {
  const names = new Set<string>()
  for (const [i, sysctl] of sysctls.entries()) {
    const at = `spec.securityContext.sysctls[${i}]`
    const name: string | undefined = sysctl.name
    const value: string | undefined = sysctl.value
    if (value === undefined) complain(`${at}.value`, "is missing")
    if (name === undefined || name === "") {
      complain(`${at}.name`, "is missing")
      continue
    }
    const dotted = dottedSysctl(name)
    const namespace = sysctlNamespace(dotted)
    if (!isSysctlName(name)) {
      complain(
        `${at}.name`,
        `is no name of a sysctl: at most ${maxSysctlName} lower-case letters, digits, "-", "_", "." and "/"`
      )
    } else if (names.has(dotted)) complain(`${at}.name`, `another sysctl is called ${JSON.stringify(name)} too`)
    else if (namespace === "Net" && spec.hostNetwork === true)
      complain(`${at}.name`, "may not be set with hostNetwork true")
    else if (namespace === "IPC" && spec.hostIPC === true) complain(`${at}.name`, "may not be set with hostIPC true")
    names.add(dotted)
  }
}

/** Of the pod as a whole. */
export const validatePodSecurity = (spec: Spec, complain: Complain): void => {
  const path = "spec.securityContext"
  const context = spec.securityContext ?? {}
  validateId(context.runAsUser, `${path}.runAsUser`, complain)
  validateId(context.runAsGroup, `${path}.runAsGroup`, complain)
  validateId(context.fsGroup, `${path}.fsGroup`, complain)
  for (const [i, group] of (context.supplementalGroups ?? []).entries()) {
    validateId(group, `${path}.supplementalGroups[${i}]`, complain)
  }
  validateProfiles(context, path, complain)
  validateWindows(context.windowsOptions, spec, path, complain)
  validateSysctls(context.sysctls ?? [], spec, complain)
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    complain("spec.shareProcessNamespace", "and hostPID cannot both be true")
  }
  if (spec.hostUsers !== false) return
  for (const field of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (spec[field] === true) complain(`spec.${field}`, "is not allowed when hostUsers is false")
  }
}
