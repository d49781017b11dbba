/** The volume's actor, live: it prepares the volume and takes it down, and tells its pod what came of it. */
import { Clock, Effect, Result } from "effect"
import { type HostPathType, type VolumeRequest, Volumes } from "../../adapters/volumes/port.ts"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { Volume } from "../../events/pod-spec.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import type { ReportVolume } from "../pod/commands.ts"
import { quantityOf, value } from "../pod/quantity.ts"
import type { VolumeCommand } from "./commands.ts"
import { volumeDecider } from "./decider.ts"
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

type Outcome = Pick<typeof ReportVolume.Type, "outcome"> & { readonly path?: string; readonly message?: string }

const report = (id: ActorId, outcome: Outcome): Work =>
  Effect.map(Clock.currentTimeMillis, (at) => {
    const { pod, volume } = partsOf(id)
    const command: typeof ReportVolume.Type = { _tag: "ReportVolume", at, volume, ...outcome }
    return [{ to: actorId("pod", id.namespace, pod), command }]
  })

export const volumeBehavior: Behavior<VolumeState, VolumeCommand, VolumeEvent, Volumes> = {
  ...volumeDecider,
  react: ({ event }, _, id) => {
    switch (event._tag) {
      case "VolumeMountRequested":
        return mount(id, event.podUid, event.volume, event.fsGroup)
      case "VolumeMounted":
        return report(id, { outcome: "mounted", path: event.path })
      case "VolumeMountFailed":
        return report(id, { outcome: "failed", message: event.message })
      case "VolumeUnmountRequested":
        return unmount(id, event.podUid)
      case "VolumeUnmounted":
        return report(id, { outcome: "unmounted" })
      case "VolumeUnmountFailed":
        // The pod waits for the volume to be gone, and nothing but another try brings that about.
        return []
    }
  },
  /** A mounted volume is prepared again: what the node lost when it was started anew is there again, or is said to fail. */
  resume: ({ records }, id) =>
    Object.entries(records).flatMap(([podUid, { status, volume, fsGroup, path }]) => {
      if (status === "unmounting") return [unmount(id, podUid)]
      if (volume === null || (status !== "mounting" && status !== "mounted")) return []
      const again = mount(id, podUid, volume, fsGroup ?? undefined)
      return status === "mounting" ? [again] : [again, report(id, { outcome: "mounted", path })]
    })
}
