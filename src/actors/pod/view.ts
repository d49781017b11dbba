/** Pods and containers as `chronode get` shows them: kubectl's columns, from the actor's state. Pure. */
import type { ActorId } from "../../events/actor-id.ts"
import type { ResourceRequirements } from "../../events/pod-spec.ts"
import { statusPodIps } from "./network/pod-ips.ts"
import { containerSpec, type PodState, uidOf } from "./state.ts"
import { type ContainerKind, containerStatuses } from "./status/container-statuses.ts"
import { finalStatuses, type PodStatuses } from "./status/final-statuses.ts"
import { isTerminalPhase } from "./status/phase.ts"
import { containerResourceStatus, podResourceStatus } from "./status/resource-statuses.ts"
import type { ContainerStatus } from "./status/status.ts"

export interface PodView {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Ready containers of all regular ones: `1/2`. */
  readonly ready: string
  /** kubectl's STATUS column: a reason where there is one, else the phase. */
  readonly status: string
  readonly phase: string
  readonly restarts: number
  /** The first of `podIPs`; empty: none. */
  readonly ip: string
  /** At most one of each family, that of the node's primary address first; none while the sandbox is not up. */
  readonly podIPs: ReadonlyArray<string>
  /** The first of `hostIPs`; empty before the sandbox was made. */
  readonly hostIP: string
  /** Addresses of the node, as the pod is told them. */
  readonly hostIPs: ReadonlyArray<string>
  /** RFC 3339; empty before admission. */
  readonly startTime: string
  readonly qosClass: string
  readonly source: string
  readonly message: string
  readonly conditions: Readonly<Record<string, boolean>>
  readonly containers: ReadonlyArray<ContainerStatus>
  readonly initContainers: ReadonlyArray<ContainerStatus>
  readonly ephemeralContainers: ReadonlyArray<ContainerStatus>
  /** What the pod was granted as a whole, without overhead: quantities by resource. */
  readonly allocatedResources: Readonly<Record<string, string>>
  /** What of it is in force. */
  readonly resources: ResourceRequirements
}

export interface ContainerView {
  readonly namespace: string
  readonly pod: string
  readonly name: string
  readonly init: boolean
  readonly ephemeral: boolean
  /** `running`, `waiting: CrashLoopBackOff`, `terminated: Error`. */
  readonly state: string
  readonly ready: boolean
  readonly restarts: number
  readonly containerId: string
  readonly image: string
  /** RFC 3339; empty where it does not run. */
  readonly startedAt: string
  /** Of its last end; undefined where it never ended. */
  readonly lastExitCode: number | undefined
  readonly lastReason: string
  /** What it was granted: quantities by resource; undefined where nothing was, or it was never made. */
  readonly allocatedResources: Readonly<Record<string, string>> | undefined
  /** What is in force; undefined where it was never made. */
  readonly resources: ResourceRequirements | undefined
}

const stateText = ({ state }: ContainerStatus): string =>
  state.running !== undefined
    ? "running"
    : state.terminated !== undefined
      ? `terminated: ${state.terminated.reason ?? "Error"}`
      : `waiting: ${state.waiting?.reason ?? "ContainerCreating"}`

/** STATUS of a pod that waits for the node; kubectl shows the first of a cordoned node itself. */
const heldStatus = { NodeCordoned: "SchedulingDisabled", NodeShutdown: "NodeShutdown" } as const

/** The STATUS column as kubectl's printer makes it (`pkg/printers/internalversion/printers.go` printPod). */
const statusText = (
  state: PodState,
  init: ReadonlyArray<ContainerStatus>,
  main: ReadonlyArray<ContainerStatus>
): string => {
  if (state.rejected !== null) return state.rejected.reason
  if (state.held !== undefined) return heldStatus[state.held.reason]
  if (state.termination !== null) return "Terminating"
  if (state.failed !== undefined) return state.failed.reason
  const sidecars = sidecarsOf(state)
  const failedInit = init.findIndex((c) => !(sidecars.has(c.name) ? c.started : c.state.terminated?.exitCode === 0))
  if (failedInit >= 0 && !state.initialized && state.phase === "Pending") {
    const { state: s } = init[failedInit]!
    if (s.terminated !== undefined) return `Init:${s.terminated.reason ?? `ExitCode:${s.terminated.exitCode}`}`
    const reason = s.waiting?.reason
    return reason !== undefined && reason !== "PodInitializing" && reason !== "ContainerCreating"
      ? `Init:${reason}`
      : `Init:${failedInit}/${init.length}`
  }
  for (const c of main) {
    const waiting = c.state.waiting?.reason
    if (waiting !== undefined && waiting !== "") return waiting
  }
  const ended = main.find((c) => c.state.terminated !== undefined && c.state.terminated.exitCode !== 0)
  if (ended?.state.terminated !== undefined) return ended.state.terminated.reason ?? "Error"
  if (main.length > 0 && main.every((c) => c.state.terminated !== undefined)) return "Completed"
  return state.phase
}

