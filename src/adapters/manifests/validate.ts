/**
 * What a pod must keep (`pkg/apis/core/validation/validation.go` of Kubernetes 1.36), for the fields that Chronode has.
 * The values are typed already; what may be missing is said here.
 */
import type { Pod } from "../../events/pod-spec.ts"
import { systemPriorities } from "../../events/system-priorities.ts"
import { labelProblem, qualifiedNameProblem, subdomainProblem, uidProblem } from "./names.ts"
import { quantityNumber } from "./quantity.ts"
import { validateContainers } from "./validate-container.ts"
import { validatePodSecurity } from "./validate-security.ts"
import type { Complain, WrittenPod, WrittenVolume } from "./written.ts"

export const hostPathTypes = [
  "",
  "DirectoryOrCreate",
  "Directory",
  "FileOrCreate",
  "File",
  "Socket",
  "CharDevice",
  "BlockDevice"
] as const

export const osNames = ["linux", "windows"] as const

/** Complains of everything that is wrong, each with its field relative to the pod. Silent: the pod is whole. */
export const validatePod = (pod: WrittenPod, complain: Complain): void => {
  if (pod.apiVersion !== "v1")
    complain("apiVersion", pod.apiVersion === undefined ? "is missing: v1" : 'must be "v1" for a Pod')
  validateMetadata(pod.metadata ?? {}, complain)
  const spec = pod.spec
  if (spec === undefined) {
    complain("spec", "is missing")
    return
  }
  const volumes = validateVolumes(spec.volumes ?? [], complain)
  validateContainers(spec, volumes, complain)
  validatePodSecurity(spec, complain)
  validateRest(spec, complain)
}

const mirrorAnnotation = "kubernetes.io/config.mirror"

const validateMetadata = (metadata: Partial<Pod["metadata"]>, complain: Complain): void => {
  const check = (field: "name" | "namespace" | "uid", problem: (text: string) => string | undefined): void => {
    const value = metadata[field]
    const wrong = value === undefined || (value === "" && field !== "name") ? undefined : problem(value)
    if (wrong !== undefined) complain(`metadata.${field}`, wrong)
  }
  if (metadata.name === undefined || metadata.name === "") complain("metadata.name", "is missing")
  else check("name", subdomainProblem)
  check("namespace", labelProblem)
  check("uid", uidProblem)
  if (metadata.annotations?.[mirrorAnnotation] !== undefined) {
    complain(
      `metadata.annotations[${JSON.stringify(mirrorAnnotation)}]`,
      "marks the copy of a static pod that an API server shows; it is no pod to run"
    )
  }
}

/** Answers the names of the volumes. */
const validateVolumes = (volumes: ReadonlyArray<WrittenVolume>, complain: Complain): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const [i, volume] of volumes.entries()) {
    const path = `spec.volumes[${i}]`
    const { name, emptyDir, hostPath } = volume
    const wrong = name === undefined ? "is missing" : labelProblem(name)
    if (wrong !== undefined) complain(`${path}.name`, wrong)
    else if (names.has(name!)) complain(`${path}.name`, `another volume is called ${JSON.stringify(name)} too`)
    if (name !== undefined) names.add(name)
    if (emptyDir !== undefined && hostPath !== undefined) complain(path, "has more than one source")
    if (emptyDir !== undefined) validateEmptyDir(emptyDir, `${path}.emptyDir`, complain)
    if (hostPath !== undefined) validateHostPath(hostPath, `${path}.hostPath`, complain)
  }
  return names
}

const validateEmptyDir = (source: NonNullable<WrittenVolume["emptyDir"]>, path: string, complain: Complain): void => {
  if (source.medium !== undefined && source.medium !== "" && source.medium !== "Memory") {
    complain(`${path}.medium`, `must be "" or "Memory", not ${JSON.stringify(source.medium)}`)
  }
  if (source.sizeLimit !== undefined) {
    const limit = quantityNumber(source.sizeLimit)
    if (limit === undefined || limit < 0)
      complain(`${path}.sizeLimit`, `${JSON.stringify(source.sizeLimit)} is no size`)
  }
}

const validateHostPath = (source: NonNullable<WrittenVolume["hostPath"]>, path: string, complain: Complain): void => {
  if (source.path === undefined || source.path === "") complain(`${path}.path`, "is missing")
  else if (!source.path.startsWith("/")) complain(`${path}.path`, "must be an absolute path")
  else if (source.path.split("/").includes("..")) complain(`${path}.path`, 'must not contain ".."')
  else if (source.path.includes("\0")) complain(`${path}.path`, "must not contain NUL")
  if (source.type !== undefined && !(hostPathTypes as ReadonlyArray<string>).includes(source.type)) {
    complain(`${path}.type`, `must be one of ${hostPathTypes.slice(1).join(", ")} or empty`)
  }
}

const validateRest = (spec: NonNullable<WrittenPod["spec"]>, complain: Complain): void => {
  const atLeast = (field: "terminationGracePeriodSeconds" | "activeDeadlineSeconds", least: number): void => {
    const value = spec[field]
    if (value !== undefined && value < least) complain(`spec.${field}`, `must be ${least} or more`)
  }
  atLeast("terminationGracePeriodSeconds", 0)
  atLeast("activeDeadlineSeconds", 1)
  if (spec.os !== undefined && !(osNames as ReadonlyArray<string | undefined>).includes(spec.os.name)) {
    complain("spec.os.name", `must be one of ${osNames.join(", ")}`)
  }
  for (const field of ["hostname", "subdomain"] as const) {
    const value = spec[field]
    const wrong = value === undefined || value === "" ? undefined : labelProblem(value)
    if (wrong !== undefined) complain(`spec.${field}`, wrong)
  }
  for (const [i, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    const wrong = conditionType === undefined ? "is missing" : qualifiedNameProblem(conditionType)
    if (wrong !== undefined) complain(`spec.readinessGates[${i}].conditionType`, wrong)
  }
  const system = systemPriorities.get(spec.priorityClassName ?? "")
  if (system !== undefined && spec.priority !== undefined && spec.priority !== system) {
    complain("spec.priority", `must be ${system}, that of ${spec.priorityClassName}, or be left out`)
  }
  if (spec.dnsPolicy === "None" && (spec.dnsConfig?.nameservers ?? []).length === 0) {
    complain("spec.dnsConfig.nameservers", "needs at least one name server with dnsPolicy None")
  }
}
