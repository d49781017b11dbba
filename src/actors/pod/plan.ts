/**
 * The whole pod's next steps, as one pure function of its state: what to request, start, kill, stop and remove. It runs
 * at the end of every decision, so that whatever was learnt has its consequences in the same piece of the log.
 *
 * Order as in kubelet's SyncPod: volumes, sandbox, init containers one after another, then all others at once.
 */
import { millis, timestamp } from "../../events/definition.ts"
import type { Container } from "../../events/pod-spec.ts"
import { crashDecision } from "./backoff.ts"
import type { PodDecision } from "./evolve.ts"
import { gracePeriod, minimumGracePeriod } from "./grace.ts"
import { planReport } from "./report.ts"
import { isRestartedAfterExit, isRestartedAfterKill } from "./restart.ts"
import {
  type ContainerInState,
  containerSpec,
  crashPolicy,
  isAlive,
  isOwnKill,
  type KillReason,
  type PodState
} from "./state.ts"

export const plan = (d: PodDecision): void => {
  if (d.state.definition === null) return
  planRetries(d)
  if (d.state.termination !== null) planTermination(d)
  else {
    planKills(d)
    planSandbox(d)
    planContainers(d)
    planEnd(d)
  }
  planReport(d)
}

/** What the events of this decision led to is caused by them; without any, by what caused the command. */
const trigger = (d: PodDecision, moved?: string): string | undefined =>
  moved?.startsWith("@") === true ? moved : d.decided.length > 0 ? "@0" : undefined

const spec = (d: PodDecision, container: ContainerInState): Container =>
  containerSpec(d.state.definition!.pod, container.name)!

// --- what is to run --------------------------------------------------------------------------------------------------

/** Whether a container that ended is to run again. Init containers run until they succeed (Always means OnFailure). */
export const isRestarted = (state: PodState, container: ContainerInState): boolean => {
  const { lastExit } = container
  const exitCode = lastExit?.exitCode ?? 0
  const pod = state.definition?.pod
  const written = pod === undefined ? undefined : containerSpec(pod, container.name)
  if (pod === undefined || written === undefined || (container.init && exitCode === 0)) return false
  if (lastExit !== null && isOwnKill(lastExit) && isRestartedAfterKill(pod.spec, written)) return true
  return isRestartedAfterExit(pod.spec, written, exitCode)
}

const isInitDone = (c: ContainerInState): boolean => c.status === "exited" && c.lastExit?.exitCode === 0

/** An init container that failed for good fails the pod. */
const isInitFailed = (state: PodState): boolean =>
  state.containers.some((c) => c.init && c.status === "exited" && !isInitDone(c) && !isRestarted(state, c))

/** The init container whose turn it is; undefined when all are done or behind us. */
const currentInit = (state: PodState): ContainerInState | undefined =>
  state.initialized ? undefined : state.containers.find((c) => c.init && !isInitDone(c))

const isToRun = (state: PodState, c: ContainerInState): boolean =>
  c.status === "waiting" || (c.status === "exited" && isRestarted(state, c))

/** Containers that are to be started now or later. */
const toRun = (state: PodState): ReadonlyArray<ContainerInState> => {
  if (isInitFailed(state)) return []
  return state.containers.filter((c) => (c.init ? !state.initialized && !isInitDone(c) : true) && isToRun(state, c))
}

// --- steps -----------------------------------------------------------------------------------------------------------

/** A failed liveness or startup probe, or a lost sandbox, ends a container; the restart policy says what follows. */
const planKills = (d: PodDecision): void => {
  const lost = d.state.sandbox?.status === "lost" ? d.state.sandbox : undefined
  for (const c of d.state.containers) {
    if (c.status !== "running") continue
    const { liveness, startup } = c.probes
    const failed = startup?.result === "failure" ? startup : liveness?.result === "failure" ? liveness : undefined
    if (failed !== undefined) {
      const type = failed === startup ? "startup" : "liveness"
      const reason = type === "startup" ? "StartupProbe" : "LivenessProbe"
      kill(d, c, reason, {
        message: `Container ${c.name} failed ${type} probe: ${failed.output}`,
        gracePeriodSeconds: grace(d, c, reason),
        because: failed.because
      })
    } else if (lost !== undefined) {
      kill(d, c, "SandboxLost", {
        message: "its sandbox is lost",
        gracePeriodSeconds: grace(d, c, "SandboxLost"),
        because: lost.because
      })
    }
  }
}

const grace = (d: PodDecision, c: ContainerInState, reason: KillReason): number =>
  gracePeriod(d.state.definition!.pod, spec(d, c), reason)

const kill = (
  d: PodDecision,
  c: ContainerInState,
  reason: KillReason,
  why: { readonly message: string; readonly gracePeriodSeconds: number; readonly because: string }
): void => {
  d.emit(
    {
      _tag: "ContainerKillRequested",
      container: c.name,
      containerId: c.containerId,
      reason,
      message: why.message,
      gracePeriodSeconds: Math.max(why.gracePeriodSeconds, minimumGracePeriod)
    },
    why.because
  )
}

/** What failed is requested again when its time has come. */
const planRetries = (d: PodDecision): void => {
  const { sandbox, cleanup } = d.state
  const isDue = (retry: { readonly at: number } | null | undefined) =>
    retry !== null && retry !== undefined && retry.at <= d.at
  for (const c of d.state.containers) {
    if (c.status !== "killing" || c.kill === null || !isDue(c.kill.retry)) continue
    kill(d, c, c.kill.reason, { ...c.kill, because: c.kill.retry?.because ?? c.kill.because })
  }
  if (sandbox?.status === "stopping" && isDue(sandbox.retry)) {
    d.emit(
      { _tag: "SandboxStopRequested", sandboxId: sandbox.sandboxId, reason: "the attempt before failed" },
      sandbox.retry?.because
    )
  }
  if (isDue(cleanup?.retry)) d.emit({ _tag: "PodCleanupRequested" }, cleanup?.retry?.because)
}

