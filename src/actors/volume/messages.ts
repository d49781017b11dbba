/** What a volume tells its pod. Pure. */
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { ReportVolume } from "../pod/commands.ts"
import { partsOf, type VolumeEvent } from "./state.ts"

type Outcome = Pick<typeof ReportVolume.Type, "outcome"> & { readonly path?: string; readonly message?: string }

export const reportVolume = (id: ActorId, outcome: Outcome, at: number): ReadonlyArray<Outgoing> => {
  const { pod, volume } = partsOf(id)
  const command: typeof ReportVolume.Type = { _tag: "ReportVolume", at, volume, ...outcome }
  return [{ to: actorId("pod", id.namespace, pod), command }]
}

/** Messages on an event. `at`: milliseconds since the epoch. */
export const volumeMessages = (event: VolumeEvent, id: ActorId, at: number): ReadonlyArray<Outgoing> => {
  switch (event._tag) {
    case "VolumeMounted":
      return reportVolume(id, { outcome: "mounted", path: event.path }, at)
    case "VolumeMountFailed":
      return reportVolume(id, { outcome: "failed", message: event.message }, at)
    case "VolumeUnmounted":
      return reportVolume(id, { outcome: "unmounted" }, at)
    default:
      // A failed unmount: the pod waits for the volume to be gone, and nothing but another try brings that about.
      return []
  }
}