/** As kubectl, READY counts sidecars among the containers. */
const sidecarsOf = (state: PodState): ReadonlySet<string> =>
  new Set(state.containers.filter((c) => c.sidecar === true).map((c) => c.name))

const withResources = (state: PodState, kind: ContainerKind): ReadonlyArray<ContainerStatus> =>
  containerStatuses(state, kind).map((status) => ({ ...status, ...containerResourceStatus(state, status.name) }))

/** Of a pod that failed as a whole nothing runs any more: each of its containers has an end. */
const shownStatuses = (state: PodState): PodStatuses<ContainerStatus> => {
  const statuses = { init: withResources(state, "init"), main: withResources(state, "regular") }
  const isOver = state.definition !== null && state.failed !== undefined && isTerminalPhase(state.phase)
  return isOver ? finalStatuses(state.definition.pod.spec, statuses) : statuses
}

const allShown = (state: PodState): ReadonlyArray<ContainerStatus> => {
  const { init, main } = shownStatuses(state)
  return [...init, ...main, ...withResources(state, "ephemeral")]
}

const preemptingMessage = ({ preempting }: PodState): string | undefined =>
  preempting &&
  `waits for the end of ${preempting.pods.map(({ namespace, name }) => `${namespace}/${name}`).join(", ")}`

const podIpsOf = ({ sandbox, definition }: PodState, hostIps: ReadonlyArray<string>): ReadonlyArray<string> =>
  sandbox?.status === "ready"
    ? statusPodIps(sandbox.ips, hostIps, hostIps[0], definition?.pod.spec.hostNetwork === true)
    : []

export const podView = (id: ActorId, state: PodState): PodView => {
  const { init, main } = shownStatuses(state)
  const waiting = [...init, ...main].find((c) => c.state.waiting?.message !== undefined)?.state.waiting
  const sidecars = sidecarsOf(state)
  const hostIPs = state.sandbox?.hostIps ?? []
  const podIPs = podIpsOf(state, hostIPs)
  const resources = podResourceStatus(state)
  const counted = [...init.filter((c) => sidecars.has(c.name)), ...main]
  return {
    namespace: id.namespace,
    name: id.name,
    uid: uidOf(state),
    ready: `${counted.filter((c) => c.ready).length}/${counted.length}`,
    status: statusText(state, init, main),
    phase: state.phase,
    // As kubectl counts: of init containers that are through nobody asks any more.
    restarts: (state.initialized ? counted : [...init, ...main]).reduce((sum, c) => sum + c.restartCount, 0),
    ip: podIPs[0] ?? "",
    podIPs,
    hostIP: hostIPs[0] ?? "",
    hostIPs,
    startTime: state.startTime,
    qosClass: state.definition?.qosClass ?? "",
    source: state.definition?.source ?? "",
    message:
      state.rejected?.message ??
      state.failed?.message ??
      state.held?.message ??
      preemptingMessage(state) ??
      waiting?.message ??
      "",
    conditions: Object.fromEntries(Object.entries(state.conditions).map(([type, c]) => [type, c.status])),
    containers: main,
    initContainers: init,
    ephemeralContainers: withResources(state, "ephemeral"),
    allocatedResources: resources?.allocatedResources ?? {},
    resources: resources?.resources ?? {}
  }
}

export const containerViews = (id: ActorId, state: PodState): ReadonlyArray<ContainerView> =>
  allShown(state).map((c) => {
    const pod = state.definition?.pod
    const inState = state.containers.find((candidate) => candidate.name === c.name)
    const lastEnd = c.state.terminated ?? c.lastState.terminated
    return {
      namespace: id.namespace,
      pod: id.name,
      name: c.name,
      init: inState?.init ?? false,
      ephemeral: inState?.ephemeral ?? false,
      state: stateText(c),
      ready: c.ready,
      restarts: c.restartCount,
      containerId: c.containerID ?? "",
      image: pod === undefined ? "" : (containerSpec(pod, c.name)?.image ?? ""),
      startedAt: c.state.running?.startedAt ?? "",
      lastExitCode: lastEnd?.exitCode,
      lastReason: lastEnd?.reason ?? "",
      allocatedResources: c.allocatedResources,
      resources: c.resources
    }
  })