const planSandbox = (d: PodDecision): void => {
  const { sandbox } = d.state
  if (sandbox?.status === "lost" && !d.state.containers.some(isAlive)) {
    d.emit(
      { _tag: "SandboxStopRequested", sandboxId: sandbox.sandboxId, reason: "it is lost; a new one follows" },
      sandbox.because
    )
    return
  }
  const first = sandbox === null
  const again = sandbox?.status === "stopped"
  const retry = sandbox?.status === "failed" && (sandbox.retry?.at ?? 0) <= d.at
  if (!(first || again || retry)) return
  if (toRun(d.state).length === 0 || d.state.volumes.some((v) => v.status !== "ready")) return
  d.emit(
    {
      _tag: "SandboxRequested",
      // A failed attempt may have left its name taken; the effect of an attempt checks for that.
      attempt: sandbox === null ? 0 : retry ? sandbox.attempt : sandbox.attempt + 1,
      reason: first ? "the pod has none" : again ? "the one before is gone" : "the attempt before failed"
    },
    again ? sandbox.because : trigger(d)
  )
}

const planContainers = (d: PodDecision): void => {
  const ended = d.decided.flatMap(({ event }) => (event._tag === "ContainerExited" ? [event.container] : []))
  for (const c of d.state.containers) if (ended.includes(c.name)) planBackOff(d, c)
  if (d.state.sandbox?.status !== "ready" || isInitFailed(d.state)) return
  const init = currentInit(d.state)
  const turn = init === undefined ? d.state.containers.filter((c) => !c.init) : [init]
  const before = d.state.containers.filter((c) => c.init && isInitDone(c)).at(-1)
  for (const c of turn) {
    if (!isToRun(d.state, c) || c.imageId === "") continue
    if ((c.backOff?.until ?? 0) > d.at || (c.startRetry?.at ?? 0) > d.at) continue
    const moved = c.because.startsWith("@") ? c.because : before?.because
    d.emit(
      {
        _tag: "ContainerStartRequested",
        container: c.name,
        attempt: c.attempt + 1,
        sandboxId: d.state.sandbox.sandboxId,
        imageId: c.imageId,
        reason: startReason(c)
      },
      trigger(d, moved)
    )
  }
}

const startReason = (c: ContainerInState): string =>
  c.startRetry !== null
    ? "the attempt before failed"
    : c.lastExit === null
      ? "first start"
      : `it ended with exit code ${c.lastExit.exitCode}${c.lastExit.oomKilled ? ", out of memory" : ""}`

/** After an end: when it may run again. Nothing is said where that is at once, or never. */
const planBackOff = (d: PodDecision, c: ContainerInState): void => {
  if (c.lastExit === null || !isRestarted(d.state, c)) return
  const finishedAt = millis(c.lastExit.finishedAt)
  const decision = crashDecision(crashPolicy(d.state), c.crashes ?? undefined, finishedAt, finishedAt)
  if (decision.start) return
  d.emit(
    {
      _tag: "ContainerBackOffStarted",
      container: c.name,
      delaySeconds: decision.delay / 1000,
      until: timestamp(decision.until)
    },
    c.because
  )
}

/** Nothing runs and nothing is to run: the sandbox goes, and when it is gone the volumes. The dead containers stay. */
const planEnd = (d: PodDecision): void => {
  const { state } = d
  if (state.containers.some(isAlive) || toRun(state).length > 0) return
  if (state.sandbox?.status === "ready") {
    d.emit(
      { _tag: "SandboxStopRequested", sandboxId: state.sandbox.sandboxId, reason: "all containers have ended" },
      trigger(d)
    )
  } else if (state.sandbox?.status === "stopped" || isInitFailed(state)) {
    releaseVolumes(d)
  }
}

const releaseVolumes = (d: PodDecision): void => {
  if (d.state.sandbox !== null && d.state.sandbox.status !== "stopped" && d.state.sandbox.status !== "failed") return
  if (d.state.volumes.some((v) => v.status === "requested" || v.status === "ready")) {
    d.emit({ _tag: "PodVolumesReleased" }, trigger(d))
  }
}

/** The pod is to end: containers, then the sandbox, then volumes, then everything else. */
const planTermination = (d: PodDecision): void => {
  const termination = d.state.termination!
  for (const c of d.state.containers) {
    if (c.status !== "running") continue
    kill(d, c, "PodTerminating", {
      message: termination.reason === "ManifestRemoved" ? "its manifest is gone" : "its definition changed",
      gracePeriodSeconds: termination.gracePeriodSeconds,
      because: termination.because
    })
  }
  const { sandbox } = d.state
  if (d.state.containers.some(isAlive) || sandbox?.status === "requested" || sandbox?.status === "stopping") return
  if (sandbox?.status === "ready" || sandbox?.status === "lost") {
    d.emit({ _tag: "SandboxStopRequested", sandboxId: sandbox.sandboxId, reason: "the pod ends" }, trigger(d))
    return
  }
  releaseVolumes(d)
  if (d.state.volumes.some((v) => v.status !== "removed") || d.state.cleanup !== null) return
  d.emit({ _tag: "PodCleanupRequested" }, trigger(d))
}
