/**
 * What is known of a volume, for each pod of that name that has or had it: a pod that replaces another begins while the
 * other's volume may still be in the way of being taken down.
 */
import type { ActorId } from "../../events/actor-id.ts"
import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { volumeEvents } from "../../events/kinds/volume.ts"
import type { Volume } from "../../events/pod-spec.ts"

export type VolumeEvent = EventsOf<typeof volumeEvents>

export interface VolumeRecord {
  /** mounting → mounted → unmounting → (gone). The failed ones wait for `retryAt`. */
  readonly status: "mounting" | "mounted" | "mountFailed" | "unmounting" | "unmountFailed"
  /** Null where only its taking down was ever asked for. */
  readonly volume: Volume | null
  readonly fsGroup: number | null
  readonly path: string
  /** Of a volume of files: what is mounted. */
  readonly hash?: string
  /** Failures in a row, and what the last one said; empty where there is none. */
  readonly failures: number
  readonly message: string
  /** Milliseconds since the epoch. */
  readonly retryAt: number | null
  /** Id of the event that last changed it. */
  readonly because: string
}

export interface VolumeState {
  readonly name: string
  /** By uid of the pod. */
  readonly records: Readonly<Record<string, VolumeRecord>>
  /** Pod of the last event; empty where there are no records. */
  readonly podUid: string
}

/** The actor's name is `<pod>.<volume>`, and only the pod's own name may hold dots. */
export const partsOf = (id: ActorId): { readonly pod: string; readonly volume: string } => {
  const dot = id.name.lastIndexOf(".")
  return { pod: id.name.slice(0, dot), volume: id.name.slice(dot + 1) }
}

export const initialVolume = (id: ActorId): VolumeState => ({ name: partsOf(id).volume, records: {}, podUid: "" })

const blank: Omit<VolumeRecord, "because"> = {
  status: "mounting",
  volume: null,
  fsGroup: null,
  path: "",
  failures: 0,
  message: "",
  retryAt: null
}

export const evolveVolume = (state: VolumeState, event: VolumeEvent, meta: EventMeta): VolumeState => {
  const { podUid } = event
  const known = state.records[podUid]
  const to = (change: Partial<VolumeRecord>): VolumeState => ({
    ...state,
    records: { ...state.records, [podUid]: { ...blank, ...known, retryAt: null, ...change, because: meta.id } },
    podUid
  })
  switch (event._tag) {
    case "VolumeMountRequested":
      return to({
        status: "mounting",
        volume: event.volume,
        fsGroup: event.fsGroup ?? null,
        failures: known?.status === "mountFailed" ? known.failures : 0
      })
    case "VolumeMounted":
      return to({
        status: "mounted",
        path: event.path,
        ...(event.hash === undefined ? {} : { hash: event.hash }),
        failures: 0,
        message: ""
      })
    case "VolumeRefreshRequested":
      return to({})
    case "VolumeUpdated":
      return to({ path: event.path, hash: event.hash, failures: 0, message: "" })
    case "VolumeUpdateFailed":
      return to({
        failures: event.attempt,
        message: event.message,
        retryAt: event.retryAt === undefined ? null : millis(event.retryAt)
      })
    case "VolumeMountFailed":
      return to({
        status: "mountFailed",
        failures: event.attempt,
        message: event.message,
        retryAt: millis(event.retryAt)
      })
    case "VolumeUnmountRequested":
      return to({ status: "unmounting", failures: known?.status === "unmountFailed" ? known.failures : 0 })
    case "VolumeUnmountFailed":
      return to({
        status: "unmountFailed",
        failures: event.attempt,
        message: event.message,
        retryAt: millis(event.retryAt)
      })
    case "VolumeUnmounted": {
      const { [podUid]: _, ...records } = state.records
      return { ...state, records, podUid: Object.keys(records).at(-1) ?? "" }
    }
  }
}
