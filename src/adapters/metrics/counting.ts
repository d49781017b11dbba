/** What committed events tell for metrics. Called once for each commit, with its events in order; quick, and never throws. */
import type { ActorId } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import { millis, type Timestamp } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { KubeletFamilies } from "./kubelet-families.ts"
import { maxFollowed, PodStartTimes } from "./pod-start-times.ts"

export type ContainerType = "container" | "init_container" | "ephemeral_container"

export interface CountingOptions {
  readonly typeOf: (pod: ActorId, container: string) => ContainerType
  /** Until when the API's certificate is good, milliseconds since the epoch; it is put here. */
  readonly certificate: { until: number | undefined }
}

/** `pkg/kubelet/metrics/metrics.go` imageSizeBuckets: sizes from which an image counts as one of the class. */
const mebibyte = 1024 ** 2
const imageSizes = [
  [100 * 1024 * mebibyte, "GT100GB"],
  [50 * 1024 * mebibyte, "50GB-100GB"],
  [10 * 1024 * mebibyte, "10GB-50GB"],
  [1024 * mebibyte, "1GB-10GB"],
  [500 * mebibyte, "500MB-1GB"],
  [100 * mebibyte, "100MB-500MB"],
  [10 * mebibyte, "10MB-100MB"],
  [1, "0-10MB"]
] as const
export const imageSizeClass = (bytes: number | undefined): string =>
  imageSizes.find(([from]) => (bytes ?? 0) >= from)?.[1] ?? "N/A"

/** Reasons are words of ours or kubelet's; one that is none must not make series without end. */
const reasonLabel = (reason: string): string => (/^[A-Za-z][A-Za-z0-9-]{0,63}$/u.test(reason) ? reason : "Other")

/** Of `Node didn't have enough resource: cpu, requested: …`. */
const lackedResource = (message: string): string => /resource: ([\w./-]+)/u.exec(message)?.[1] ?? ""

/** Clocks may be set back. */
const secondsBetween = (from: Timestamp, to: Timestamp): number => Math.max(0, millis(to) - millis(from)) / 1000

export const makeCounting = (families: KubeletFamilies, { typeOf, certificate }: CountingOptions) => {
  const starts = new PodStartTimes()
  /** Uids of pods that were removed. */
  const removed = new Set<string>()
  let hasFirstNetwork = false
  /** Why images are removed that go now. */
  let collected: "age" | "space" = "space"

  const status = ({ time, recordedTime }: RecordedEvent<NodeEvent>): void =>
    families.podStatusSync.observe(secondsBetween(time, recordedTime))

  const admitted = (recorded: RecordedEvent<NodeEvent>, uid: string, containers: number): void => {
    families.containersPerPod.observe(containers)
    const seen = starts.seenAt(recorded)
    if (seen !== undefined) families.podWorkerStart.observe(Math.max(0, millis(recorded.recordedTime) - seen) / 1000)
    if (removed.delete(uid)) families.restartedPods.add(1, { static: "true" })
  }

  const started = (recorded: RecordedEvent<NodeEvent>): void => {
    const start = starts.apply(recorded)
    if (start === undefined) return
    families.podStart.observe(start.total)
    families.podStartTotal.observe(start.total)
    families.podStartSli.observe(start.sli)
    if (!start.hasNetwork || hasFirstNetwork) return
    hasFirstNetwork = true
    families.firstNetworkPodStart.set(start.sli)
  }

  const count = (recorded: RecordedEvent<NodeEvent>): void => {
    const { actor, event } = recorded
    families.events.add(1, { type: event._tag })
    switch (event._tag) {
      case "PodAdmitted":
        admitted(recorded, event.pod.metadata.uid, event.pod.spec.containers.length)
        break
      case "PodRejected":
        families.rejections.add(1, { reason: reasonLabel(event.reason) })
        break
      case "PodPreemptionDecided":
        families.preemptions.add(event.preempted.length, { preemption_signal: lackedResource(event.message) })
        break
      case "PodRemoved":
        if (removed.size >= maxFollowed) removed.clear()
        removed.add(event.uid)
        break
      case "PodPhaseChanged":
      case "PodConditionChanged":
      case "ContainerReadinessChanged":
        status(recorded)
        break
      case "SandboxRequested":
        families.startedPods.add(1)
        break
      case "SandboxFailed":
        families.startedPodsErrors.add(1)
        break
      case "ContainerStartRequested":
        families.startedContainers.add(1, { container_type: typeOf(actor, event.container) })
        break
      case "ContainerStartFailed":
        families.startedContainersErrors.add(1, {
          code: reasonLabel(event.reason),
          container_type: typeOf(actor, event.container)
        })
        break
      case "ImagePulled":
        families.pullDuration.observe(event.duration / 1000, { image_size_in_bytes: imageSizeClass(event.size) })
        break
      case "EvictionTriggered": {
        const labels = { eviction_signal: event.signal }
        families.evictions.add(1, labels)
        if (event.observedAt !== undefined)
          families.evictionStatsAge.observe(secondsBetween(event.observedAt, recorded.time), labels)
        break
      }
      case "ImageCollectionDecided":
        collected = event.trigger === "MaximumAge" ? "age" : "space"
        break
      case "GarbageRemoved":
        if (event.what === "Image") families.imagesCollected.add(1, { reason: collected })
        break
      case "NodeShutdownStarted":
        families.shutdownStart.set(millis(recorded.time) / 1000)
        families.shutdownEnd.set(0)
        break
      case "NodeShutdownCompleted":
        families.shutdownEnd.set(millis(recorded.time) / 1000)
        break
      case "ApiListening":
      case "CertificateReloaded":
        if (event.notAfter !== undefined) certificate.until = millis(event.notAfter)
        break
      case "CertificateRefused":
        families.serverRenewErrors.add(1)
        break
      case "OrphanSandboxFound":
        families.orphanedPods.add(1)
        break
      default:
    }
    started(recorded)
  }

  return (events: ReadonlyArray<RecordedEvent<NodeEvent>>): void => {
    for (const recorded of events) count(recorded)
    const last = events.at(-1)
    if (last !== undefined) families.journalSequence.set(last.sequence)
  }
}

/** What a step for a pod is called in kubelet's words, by the event that it follows. */
const workerSteps: Readonly<Record<string, string>> = {
  SandboxRequested: "create",
  ContainerStartRequested: "create",
  ContainerKillRequested: "terminating",
  ContainerStopRequested: "terminating",
  SandboxStopRequested: "terminating",
  PodVolumesReleased: "terminating",
  PodCleanupRequested: "terminated"
}

/** @param event tag of the event that was acted on */
export const countReaction = (families: KubeletFamilies, kind: string, event: string, milliseconds: number): void => {
  families.reactionDuration.observe(milliseconds / 1000, { kind })
  if (kind === "pod") families.podWorker.observe(milliseconds / 1000, { operation_type: workerSteps[event] ?? "sync" })
}
