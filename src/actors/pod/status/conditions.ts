/** Conditions of a pod (`pkg/kubelet/status/generate.go`). Transition times are the caller's: these say what holds now. */
import { allMayRestart, asksToRestartAll, type LastInstance } from "../plan/restart.ts"
import { initContainersOf, isSidecar, type PolicyContainer, type PolicyPodSpec } from "../spec-extension.ts"
import { type ContainerStatus, type PodCondition, statusOf } from "./status.ts"

const condition = (type: string, holds: boolean, reason?: string, message?: string): PodCondition => {
  const status = holds ? "True" : "False"
  if (reason === undefined) return { type, status }
  return message === undefined || message === "" ? { type, status, reason } : { type, status, reason, message }
}

const unknownStatuses = "UnknownContainerStatuses"
const completed = "PodCompleted"
const failed = "PodFailed"

const complaint = (word: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.length === 0 ? [] : [`containers with ${word} status: [${names.join(" ")}]`]

const namesOf = (containers: ReadonlyArray<PolicyContainer>): ReadonlyArray<string> =>
  containers.map(({ name }) => name)

const none: ReadonlyArray<PolicyContainer> = []

type Statuses = ReadonlyArray<ContainerStatus> | undefined

/** All containers and sidecars are ready. `statuses` absent: nothing is known of any container yet. */
export const containersReady = (spec: PolicyPodSpec, statuses: Statuses, phase: string): PodCondition => {
  const type = "ContainersReady"
  if (statuses === undefined) return condition(type, false, unknownStatuses)
  // Asked after every decision: without lists where nothing is wrong.
  let unknown = none
  let unready = none
  const look = (container: PolicyContainer): void => {
    const status = statusOf(statuses, container.name)
    if (status === undefined) unknown = [...unknown, container]
    else if (status.ready === false) unready = [...unready, container]
  }
  for (const container of initContainersOf(spec)) if (isSidecar(container)) look(container)
  for (const container of spec.containers) look(container)
  if (unknown.length === 0 && phase === "Succeeded") return condition(type, false, completed)
  if (unknown.length === 0 && phase === "Failed") return condition(type, false, failed)
  if (unknown.length === 0 && unready.length === 0) return condition(type, true)
  const message = [...complaint("unknown", namesOf(unknown)), ...complaint("unready", namesOf(unready))].join(", ")
  return condition(type, false, "ContainersNotReady", message)
}

/** ContainersReady, and every readiness gate (KEP-580) is true. `conditions`: the present ones, gates among them. */
export const ready = (
  spec: PolicyPodSpec,
  statuses: Statuses,
  phase: string,
  conditions: ReadonlyArray<PodCondition> = []
): PodCondition => {
  const type = "Ready"
  const containers = containersReady(spec, statuses, phase)
  if (containers.status !== "True") return { ...containers, type }
  const complaints = (spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = conditions.find((candidate) => candidate.type === conditionType)
    if (gate === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    return gate.status === "True"
      ? []
      : [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`]
  })
  return complaints.length === 0
    ? condition(type, true)
    : condition(type, false, "ReadinessGatesNotReady", complaints.join(", "))
}

/** Whether any regular container runs or has run: then the pod's init containers have been through. */
export const anyRegularStarted = (spec: PolicyPodSpec, statuses: ReadonlyArray<ContainerStatus>): boolean =>
  spec.containers.some(({ name }) => {
    const status = statusOf(statuses, name)
    return (
      status?.state.running !== undefined ||
      status?.state.terminated !== undefined ||
      status?.lastState.terminated !== undefined
    )
  })

/** Init containers have completed and sidecars have started. */
export const initialized = (spec: PolicyPodSpec, statuses: Statuses, phase: string): PodCondition => {
  const type = "Initialized"
  const containers = initContainersOf(spec)
  if (containers.length === 0 && phase !== "Succeeded") return condition(type, true)
  if (statuses === undefined && containers.length > 0) return condition(type, false, unknownStatuses)
  const known = statuses ?? []
  if (anyRegularStarted(spec, known)) return condition(type, true)
  const unknown = containers.filter(({ name }) => statusOf(known, name) === undefined)
  const incomplete = containers.filter((container) => {
    const status = statusOf(known, container.name)
    return status !== undefined && !(isSidecar(container) ? status.started === true : status.ready)
  })
  if (phase === "Succeeded" && unknown.length === 0) return condition(type, true, completed)
  const message = [...complaint("unknown", namesOf(unknown)), ...complaint("incomplete", namesOf(incomplete))].join(
    ", "
  )
  return message === "" ? condition(type, true) : condition(type, false, "ContainersNotInitialized", message)
}

/** The newest sandbox, as far as it matters here. */
export interface SandboxSight {
  readonly ready: boolean
  readonly ips: ReadonlyArray<string>
}

/** The sandbox is up and has its network (KEP-3085). `sandbox`: the newest one, absent where there is none. */
export const podReadyToStartContainers = (spec: PolicyPodSpec, sandbox: SandboxSight | undefined): PodCondition =>
  condition(
    "PodReadyToStartContainers",
    sandbox?.ready === true && (spec.hostNetwork === true || sandbox.ips.some((ip) => ip !== ""))
  )

/** The node itself ended the pod for the sake of others (KEP-3329); none for a pod that nobody disturbed. */
export const disruptionTarget = (
  failed: { readonly reason: string; readonly message: string; readonly disrupted?: boolean } | undefined,
  phase: string
): ReadonlyArray<PodCondition> =>
  // While something of it may still run it is not over (`status_manager.go` mergePodStatus).
  phase === "Failed" &&
  (failed?.reason === "Preempting" || failed?.reason === "Terminated" || failed?.disrupted === true)
    ? [condition("DisruptionTarget", true, "TerminationByKubelet", failed.message)]
    : []

/** A container's exit restarts all of them (KEP-5532); `undefined` for pods in which none can. */
export const allContainersRestarting = (
  spec: PolicyPodSpec,
  last: (container: string) => LastInstance | undefined,
  phase: string
): PodCondition | undefined => {
  const type = "AllContainersRestarting"
  if (!allMayRestart(spec)) return undefined
  if (phase === "Succeeded") return condition(type, false, completed)
  if (phase === "Failed") return condition(type, false, failed)
  return asksToRestartAll(spec, last)
    ? condition(type, true, "RestartAllContainersStarted", "container exited with restart policy rule")
    : condition(type, false)
}
