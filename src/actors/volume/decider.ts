/** When a volume is prepared, taken down, and tried again. */
import { timestamp } from "../../events/definition.ts"
import type { Decided, Decider, Timer } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { type MountFailed, type MountSucceeded, type MountVolume, VolumeCommand } from "./commands.ts"
import { evolveVolume, initialVolume, partsOf, type VolumeEvent, type VolumeRecord, type VolumeState } from "./state.ts"

type VolumeDecision = Decision<VolumeState, VolumeEvent>

/** Milliseconds (`pkg/util/goroutinemap/exponentialbackoff`: initialDurationBeforeRetry, maxDurationBeforeRetry). */
const firstBackOff = 500
const longestBackOff = 122_000

/** Milliseconds to wait after the given number of failures in a row, at least 1. */
export const backOff = (failures: number): number =>
  Math.min(longestBackOff, firstBackOff * 2 ** Math.min(failures - 1, 20))

const decide = (state: VolumeState, command: VolumeCommand): ReadonlyArray<Decided<VolumeEvent>> => {
  const d = new Decision<VolumeState, VolumeEvent>(state, evolveVolume, command.at)
  if (command._tag === "TimerFired") {
    const [podUid, record] = Object.entries(state.records).find(([uid]) => uid === command.key) ?? []
    if (podUid !== undefined && record?.retryAt === command.dueAt) retry(d, podUid, record)
    return d.decided
  }
  const { podUid } = command
  const record = state.records[podUid]
  const volume = state.name
  switch (command._tag) {
    case "MountVolume":
      mount(d, command, record)
      break
    case "UnmountVolume":
      if (record?.status !== "unmounting" && record?.status !== "unmountFailed") {
        d.emit({ _tag: "VolumeUnmountRequested", podUid, volume })
      }
      break
    case "RefreshVolume":
      refresh(d, podUid, record)
      break
    case "MountSucceeded":
      mounted(d, command, record)
      break
    case "MountFailed":
      if (record?.status === "mounted" && command.kept === true) updateFailed(d, command, record)
      // Also a mounted one, which is not there any more when it is looked for after a restart.
      else if (record?.status === "mounting" || record?.status === "mounted") {
        d.emit({ _tag: "VolumeMountFailed", podUid, volume, ...failure(d, record, command.message) }, record.because)
      }
      break
    case "UnmountSucceeded":
      if (record?.status === "unmounting") d.emit({ _tag: "VolumeUnmounted", podUid, volume }, record.because)
      break
    case "UnmountFailed":
      if (record?.status === "unmounting") {
        d.emit({ _tag: "VolumeUnmountFailed", podUid, volume, ...failure(d, record, command.message) }, record.because)
      }
      break
  }
  return d.decided
}

const failure = (d: VolumeDecision, record: VolumeRecord, message: string) => {
  const attempt = record.failures + 1
  return { message, attempt, retryAt: timestamp(d.at + backOff(attempt)) }
}

/** A volume that is mounted is prepared again, which is quick, and so the pod is answered. */
const mount = (d: VolumeDecision, { podUid, volume, fsGroup }: MountVolume, record: VolumeRecord | undefined): void => {
  if (record?.status === "mounting" || record?.status === "mountFailed") return
  d.emit({ _tag: "VolumeMountRequested", podUid, volume, ...(fsGroup === undefined ? {} : { fsGroup }) })
}

/** One that could not be prepared is tried again at once: what it waits for may have come. */
const refresh = (d: VolumeDecision, podUid: string, record: VolumeRecord | undefined): void => {
  if (record?.status === "mounted" || record?.status === "mounting") {
    d.emit({ _tag: "VolumeRefreshRequested", podUid, volume: d.state.name })
  } else if (record?.status === "mountFailed" && record.volume !== null) {
    const group = record.fsGroup === null ? {} : { fsGroup: record.fsGroup }
    d.emit({ _tag: "VolumeMountRequested", podUid, volume: record.volume, ...group })
  }
}

const mounted = (
  d: VolumeDecision,
  { podUid, path, hash }: typeof MountSucceeded.Type,
  record: VolumeRecord | undefined
): void => {
  const volume = d.state.name
  if (record?.status === "mounting" || (record?.status === "mounted" && record.path !== path)) {
    const event = { podUid, volume, path, ...(hash === undefined ? {} : { hash }) }
    d.emit({ _tag: "VolumeMounted", ...event }, record.because)
  } else if (record?.status === "mounted" && hash !== undefined && (hash !== record.hash || record.failures > 0)) {
    d.emit({ _tag: "VolumeUpdated", podUid, volume, path, hash }, record.because)
  }
}

const updateFailed = (
  d: VolumeDecision,
  { podUid, message, awaitsObject }: typeof MountFailed.Type,
  record: VolumeRecord
): void => {
  // Said already, and nothing to try again.
  if (awaitsObject === true && record.message === message) return
  const { retryAt, ...failed } = failure(d, record, message)
  const retry = awaitsObject === true ? {} : { retryAt }
  d.emit({ _tag: "VolumeUpdateFailed", podUid, volume: d.state.name, ...failed, ...retry }, record.because)
}

const retry = (d: VolumeDecision, podUid: string, { status, volume, fsGroup, because }: VolumeRecord): void => {
  if (status === "mounted") d.emit({ _tag: "VolumeRefreshRequested", podUid, volume: d.state.name }, because)
  else if (status === "unmountFailed") d.emit({ _tag: "VolumeUnmountRequested", podUid, volume: d.state.name }, because)
  else if (volume !== null) {
    const group = fsGroup === null ? {} : { fsGroup }
    d.emit({ _tag: "VolumeMountRequested", podUid, volume, ...group }, because)
  }
}

const timers = (state: VolumeState): ReadonlyArray<Timer> =>
  Object.entries(state.records).flatMap(([key, { retryAt, because }]) =>
    retryAt === null ? [] : [{ key, dueAt: retryAt, because }]
  )

export const volumeDecider: Decider<VolumeState, VolumeCommand, VolumeEvent> = {
  kind: "volume",
  stateVersion: 1,
  command: VolumeCommand as never,
  initial: initialVolume,
  decide,
  evolve: evolveVolume,
  timers,
  finished: (state) => Object.keys(state.records).length === 0,
  subject: (state) => (state.podUid === "" ? undefined : state.podUid),
  supervisor: (id) => ({ kind: "pod", namespace: id.namespace, name: partsOf(id).pod })
}
