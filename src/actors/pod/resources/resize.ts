/**
 * Resizing a pod in place (KEP-1287): what of a new definition of the same pod can be had, and when it is brought into
 * force (`pkg/kubelet/allocation`, `pkg/apis/core/validation/validation.go` ValidatePodResize).
 */
import { timestamp } from "../../../events/definition.ts"
import type { NodeRoom } from "../../../events/node-room.ts"
import type { Pod, ResourceRequirements } from "../../../events/pod-spec.ts"
import { inPlaceResize, inPlaceUpdates, isOn } from "../../kernel/flags.ts"
import { isEqual } from "../../kernel/json.ts"
import { isLack, roomRefusals } from "../admission/node-room.ts"
import type { CommandOf } from "../commands.ts"
import type { PodDecision } from "../evolve.ts"
import { retryDelay } from "../operation-failed.ts"
import { isSidecar } from "../spec-extension.ts"
import { changedResources, isSameResources, resourcesOf, withoutResources, withResources } from "./pod-resources.ts"
import { qosClass } from "./qos.ts"
import { compare, milliValue, quantityOf, value, zero } from "./quantity.ts"
import { podRequests } from "./resource-list.ts"

interface Refused {
  readonly field: string
  readonly message: string
}

/** The first field in which two values differ. */
const differingField = (a: unknown, b: unknown, path: string): string => {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return path
  if (Array.isArray(a) !== Array.isArray(b)) return path
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  const key = [...new Set([...Object.keys(left), ...Object.keys(right)])].find((k) => !isEqual(left[k], right[k]))
  if (key === undefined) return path
  const at = Array.isArray(a) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`
  return left[key] === undefined || right[key] === undefined ? at : differingField(left[key], right[key], at)
}

const mutable: ReadonlySet<string> = new Set(["cpu", "memory"])

const requirementsRefusal = (
  from: ResourceRequirements = {},
  to: ResourceRequirements = {},
  field: string
): Refused | undefined => {
  for (const side of ["requests", "limits"] as const) {
    const [had, wanted] = [from[side] ?? {}, to[side] ?? {}]
    for (const name of new Set([...Object.keys(had), ...Object.keys(wanted)])) {
      const [a, b] = [had[name], wanted[name]]
      if (a !== undefined && b !== undefined && compare(quantityOf(a), quantityOf(b)) === 0) continue
      if (!mutable.has(name)) return { field: `${field}.${side}`, message: "only cpu and memory resources are mutable" }
      if (b === undefined) return { field: `${field}.${side}`, message: `resource ${side} cannot be removed` }
    }
  }
  return undefined
}

/** What the API server would refuse of it; undefined: at most cpu and memory change. */
export const updateRefusal = (running: Pod, wanted: Pod, allowed = "only cpu and memory can"): Refused | undefined => {
  const [a, b] = [withoutResources(running), withoutResources(wanted)]
  if (!isEqual(a, b)) {
    const message = `cannot be changed while the pod runs: ${allowed}, and ephemeral containers can be added`
    return { field: differingField(a, b, ""), message }
  }
  for (const list of ["initContainers", "containers"] as const) {
    for (const [i, container] of (wanted.spec[list] ?? []).entries()) {
      const field = `spec.${list}[${i}].resources`
      const from = running.spec[list]?.[i]?.resources
      const refusal = requirementsRefusal(from, container.resources, field)
      if (refusal !== undefined) return refusal
      const isFixed = list === "initContainers" && !isSidecar(container)
      if (isFixed && !isEqual(from ?? {}, container.resources ?? {}))
        return { field, message: "resource resize is not supported for non-restartable init containers" }
    }
  }
  const whole = requirementsRefusal(running.spec.resources, wanted.spec.resources, "spec.resources")
  if (whole !== undefined) return whole
  if (qosClass(running.spec) === qosClass(wanted.spec)) return undefined
  return { field: "spec", message: "Pod QOS Class may not change as a result of resizing" }
}

/**
 * Whether its uid follows from its definition (`derivedUid`): then the manifest is the same, and what differs is what a
 * newer agent or another configuration of the node makes of it.
 */
const isDerived = ({ metadata }: Pod): boolean => /^[0-9a-f]{32}$/u.test(metadata.uid)

/** `desired`: a definition of the pod that runs. */
export const updateResources = (
  d: PodDecision,
  { pod, source, room }: Pick<CommandOf<"DesirePod">, "pod" | "source" | "room">
): void => {
  const running = d.state.definition?.pod
  if (running === undefined || !isOn(d.flags, inPlaceResize) || isDerived(running)) return
  const refusal = isOn(d.flags, inPlaceUpdates)
    ? updateRefusal(running, pod, "only cpu, memory, labels, annotations and a nearer deadline can")
    : updateRefusal(running, pod)
  if (refusal !== undefined) {
    if (!isEqual(refusal, d.state.updateRefused)) d.emit({ _tag: "PodUpdateRefused", source, ...refusal })
    return
  }
  if (d.state.updateRefused !== undefined) d.emit({ _tag: "PodUpdateWithdrawn" })
  const [has, wants] = [resourcesOf(running), resourcesOf(pod)]
  const pending = d.state.resize?.pending
  if (isSameResources(pending?.to ?? has, wants)) return
  if (isSameResources(has, wants)) {
    d.emit({ _tag: "ResizeWithdrawn" })
    return
  }
  const change = { from: changedResources(wants, has), to: changedResources(has, wants) }
  judge(d, room, d.emit({ _tag: "ResizeRequested", ...change, source }))
}

/** There may be room now for a resize that was deferred. */
export const retryResize = (d: PodDecision, { room }: CommandOf<"RetryResize">): void => {
  const pending = d.state.resize?.pending
  if (pending?.reason !== "Deferred" || d.state.termination !== null) return
  judge(d, room, pending.because)
}

/** More than the node has for pods, in kubelet's words. */
const capacityProblem = (pod: Pod, room: NodeRoom): string | undefined => {
  const requests = podRequests(pod.spec)
  for (const [name, count] of [
    ["memory", value],
    ["cpu", milliValue]
  ] as const) {
    const capacity = room.allocatable[name]
    const requested = requests.get(name) ?? zero
    if (capacity === undefined || compare(requested, quantityOf(capacity)) <= 0) continue
    return `Node didn't have enough capacity: ${name}, requested: ${count(requested)}, capacity: ${count(quantityOf(capacity))}`
  }
  return undefined
}

