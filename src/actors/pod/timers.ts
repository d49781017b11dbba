/** What a pod wants the clock to send, and when: retries, back-offs, hooks that sleep, the ends of waits, its deadline. */
import { millis } from "../../events/definition.ts"
import type { Timer } from "../kernel/behavior.ts"
import { holdUntil, isAlive, isHeld, type PodState } from "./state.ts"
import { isTerminalPhase } from "./status/phase.ts"

export const podTimers = (state: PodState): ReadonlyArray<Timer> => {
  if (state.definition === null) return []
  const wanted: Array<Timer> = []
  const add = (key: string, retry: { readonly at: number; readonly because: string } | null | undefined) => {
    if (retry !== null && retry !== undefined) wanted.push({ key, dueAt: retry.at, because: retry.because })
  }
  add("sandbox", state.sandbox?.retry)
  add("cleanup", state.cleanup?.retry)
  if (state.resize?.status === "failed") add("resize", state.resize.retry)
  const deadline = state.definition.pod.spec.activeDeadlineSeconds
  if (
    deadline !== undefined &&
    state.failed === undefined &&
    state.termination === null &&
    !isTerminalPhase(state.phase)
  ) {
    wanted.push({
      key: "deadline",
      dueAt: millis(state.startTime) + deadline * 1000,
      because: state.definition.because
    })
  }
  for (const c of state.containers) {
    if (c.status === "killing") add(`kill/${c.name}`, c.kill?.retry)
    if (isHeld(c)) wanted.push({ key: `hold/${c.name}`, dueAt: holdUntil(c.kill), because: c.kill.because })
    for (const [hook, run] of Object.entries(c.hooks ?? {})) {
      if (run.status !== "running" || run.until === undefined || !isAlive(c)) continue
      wanted.push({ key: `hook/${c.name}/${hook}`, dueAt: run.until, because: run.because })
    }
    if (c.status !== "waiting" && c.status !== "exited") continue
    add(`start/${c.name}`, c.startRetry)
    if (c.backOff !== null)
      wanted.push({ key: `back-off/${c.name}`, dueAt: c.backOff.until, because: c.backOff.because })
  }
  return wanted
}
