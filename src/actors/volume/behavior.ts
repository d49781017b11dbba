/** The volume's actor, live: it prepares the volume and takes it down, and tells its pod what came of it. */
import { Clock, Effect, Result } from "effect"
import { type HostPathType, type VolumeRequest, Volumes } from "../../adapters/volumes/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Volume } from "../../events/pod-spec.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import { quantityOf, value } from "../pod/quantity.ts"
import type { VolumeCommand } from "./commands.ts"
import { volumeDecider } from "./decider.ts"
import { reportVolume, volumeMessages } from "./messages.ts"
import { partsOf, type VolumeEvent, type VolumeState } from "./state.ts"

type Work = Effect.Effect<ReadonlyArray<Outgoing>, never, Volumes>

const requestOf = (podUid: string, volume: Volume, fsGroup: number | undefined): VolumeRequest => {
  const { name, emptyDir, hostPath } = volume
  const limit = emptyDir?.sizeLimit
  return {
    podUid,
    name,
    source:
      hostPath !== undefined
        ? { kind: "hostPath", path: hostPath.path, type: (hostPath.type ?? "") as HostPathType }
        : {
            kind: "emptyDir",
            medium: emptyDir?.medium === "Memory" ? "Memory" : "",
            ...(limit === undefined ? {} : { sizeLimitBytes: value(quantityOf(limit)) })
          },
    ...(fsGroup === undefined ? {} : { fsGroup })
  }
}

const mount = (id: ActorId, podUid: string, volume: Volume, fsGroup: number | undefined): Work =>
  Effect.gen(function* () {
    const volumes = yield* Volumes
    const result = yield* Effect.result(volumes.mount(requestOf(podUid, volume, fsGroup)))
    const at = yield* Clock.currentTimeMillis
    const command: VolumeCommand = Result.isSuccess(result)
      ? { _tag: "MountSucceeded", at, podUid, path: result.success }
      : { _tag: "MountFailed", at, podUid, message: result.failure.message }
    return [{ to: id, command }]
  })

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

export const volumeBehavior: Behavior<VolumeState, VolumeCommand, VolumeEvent, Volumes> = {
  ...volumeDecider,
  react: ({ event }, _, id) => {
    switch (event._tag) {
      case "VolumeMountRequested":
        return mount(id, event.podUid, event.volume, event.fsGroup)
      case "VolumeUnmountRequested":
        return unmount(id, event.podUid)
      default:
        return now((at) => volumeMessages(event, id, at))
    }
  },
  /** A mounted volume is prepared again: what the node lost when it was started anew is there again, or is said to fail. */
  resume: ({ records }, id) =>
    Object.entries(records).flatMap(([podUid, { status, volume, fsGroup, path }]) => {
      if (status === "unmounting") return [unmount(id, podUid)]
      if (volume === null || (status !== "mounting" && status !== "mounted")) return []
      const again = mount(id, podUid, volume, fsGroup ?? undefined)
      return status === "mounting" ? [again] : [again, now((at) => reportVolume(id, { outcome: "mounted", path }, at))]
    })
}