const judge = (d: PodDecision, room: NodeRoom | undefined, because: string): void => {
  const { definition, resize } = d.state
  const pending = resize?.pending
  if (definition === null || pending === undefined) return
  const target = withResources(definition.pod, pending.to)
  const tell = (reason: "Deferred" | "Infeasible", message: string): void => {
    if (pending.reason === reason && pending.message === message) return
    d.emit({ _tag: "ResizePending", reason, message }, because)
  }
  const tooMuch = room === undefined ? undefined : capacityProblem(target, room)
  if (tooMuch !== undefined) {
    tell("Infeasible", tooMuch)
    return
  }
  const lack = room === undefined ? undefined : roomRefusals(target.spec, room).find(isLack)
  if (lack !== undefined) {
    tell("Deferred", lack.message)
    return
  }
  const has = resourcesOf(definition.pod)
  const [from, to] = [changedResources(pending.to, has), changedResources(has, pending.to)]
  d.emit({ _tag: "ResizeAccepted", from, to }, because)
}

export const learnResize = (d: PodDecision, command: CommandOf<"ReportResize">): void => {
  const { resize } = d.state
  if (resize?.status !== "applying") return
  if (command.outcome === "done") {
    const { containers = [], cgroup } = command
    d.emit({ _tag: "ResizeActuated", containers, ...(cgroup === undefined ? {} : { cgroup }) }, resize.because)
    return
  }
  const failures = (resize.retry?.failures ?? 0) + 1
  const retryAt = timestamp(d.at + retryDelay(failures))
  d.emit({ _tag: "ResizeFailed", message: command.message ?? "", failures, retryAt }, resize.because)
}
