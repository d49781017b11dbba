/** When a container's log is rotated, and when that is tried again (`pkg/kubelet/logs/container_log_manager.go`). */
import { timestamp } from "../../events/definition.ts"
import type { Decided, Decider, Timer } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { LogCommand } from "./commands.ts"
import { evolveLog, initialLog, type LogEvent, type LogState, podOfLog, type Rotation } from "./state.ts"

/** Milliseconds. kubelet tries again with every look (10 s); ours is not told of each time. */
const firstBackOff = 10_000
const longestBackOff = 300_000

const retryKey = "retry"

/** Milliseconds to wait after the given number of failures in a row, at least 1. */
export const backOff = (failures: number): number =>
  Math.min(longestBackOff, firstBackOff * 2 ** Math.min(failures - 1, 20))

const again = ({ podUid, container, containerId, attempt, path, sizeBytes }: Rotation): LogEvent => ({
  _tag: "LogRotationRequested",
  ...{ podUid, container, containerId, attempt, path, sizeBytes }
})

const decide = (state: LogState, command: LogCommand): ReadonlyArray<Decided<LogEvent>> => {
  const d = new Decision<LogState, LogEvent>(state, evolveLog, command.at)
  const { rotation } = state
  if (command._tag === "TimerFired") {
    if (rotation?.retryAt === command.dueAt) d.emit(again(rotation), rotation.because)
    return d.decided
  }
  if (command._tag === "LogGrew") {
    // A restarted container has another file: the old one does not grow any more.
    if (rotation === null || rotation.containerId !== command.containerId) {
      const { _tag, at, ...grown } = command
      d.emit({ _tag: "LogRotationRequested", ...grown })
    }
    return d.decided
  }
  const { containerId } = command
  if (rotation?.status !== "rotating" || rotation.containerId !== containerId) return d.decided
  const { container, because } = rotation
  switch (command._tag) {
    case "RotationDone": {
      const rotated = command.rotatedPath === undefined ? {} : { rotatedPath: command.rotatedPath }
      d.emit({ _tag: "LogRotated", container, containerId, ...rotated }, because)
      break
    }
    case "RotationFailed": {
      const failures = rotation.failures + 1
      const retryAt = timestamp(command.at + backOff(failures))
      const { message } = command
      d.emit({ _tag: "LogRotationFailed", container, containerId, message, failures, retryAt }, because)
      break
    }
    case "RotationPointless":
      d.emit({ _tag: "LogRotationDropped", container, containerId }, because)
      break
  }
  return d.decided
}

const timers = ({ rotation }: LogState): ReadonlyArray<Timer> =>
  rotation === null || rotation.retryAt === null
    ? []
    : [{ key: retryKey, dueAt: rotation.retryAt, because: rotation.because }]

export const logDecider: Decider<LogState, LogCommand, LogEvent> = {
  kind: "log",
  stateVersion: 1,
  command: LogCommand as never,
  initial: () => initialLog,
  decide,
  evolve: evolveLog,
  timers,
  finished: ({ rotation }) => rotation === null,
  subject: ({ rotation }) => rotation?.podUid,
  supervisor: (id) => ({ kind: "pod", namespace: id.namespace, name: podOfLog(id) })
}
