/**
 * Why something happened: the chain of causes of an event, walked by `causationid`. What an event was caused by is
 * recorded when it is decided, never guessed afterwards.
 */
import { Effect } from "effect"
import { millis } from "./definition.ts"
import type { RecordedEvent } from "./envelope.ts"
import { evictionEvidence } from "./eviction-evidence.ts"
import { tellOom } from "./oom-evidence.ts"

/** Longer chains are cut at their old end. A pod that crash-loops for a month makes some 10,000 steps. */
export const maxSteps = 50_000

export interface CauseChain {
  /** Oldest first; the last is the event that was asked about. */
  readonly steps: ReadonlyArray<RecordedEvent>
  /** Id of the oldest step's cause, where the log does not hold it (pruned, or outside the slice). */
  readonly missing: string | undefined
}

/** Walks back from `last`. `find` answers undefined for an id that the log does not hold. */
export const causeChain = <E, R>(
  last: RecordedEvent,
  find: (id: string) => Effect.Effect<RecordedEvent | undefined, E, R>
): Effect.Effect<CauseChain, E, R> =>
  Effect.gen(function* () {
    const steps = [last]
    const seen = new Set([last.id])
    let cause = last.cause
    while (cause !== undefined && steps.length < maxSteps) {
      // A log that was forged can hold a circle.
      if (seen.has(cause)) return { steps: steps.reverse(), missing: undefined }
      const found = yield* find(cause)
      if (found === undefined) return { steps: steps.reverse(), missing: cause }
      seen.add(cause)
      steps.push(found)
      cause = found.cause
    }
    return { steps: steps.reverse(), missing: cause }
  })

/** Where a container, a pod or the agent began anew, or a row of failures ended: trouble before it has been dealt with. */
const beginnings = new Set(["ContainerStarted", "PodAdmitted", "ManifestRead", "NodeStarted", "ProbeSucceeded"])

/** A sandbox that replaces a lost one goes on with the same trouble. */
const isBeginning = ({ event }: RecordedEvent): boolean =>
  beginnings.has(event._tag) || (event._tag === "SandboxCreated" && event.attempt === 0)

/**
 * The step that set off the last one: the oldest that tells of trouble (WARN or ERROR) since something last began anew;
 * else the oldest since then. Undefined for a chain of one.
 */
export const trigger = (steps: ReadonlyArray<RecordedEvent>): RecordedEvent | undefined => {
  const before = steps.slice(0, -1)
  let start = before.findLastIndex(isBeginning)
  if (start === before.length - 1) return before[start]
  start += 1
  // What ends with its pod is no trouble of its own: who asked for the end set it off.
  if (before.slice(start).some(({ event }) => event._tag === "PodTerminationRequested")) return before[start]
  return before.slice(start).find((step) => step.severity === "WARN" || step.severity === "ERROR") ?? before[start]
}

/** Events that one asks "why?" about: a restart, a kill, an end, a failure. */
export const isTrouble = (recorded: RecordedEvent): boolean => {
  const event = recorded.event
  switch (event._tag) {
    case "ContainerStartRequested":
      return event.attempt > 0
    case "ContainerExited":
      return event.exitCode !== 0 || event.oomKilled
    case "PodPhaseChanged":
      return event.to === "Failed"
    case "ContainerHookEnded":
      return event.outcome === "failed"
    case "ContainerKillRequested":
    case "ContainerStartFailed":
    case "ContainerWaiting":
    case "SandboxFailed":
    case "SandboxLost":
    case "PodRejected":
    case "PodDeadlineExceeded":
    case "PodPreemptionDecided":
    case "PodPreempted":
    case "PodEvicted":
    case "PressureObserved":
    case "EvictionThresholdMet":
    case "EvictionTriggered":
    case "EvictionImpossible":
    case "StorageLimitExceeded":
    case "PodRestartRequested":
    case "PodOperationFailed":
    case "PodTerminationRequested":
    case "ActorFailed":
    case "ActorEscalated":
    case "ServiceRejected":
    case "EndpointRejected":
    case "EndpointUnready":
    case "ProxyUnavailable":
    case "DataplaneFailed":
    case "DataplaneDrifted":
    case "SysctlFailed":
      return true
    default:
      return false
  }
}

