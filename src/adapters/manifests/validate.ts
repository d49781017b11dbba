/**
 * What a pod must keep (`pkg/apis/core/validation/validation.go` of Kubernetes 1.36), for the fields that Chronode has.
 * The values are typed already; what may be missing is said here.
 */
import type { Pod } from "../../events/pod-spec.ts"
import { systemPriorities } from "../../events/system-priorities.ts"
import { labelProblem, qualifiedNameProblem, subdomainProblem, uidProblem } from "./names.ts"
import { validateNodeAffinity } from "./validate-affinity.ts"
import { validateContainers } from "./validate-container.ts"
import { validatePodResources } from "./validate-resources.ts"
import { validatePodSecurity } from "./validate-security.ts"
import { validateVolumes } from "./validate-volumes.ts"
import type { Complain, WrittenPod } from "./written.ts"

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
  validatePodResources(spec, complain)
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
  const className = spec.runtimeClassName ?? ""
  const wrongClass = className === "" ? undefined : subdomainProblem(className)
  if (wrongClass !== undefined) complain("spec.runtimeClassName", wrongClass)
  for (const field of ["hostname", "subdomain"] as const) {
    const value = spec[field]
    const wrong = value === undefined || value === "" ? undefined : labelProblem(value)
    if (wrong !== undefined) complain(`spec.${field}`, wrong)
  }
  for (const [i, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    const wrong = conditionType === undefined ? "is missing" : qualifiedNameProblem(conditionType)
    if (wrong !== undefined) complain(`spec.readinessGates[${i}].conditionType`, wrong)
  }
  validateNodeAffinity(spec, complain)
  const system = systemPriorities.get(spec.priorityClassName ?? "")
  if (system !== undefined && spec.priority !== undefined && spec.priority !== system) {
    complain("spec.priority", `must be ${system}, that of ${spec.priorityClassName}, or be left out`)
  }
  validateHostnameOverride(spec, complain)
  if (spec.dnsPolicy === "None" && (spec.dnsConfig?.nameservers ?? []).length === 0) {
    complain("spec.dnsConfig.nameservers", "needs at least one name server with dnsPolicy None")
  }
}

/** Characters; one more than a host name may have, which is then cut (KEP-4762). */
const maxHostnameOverride = 64

const validateHostnameOverride = (spec: NonNullable<WrittenPod["spec"]>, complain: Complain): void => {
  const { hostnameOverride } = spec
  if (hostnameOverride === undefined) return
  const field = "spec.hostnameOverride"
  if (hostnameOverride.length > maxHostnameOverride)
    complain(field, `must be at most ${maxHostnameOverride} characters`)
  const wrong = subdomainProblem(hostnameOverride)
  if (wrong !== undefined) complain(field, wrong)
  if (spec.hostNetwork === true) complain(field, "is not allowed on the host's network")
  if (spec.setHostnameAsFQDN === true) complain(field, "and setHostnameAsFQDN cannot both be set")
}
