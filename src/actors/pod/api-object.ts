/** A pod as the API has it (v1.Pod): what `/pods` answers. Values of variables and headers are hashes, as everywhere in the log. */
import type { ActorId } from "../../events/actor-id.ts"
import { containerSpec, type PodState } from "./state.ts"
import type { ContainerStateStatus, ContainerStatus } from "./status/status.ts"
import { podView } from "./view.ts"

export type Json = Readonly<Record<string, unknown>>

/** Whole seconds, as the API writes times; absent where there is none. */
const apiTime = (time: string): string | undefined => (time === "" ? undefined : time.replace(/\.\d+Z$/u, "Z"))
const apiTimeOr = (time: string | null | undefined): string | null => apiTime(time ?? "") ?? null

const apiState = ({ running, waiting, terminated }: ContainerStateStatus): Json => {
  if (running !== undefined) return { running: { startedAt: apiTimeOr(running.startedAt) } }
  if (terminated !== undefined) {
    const { ownKill: _, startedAt, finishedAt, ...told } = terminated
    return { terminated: { ...told, startedAt: apiTimeOr(startedAt), finishedAt: apiTimeOr(finishedAt) } }
  }
  return waiting === undefined ? {} : { waiting }
}

const apiStatuses = (statuses: ReadonlyArray<ContainerStatus>): ReadonlyArray<Json> | undefined =>
  statuses.length === 0
    ? undefined
    : statuses.map(({ state, lastState, ...status }) => ({
        ...status,
        state: apiState(state),
        lastState: apiState(lastState)
      }))

/** Fields without a value are left out when it is written as JSON. Undefined: a pod that is not defined any more. */
export const podObject = (id: ActorId, state: PodState, nodeName: string): Json | undefined => {
  const pod = state.definition?.pod ?? state.replacement?.pod
  if (pod === undefined) return undefined
  const view = podView(id, state)
  const { rejected, failed, termination } = state
  const reason = rejected?.reason ?? failed?.reason
  const creationTimestamp = apiTimeOr(state.startTime)
  return {
    metadata: {
      ...pod.metadata,
      creationTimestamp,
      ...(termination === null
        ? {}
        : {
            deletionTimestamp: apiTime(new Date(termination.at + termination.gracePeriodSeconds * 1000).toISOString()),
            deletionGracePeriodSeconds: termination.gracePeriodSeconds
          })
    },
    spec: { ...pod.spec, nodeName },
    status: {
      phase: rejected === null ? view.phase : "Failed",
      reason,
      message: reason === undefined ? undefined : (rejected?.message ?? failed?.message),
      conditions: Object.entries(state.conditions).map(([type, condition]) => ({
        type,
        status: condition.status ? "True" : "False",
        lastProbeTime: null,
        lastTransitionTime: apiTimeOr(condition.since),
        ...(condition.reason === "" ? {} : { reason: condition.reason }),
        ...(condition.message === "" ? {} : { message: condition.message })
      })),
      hostIP: view.hostIP || undefined,
      hostIPs: view.hostIPs.length === 0 ? undefined : view.hostIPs.map((ip) => ({ ip })),
      podIP: view.ip || undefined,
      podIPs: view.podIPs.length === 0 ? undefined : view.podIPs.map((ip) => ({ ip })),
      startTime: apiTime(state.startTime),
      initContainerStatuses: apiStatuses(view.initContainers),
      containerStatuses: apiStatuses(view.containers),
      ephemeralContainerStatuses: apiStatuses(view.ephemeralContainers),
      qosClass: view.qosClass || undefined
    }
  }
}

/** What of a pod runs now, in the words of `/runningpods`: names and images only. Undefined: nothing does. */
export const runningPodObject = (state: PodState): Json | undefined => {
  const pod = state.definition?.pod
  if (pod === undefined || state.sandbox?.status !== "ready") return undefined
  const running = state.containers.filter(({ status }) => status === "running" || status === "killing")
  const { name, namespace, uid } = pod.metadata
  return {
    metadata: { name, namespace, uid, creationTimestamp: null },
    spec: {
      containers: running.map((c) => ({ name: c.name, image: containerSpec(pod, c.name)?.image ?? "", resources: {} }))
    },
    status: {}
  }
}

/** v1.PodList */
export const podList = (items: ReadonlyArray<Json>): Json => ({
  kind: "PodList",
  apiVersion: "v1",
  metadata: {},
  items
})