/** Fields that say what was seen, by type: label and text. What the sentence of an event says already is left out. */
export const evidence = (recorded: RecordedEvent): ReadonlyArray<readonly [label: string, text: string]> => {
  const event = recorded.event
  switch (event._tag) {
    case "ProbeStarted":
      return [
        ["target", event.target],
        ["every", `${event.spec.periodSeconds ?? 10} s, timeout ${event.spec.timeoutSeconds ?? 1} s`],
        ["failure threshold", String(event.spec.failureThreshold ?? 3)]
      ]
    case "ProbeSucceeded":
      return [
        ["output", event.output],
        ["took", `${event.duration} ms`]
      ]
    case "ProbeFailed":
      return [
        ["output", event.output],
        ["failure", `${event.consecutive} of ${event.threshold}`],
        ["took", `${event.duration} ms${event.timedOut ? ", timed out" : ""}`]
      ]
    case "ProbeResultChanged":
      return [
        ["output", event.output],
        ["in a row", `${event.consecutive}, threshold ${event.threshold}`]
      ]
    case "ContainerProbeReported":
      return [["output", event.output]]
    case "ContainerKillRequested":
      return [
        ["reason", event.reason],
        ["grace", `${event.gracePeriodSeconds} s`],
        ...(event.after === undefined ? [] : [["waits for", event.after.join(", ")] as const]),
        ["container", event.containerId]
      ]
    case "ContainerStopRequested":
      return [["grace left", `${event.gracePeriodSeconds} s`]]
    case "ContainerHookEnded":
      return [
        ...(event.reason === undefined ? [] : [["reason", event.reason] as const]),
        ["took", `${event.duration} ms${event.timedOut ? ", timed out" : ""}`]
      ]
    case "PressureObserved":
    case "EvictionThresholdMet":
    case "NodeReclaimed":
    case "EvictionTriggered":
    case "PodEvicted":
      return evictionEvidence(event)
    case "PodDeadlineExceeded":
      return [["active since", event.startedAt]]
    case "ContainerExited":
      return [
        ["exit code", String(event.exitCode)],
        ...(event.signal === undefined ? [] : [["signal", String(event.signal)] as const]),
        ["out of memory", event.oomKilled ? "yes" : "no"],
        ...(event.oom === undefined ? [] : [["the kernel says", tellOom(event.oom)] as const]),
        ...(event.killedFor === undefined ? [] : [["stopped for", event.killedFor] as const]),
        ["reason", event.reason],
        ...(event.message === "" ? [] : [["last words", event.message] as const]),
        ...(event.startedAt === undefined
          ? []
          : [["ran for", `${((millis(event.finishedAt) - millis(event.startedAt)) / 1000).toFixed(1)} s`] as const]),
        ["container", event.containerId]
      ]
    case "ContainerBackOffStarted":
      return [["until", event.until]]
    case "ContainerStartRequested":
      return [["attempt", String(event.attempt)]]
    case "ContainerStarted":
      return [["container", event.containerId]]
    case "ContainerStartFailed":
      return [
        ["reason", event.reason],
        ["tried again", event.retryAt]
      ]
    case "SandboxFailed":
    case "PodOperationFailed":
      return [
        ["failures", String(event.failures)],
        ["tried again", event.retryAt]
      ]
    case "SandboxLost":
      return [["sandbox", event.sandboxId]]
    case "ImagePullFailed":
      return [
        ["attempt", String(event.attempt)],
        ...(event.retryAt === undefined ? [] : [["tried again", event.retryAt] as const])
      ]
    case "VolumeMountFailed":
    case "VolumeUnmountFailed":
      return [
        ["attempt", String(event.attempt)],
        ["tried again", event.retryAt]
      ]
    case "ManifestRead":
      return [["content", `sha256 ${event.hash}`]]
    case "ActorFailed":
      return [["failures", String(event.failures)]]
    case "ServiceDeclared":
    case "ServiceChanged":
      return [
        ["file", event.file],
        ...(event.allotted === undefined ? [] : [["chosen here", event.allotted.join(", ")] as const])
      ]
    case "ServiceRejected":
      return [
        ["file", event.file],
        ...event.problems.flatMap(
          ({ line, holder }): ReadonlyArray<readonly [string, string]> => [
            ...(line === undefined ? [] : [["line", String(line)] as const]),
            ...(holder === undefined ? [] : [["held by", holder] as const])
          ]
        )
      ]
    case "ServiceProgrammed":
      return [
        ["added", event.added.join(", ")],
        ["removed", event.removed.join(", ")],
        ["after", `${event.latency.toFixed(1)} ms`],
        ...event.serving.map(
          ({ port, protocol, family, cluster, local }) =>
            [`${port === "" ? "" : `${port}/`}${protocol} ${family}`, `${cluster} servers, ${local} here`] as const
        )
      ]
    case "EndpointAdded":
    case "EndpointChanged":
      return [
        ["from", event.from],
        ["node", event.node ?? ""]
      ]
    case "EndpointRejected":
      return [
        ["slice", event.slice],
        ["address", event.address]
      ]
    case "DataplaneFailed":
      return [
        ["reason", event.reason],
        ["attempt", String(event.attempt)],
        ["tried again", event.retryAt]
      ]
    case "DataplaneDrifted":
    case "StaleFlowsRemoved":
      return [["for example", event.examples.join(", ")]]
    case "ProxyUnavailable":
      return event.missing.map(({ what, remedy }) => [what, remedy] as const)
    default:
      return []
  }
}
