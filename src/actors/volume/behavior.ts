/** The volume's actor, live: it prepares the volume and takes it down, and tells its pod what came of it. */
import { Clock, Effect, Result } from "effect"
import { Volumes } from "../../adapters/volumes/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Volume } from "../../events/pod-spec.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import type { VolumeCommand } from "./commands.ts"
import { volumeDecider } from "./decider.ts"
import { reportVolume, volumeMessages } from "./messages.ts"
import { prepareVolume, type VolumeNeeds } from "./prepare.ts"
import { partsOf, type VolumeEvent, type VolumeState } from "./state.ts"

type Work = Effect.Effect<ReadonlyArray<Outgoing>, never, VolumeNeeds>

const mount = (id: ActorId, podUid: string, volume: Volume, fsGroup: number | undefined): Work =>
  Effect.map(prepareVolume({ podUid, namespace: id.namespace, volume, fsGroup }), (command) => [{ to: id, command }])

const refresh = (state: VolumeState, id: ActorId, podUid: string): Work => {
  const record = state.records[podUid]
  return record === undefined || record.volume === null
    ? Effect.succeed([])
    : mount(id, podUid, record.volume, record.fsGroup ?? undefined)
}

const unmount = (id: ActorId, podUid: string): Work =>
  Effect.gen(function* () {
    const volumes = yield* Volumes
    const result = yield* Effect.result(volumes.unmount(podUid, partsOf(id).volume))
    const at = yield* Clock.currentTimeMillis
    const command: VolumeCommand = Result.isSuccess(result)
      ? { _tag: "UnmountSucceeded", at, podUid }
      : { _tag: "UnmountFailed", at, podUid, message: result.failure.message }
    return [{ to: id, command }]
  })

const now = (make: (at: number) => ReadonlyArray<Outgoing>): Work => Effect.map(Clock.currentTimeMillis, make)

export const volumeBehavior: Behavior<VolumeState, VolumeCommand, VolumeEvent, VolumeNeeds> = {
  ...volumeDecider,
  react: ({ event }, state, id) => {
    switch (event._tag) {
      case "VolumeMountRequested":
        return mount(id, event.podUid, event.volume, event.fsGroup)
      case "VolumeRefreshRequested":
        return refresh(state, id, event.podUid)
      case "VolumeUnmountRequested":
        return unmount(id, event.podUid)
      default:
        return now((at) => volumeMessages(event, id, at))
    }
  },
  /**
   * A mounted volume is prepared again: what the node lost when it was started anew is there again, or is said to fail, and
   * files are what their objects say now.
   */
  resume: ({ records }, id) =>
    Object.entries(records).flatMap(([podUid, { status, volume, fsGroup, path }]) => {
      if (status === "unmounting") return [unmount(id, podUid)]
      if (volume === null || (status !== "mounting" && status !== "mounted")) return []
      const again = mount(id, podUid, volume, fsGroup ?? undefined)
      return status === "mounting" ? [again] : [again, now((at) => reportVolume(id, { outcome: "mounted", path }, at))]
    })
}
