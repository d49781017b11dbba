/** The part of the plan that starts containers, at once or after a back-off. */
import { millis, timestamp } from "../../../events/definition.ts"
import type { PodDecision } from "../evolve.ts"
import { type ContainerInState, containerIn, crashPolicy, imageVolumesOf } from "../state.ts"
import { crashDecision } from "./backoff.ts"
import { dueToStart, endedBefore, isRestarted } from "./start-order.ts"

/** What the events of this decision led to is caused by them; without any, by what caused the command. */
export const trigger = (d: PodDecision, moved?: string): string | undefined =>
  moved?.startsWith("@") === true ? moved : d.decided.length > 0 ? "@0" : undefined

/** After an end: when it may run again. Nothing is said where that is at once, or never. */
export const planBackOffs = (d: PodDecision): void => {
  const ended = d.decided.flatMap(({ event }) => (event._tag === "ContainerExited" ? [event.container] : []))
  for (const c of d.state.containers) if (ended.includes(c.name)) planBackOff(d, c)
}

const planBackOff = (d: PodDecision, c: ContainerInState): void => {
  if (c.lastExit === null || !isRestarted(d.state, c)) return
  // Who asked for it waits; the others start over with it, as if they had never run (KEP-5532 removes them).
  if (c.lastExit.killedFor === "RestartAllContainers" || c.lastExit.killedFor === "Resize") return
  const finishedAt = millis(c.lastExit.finishedAt)
  const decision = crashDecision(crashPolicy(d.state), c.crashes ?? undefined, finishedAt, finishedAt)
  if (decision.start) return
  d.emit(
    {
      _tag: "ContainerBackOffStarted",
      container: c.name,
      delaySeconds: decision.delay / 1000,
      until: timestamp(decision.until)
    },
    c.because
  )
}

export const planContainers = (d: PodDecision): void => {
  if (d.state.sandbox?.status !== "ready") return
  // The pod's cgroup takes the new resources first.
  if (d.state.resize?.status === "applying") return
  const { sandboxId } = d.state.sandbox
  const due = dueToStart(d.state)
  if (due.length === 0) return
  const before = endedBefore(d.state)
  // Looked up anew after each start: one whose postStart hook is to run holds up those after it.
  for (const { name } of due) {
    const c = containerIn(d.state, name)
    if (c === undefined || !dueToStart(d.state).includes(c) || c.imageId === "") continue
    if (imageVolumesOf(d.state, name).some(({ imageId }) => imageId === "")) continue
    if ((c.backOff?.until ?? 0) > d.at || (c.startRetry?.at ?? 0) > d.at) continue
    const moved = c.because.startsWith("@") ? c.because : before?.because
    d.emit(
      {
        _tag: "ContainerStartRequested",
        container: c.name,
        attempt: c.attempt + 1,
        sandboxId,
        imageId: c.imageId,
        reason: startReason(c)
      },
      trigger(d, moved)
    )
  }
}

const startReason = (c: ContainerInState): string =>
  c.startRetry !== null
    ? "the attempt before failed"
    : c.lastExit === null
      ? "first start"
      : c.again === true
        ? "all containers of the pod start over"
        : c.lastExit.killedFor === "Resize"
          ? "it takes its new resources"
          : `it ended with exit code ${c.lastExit.exitCode}${c.lastExit.oomKilled ? ", out of memory" : ""}`
