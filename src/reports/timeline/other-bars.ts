/** States of everything but pods and containers: node, runtime, source, stream, images, volumes, probes, Services, endpoints. */
import type { NodeEvent } from "../../events/catalogue.ts"
import type { Bars } from "./bars.ts"
import type { StateName } from "./model.ts"

/** What an event says by itself; probes and the node need more and are told below. */
const simple: Readonly<Partial<Record<NodeEvent["_tag"], StateName | "end">>> = {
  RuntimeConnected: "connected",
  RuntimeDisconnected: "disconnected",
  StreamConnected: "connected",
  StreamDisconnected: "disconnected",
  ManifestRead: "readable",
  SourceReadable: "readable",
  SourceUnreadable: "unreadable",
  ImagePullQueued: "waiting",
  ImagePullStarted: "pulling",
  ImagePulled: "present",
  ImageFound: "present",
  ImagePullFailed: "back-off",
  VolumeMountRequested: "mounting",
  VolumeMounted: "mounted",
  VolumeMountFailed: "back-off",
  VolumeUpdated: "mounted",
  VolumeUnmountRequested: "unmounting",
  VolumeUnmounted: "end",
  VolumeUnmountFailed: "back-off",
  NodeStopped: "stopped",
  AdmissionClosed: "admission closed",
  AdmissionOpened: "ready",
  EvictionConfigured: "ready",
  ProbeStopped: "end",
  ProxyStarted: "ready",
  ProxyUnavailable: "down",
  DataplaneSynced: "ready",
  DataplaneFailed: "failed",
  DataplaneRecovered: "ready",
  ServiceRemoved: "end",
  EndpointReady: "ready",
  EndpointUnready: "not ready",
  EndpointDraining: "terminating",
  EndpointRemoved: "end"
}

/** What is presumed of a container before its probe's first answer (kubelet's prober_manager.go): that it lives, no more. */
const presumed = { liveness: "passing", readiness: "waiting", startup: "waiting" } as const
const resultStates = { unknown: "unknown", success: "passing", failure: "failed" } as const

/** @param before when the event before this one happened, of whatever lane */
/** The state that an event brings; undefined: it changes nothing. @param now the state of its lane before it */
const stateAfter = (event: NodeEvent, now: StateName | undefined): StateName | "end" | undefined => {
  switch (event._tag) {
    case "NodeStarted":
      return "ready"
    case "ProbeStarted":
      return presumed[event.probe]
    case "ProbeFailed":
      // On the way to its threshold; where it failed already nothing changes.
      return now === "failed" ? undefined : "failing"
    case "ProbeSucceeded":
      return now === "failing" ? "passing" : undefined
    case "ProbeResultChanged":
      return resultStates[event.to]
    case "PressureConditionChanged":
      // Where several hold the first that ends ends the bar.
      return event.status ? "failing" : "ready"
    case "ServiceDeclared":
      return "waiting"
    case "ServiceRejected":
      // What was declared before stays in force.
      return now === undefined ? "rejected" : undefined
    case "ServiceProgrammed":
      return event.serving.some(({ cluster, local }) => cluster + local > 0) ? "ready" : "not ready"
    case "EndpointAdded":
    case "EndpointChanged":
      return event.ready ? "ready" : event.terminating ? "terminating" : "not ready"
    default:
      return simple[event._tag]
  }
}

/** @param before when the event before this one happened, of whatever lane */
export const applyOther = (
  bars: Bars,
  event: NodeEvent,
  lane: number,
  at: number,
  index: number,
  before: number
): void => {
  const now = bars.state(lane)
  const state = stateAfter(event, now)
  // It was still up as far as the log told: it died, after the last event and before this one.
  if (event._tag === "NodeStarted" && now !== undefined && now !== "stopped") bars.begin(lane, "down", before, index)
  if (state === "end") bars.end(lane, at)
  else if (state !== undefined) bars.begin(lane, state, at, index, event._tag === "ProbeStarted")
}
