/** Whether a pod can run on this node at all. What a manifest's form can tell was checked when it was read. */
import { Result } from "effect"
import type { NodeRoom } from "../../../events/node-room.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import { pressureRefusal } from "../../eviction/rules/admission.ts"
import { compare, parseQuantity } from "../resources/quantity.ts"
import { appArmorRefusal } from "../security/apparmor.ts"
import { isStrict } from "../security/security.ts"
import { sysctlRefusal } from "../security/sysctls.ts"
import { osRefusal, roomRefusals } from "./node-room.ts"
import type { Refusal } from "./refusal.ts"

/**
 * Bytes of JSON. The definition stands in an event twice, as the command and as the fact, and an event holds 64 KiB;
 * kubelet's own bound is etcd's 1.5 MiB.
 */
export const maxDefinitionBytes = 28 * 1024

/** `room`: what the node has left; absent in logs of agents that did not look. */
export const admission = (pod: Pod, room?: NodeRoom): Refusal | undefined => {
  const bytes = JSON.stringify(pod).length
  if (bytes > maxDefinitionBytes) {
    return {
      reason: "DefinitionTooLarge",
      message: `the pod's definition has ${bytes} bytes; at most ${maxDefinitionBytes} can be recorded`
    }
  }
  if (pod.spec.priority !== undefined && !Number.isSafeInteger(pod.spec.priority)) {
    return { reason: "InvalidPriority", message: "priority is no integer", field: "spec.priority" }
  }
  for (const [list, containers] of [
    ["initContainers", pod.spec.initContainers ?? []],
    ["containers", pod.spec.containers]
  ] as const) {
    for (const [i, container] of containers.entries()) {
      const refusal = resourceRefusal(container.resources, `spec.${list}[${i}].resources`)
      if (refusal !== undefined) return refusal
    }
  }
  if (room === undefined) return osRefusal(pod.spec.os?.name, undefined)
  return (
    pressureRefusal(pod, room.pressure ?? []) ??
    sysctlRefusal(pod.spec, room.sysctls) ??
    osRefusal(pod.spec.os?.name, pod.metadata.labels) ??
    groupsRefusal(pod, room.supplementalGroupsPolicy) ??
    roomRefusals(pod.spec, room)[0] ??
    appArmorRefusal(pod, room.appArmor)
  )
}

/** Nothing but the other pods speaks against it: without them it would fit. */
export const lacksOnlyRoom = (pod: Pod, room: NodeRoom): boolean =>
  admission(pod, { ...room, used: {}, pods: 0 }) === undefined

export const strictUnsupported = "SupplementalGroupsPolicy=Strict is not supported in this node"

/** `pkg/kubelet/lifecycle/predicate.go` rejectPodAdmissionBasedOnSupplementalGroupsPolicy. */
const groupsRefusal = (pod: Pod, isKept: boolean | undefined): Refusal | undefined =>
  isKept === false && isStrict(pod)
    ? {
        reason: "SupplementalGroupsPolicyNotSupported",
        message: strictUnsupported,
        field: "spec.securityContext.supplementalGroupsPolicy"
      }
    : undefined

type Resources = Pod["spec"]["containers"][number]["resources"]

/** Quantities that do not parse, or a request above its limit (`validation.go` ValidateResourceRequirements). */
const resourceRefusal = (resources: Resources, field: string): Refusal | undefined => {
  for (const part of ["requests", "limits"] as const) {
    for (const [name, text] of Object.entries(resources?.[part] ?? {})) {
      if (Result.isFailure(parseQuantity(text))) {
        return {
          reason: "InvalidQuantity",
          message: `${JSON.stringify(text)} is no quantity`,
          field: `${field}.${part}.${name}`
        }
      }
    }
  }
  for (const [name, text] of Object.entries(resources?.requests ?? {})) {
    const limit = resources?.limits?.[name]
    if (limit === undefined) continue
    const [requested, allowed] = [parseQuantity(text), parseQuantity(limit)]
    if (Result.isSuccess(requested) && Result.isSuccess(allowed) && compare(requested.success, allowed.success) > 0) {
      return {
        reason: "InvalidResources",
        message: `requests ${text} of ${name}, more than its limit ${limit}`,
        field: `${field}.requests.${name}`
      }
    }
  }
  return undefined
}
