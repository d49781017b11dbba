/** Which events went wrong: what a reader of an incident looks for first. Ends that were asked for are not among them. */
import type { NodeEvent } from "../../events/catalogue.ts"
import type { TroubleKind } from "./model.ts"

/** Types that are trouble whatever they hold. */
const always: Readonly<Partial<Record<NodeEvent["_tag"], TroubleKind>>> = {
  ContainerStartFailed: "start",
  ContainerWaiting: "start",
  SandboxFailed: "pod",
  SandboxLost: "pod",
  PodRejected: "pod",
  PodDeadlineExceeded: "pod",
  PodPreempted: "pod",
  PodEvicted: "pod",
  PodRestartRequested: "pod",
  PodOperationFailed: "pod",
  LogRotationFailed: "log",
  ImagePullFailed: "image",
  VolumeMountFailed: "volume",
  VolumeUpdateFailed: "volume",
  VolumeUnmountFailed: "volume",
  ManifestInvalid: "source",
  SourceUnreadable: "source",
  ServiceRejected: "service",
  EndpointRejected: "service",
  ProxyUnavailable: "service",
  DataplaneFailed: "service",
  DataplaneDrifted: "service",
  SysctlFailed: "service",
  RuntimeDisconnected: "node",
  StreamDisconnected: "node",
  AdmissionClosed: "node",
  PressureObserved: "node",
  EvictionImpossible: "node",
  ActorFailed: "node",
  ActorEscalated: "node"
}

/** Why a container is stopped with its pod: its exit code means nothing. */
const endings: ReadonlySet<string> = new Set([
  "PodTerminating",
  "PodCompleted",
  "DeadlineExceeded",
  "Preempting",
  "Evicted"
])

export class TroubleFinder {
  /** Lanes of containers that were told to end because their pod ends. */
  private readonly ending = new Set<number>()

  /** The kind of trouble that this event is; undefined: it is none. @param lane of the event */
  kindOf(event: NodeEvent, lane: number): TroubleKind | undefined {
    switch (event._tag) {
      case "ContainerKillRequested":
        if (endings.has(event.reason)) this.ending.add(lane)
        return undefined
      case "ContainerStartRequested":
        this.ending.delete(lane)
        return event.attempt > 0 ? "restart" : undefined
      case "ContainerExited":
        return event.oomKilled || (event.exitCode !== 0 && !this.ending.has(lane)) ? "exit" : undefined
      case "ContainerHookEnded":
        return event.outcome === "failed" ? "hook" : undefined
      case "ProbeResultChanged":
        return event.to === "failure" ? "probe" : undefined
      default:
        return always[event._tag]
    }
  }
}
