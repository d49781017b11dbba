/** How many pods and containers the node has, in kubelet's words, from the states of its pods. Pure. */
import { isAlive, type PodState } from "./state.ts"
import { isTerminalPhase } from "./status/phase.ts"

export interface PodCounts {
  /** With a sandbox that is up. */
  readonly running: number
  /** That are to run: there is a manifest, and they were not refused. */
  readonly desired: number
  /** That count when another is admitted: admitted, and not at their end. */
  readonly active: number
  /** By state, as the runtime has them: created, running, exited, unknown. */
  readonly containers: Readonly<Record<"created" | "running" | "exited" | "unknown", number>>
  readonly ephemeralContainers: number
  /** By what is done for them. */
  readonly working: Readonly<Record<"sync" | "terminating" | "terminated", number>>
}

export const podCounts = (pods: Iterable<PodState>): PodCounts => {
  const containers = { created: 0, running: 0, exited: 0, unknown: 0 }
  const working = { sync: 0, terminating: 0, terminated: 0 }
  let [running, desired, active, ephemeralContainers] = [0, 0, 0, 0]
  for (const pod of pods) {
    if (pod.definition === null) continue
    const isEnding = pod.termination !== null || pod.failed !== undefined
    if (pod.sandbox?.status === "ready") running += 1
    if (pod.termination === null || pod.replacement !== null) desired += 1
    if (!isTerminalPhase(pod.phase)) active += 1
    working[pod.cleanup !== null ? "terminated" : isEnding ? "terminating" : "sync"] += 1
    for (const container of pod.containers) {
      if (container.ephemeral === true) ephemeralContainers += 1
      if (isAlive(container)) containers[container.status === "starting" ? "created" : "running"] += 1
      containers.exited += container.dead.length
    }
  }
  return { running, desired, active, containers, ephemeralContainers, working }
}
