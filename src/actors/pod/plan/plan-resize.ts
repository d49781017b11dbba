/** The part of the plan that brings a resize into force: see resize.ts. */
import type { PodDecision } from "../evolve.ts"
import { type ContainerInState, containerIn, type PodState } from "../state.ts"
import { killForResize } from "./plan-kills.ts"
import { isResizeInProgress, resizeActions } from "./resize-actions.ts"

/** It is stopped for its new resources and does not run with them yet. */
const isRestarting = (c: ContainerInState): boolean =>
  c.kill?.reason === "Resize" || (c.status === "exited" && c.lastExit?.killedFor === "Resize")

export const runsIn =
  (state: PodState) =>
  (name: string): boolean =>
    containerIn(state, name)?.status === "running"

export const planResize = (d: PodDecision): void => {
  const { resize, definition, sandbox, containers } = d.state
  if (resize?.actuated === undefined || definition === null || resize.status === "applying") return
  if ((resize.retry?.at ?? 0) > d.at) return
  // What is being made may have been asked for with the resources of before.
  if (sandbox?.status === "requested" || containers.some((c) => c.status === "starting" || isRestarting(c))) return
  const { pod } = definition
  const runs = runsIn(d.state)
  const isDue = isResizeInProgress(pod, resize.actuated, runs)
  if (!isDue && !(resize.cgroupDue === true && sandbox?.status === "ready")) {
    d.emit({ _tag: "ResizeCompleted" }, resize.because)
    return
  }
  const { cpu, memory, restart } = resizeActions(pod, resize.actuated, runs)
  const names = (updates: typeof cpu): ReadonlyArray<string> => updates.map(({ container }) => container)
  const started = d.emit(
    { _tag: "ResizeStarted", cpu: names(cpu), memory: names(memory), restart },
    resize.retry?.because ?? resize.because
  )
  for (const name of restart) {
    const c = containerIn(d.state, name)
    if (c !== undefined) killForResize(d, c, started)
  }
}
