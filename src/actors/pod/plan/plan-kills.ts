/**
 * The part of the plan that stops containers: why, in which order, and within which time. A stop that waits for a preStop
 * hook or for other containers takes that from its grace period (`kuberuntime_container.go` killContainer).
 */
import type { PodDecision } from "../evolve.ts"
import { failedBefore } from "../operation-failed.ts"
import {
  type ContainerInState,
  containerIn,
  containerSpec,
  holdUntil,
  isAlive,
  isHeld,
  type KillReason,
  type PodState
} from "../state.ts"
import { minimumGracePeriod, writtenGracePeriod } from "./grace.ts"
import { startHook } from "./plan-hooks.ts"
import { endingBefore } from "./termination-order.ts"

const specOf = (d: PodDecision, c: ContainerInState) => containerSpec(d.state.definition!.pod, c.name)!

const grace = (d: PodDecision, c: ContainerInState, reason: KillReason): number =>
  writtenGracePeriod(d.state.definition!.pod, specOf(d, c), graceCause(reason))

/** Only a probe has a grace period of its own. */
const graceCause = (reason: KillReason) =>
  reason === "LivenessProbe" || reason === "StartupProbe" ? reason : "PodTerminating"

interface Kill {
  readonly message: string
  readonly gracePeriodSeconds: number
  readonly because: string
}

/** `ordered`: the whole pod stops, so that sidecars wait for the others. */
const kill = (d: PodDecision, c: ContainerInState, reason: KillReason, why: Kill, ordered: boolean): void => {
  const pod = d.state.definition!.pod
  const hook = specOf(d, c).lifecycle?.preStop
  const preStop = hook !== undefined && why.gracePeriodSeconds > 0
  const after = ordered ? aliveAmong(d.state, endingBefore(pod.spec, c.name)) : []
  const asked = request(d, c, reason, why, {
    ...(preStop ? { preStop } : {}),
    ...(after.length === 0 ? {} : { after })
  })
  if (preStop) startHook(d, containerIn(d.state, c.name)!, "PreStop", hook, asked)
}

const aliveAmong = (state: PodState, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name) => {
    const c = containerIn(state, name)
    return c !== undefined && isAlive(c)
  })

const request = (
  d: PodDecision,
  c: ContainerInState,
  reason: KillReason,
  why: Kill,
  more: { readonly preStop?: boolean; readonly after?: ReadonlyArray<string>; readonly failures?: number } = {}
): string =>
  d.emit(
    {
      _tag: "ContainerKillRequested",
      container: c.name,
      containerId: c.containerId,
      reason,
      message: why.message,
      gracePeriodSeconds: Math.max(why.gracePeriodSeconds, minimumGracePeriod),
      ...more
    },
    why.because
  )

/** A failed liveness or startup probe, a failed hook or a lost sandbox ends a container; its policy says what follows. */
export const planKills = (d: PodDecision): void => {
  const lost = d.state.sandbox?.status === "lost" ? d.state.sandbox : undefined
  for (const c of d.state.containers) {
    if (c.status !== "running") continue
    const { liveness, startup } = c.probes
    const failed = startup?.result === "failure" ? startup : liveness?.result === "failure" ? liveness : undefined
    const hook = c.hooks?.PostStart?.status === "failed" ? c.hooks.PostStart : undefined
    const one = (reason: KillReason, message: string, because: string): void =>
      kill(d, c, reason, { message, gracePeriodSeconds: grace(d, c, reason), because }, false)
    if (failed !== undefined) {
      const type = failed === startup ? "startup" : "liveness"
      const reason = type === "startup" ? "StartupProbe" : "LivenessProbe"
      one(reason, `Container ${c.name} failed ${type} probe: ${failed.output}`, failed.because)
    } else if (hook !== undefined) {
      one("FailedPostStartHook", "its postStart hook failed", hook.because)
    } else if (lost !== undefined) {
      one("SandboxLost", "its sandbox is lost", lost.because)
    } else if (d.state.restarting && c.ephemeral !== true) {
      one("RestartAllContainers", "all containers of the pod start over", d.state.restarting.because)
    }
  }
}

/** The runtime does not know whether it runs (`kuberuntime_manager.go` computePodActions). */
export const killUnclear = (d: PodDecision, c: ContainerInState): void => {
  const message = "its state is unknown to the runtime: it is stopped before it is started again"
  kill(d, c, "Unknown", { message, gracePeriodSeconds: grace(d, c, "Unknown"), because: c.startedBecause }, false)
}

/** Its resizePolicy says so (`kuberuntime_manager.go` computePodResizeAction). */
export const killForResize = (d: PodDecision, c: ContainerInState, because: string): void => {
  const message = `Container ${c.name} resize requires restart`
  kill(d, c, "Resize", { message, gracePeriodSeconds: grace(d, c, "Resize"), because }, false)
}

/**
 * The whole pod stops: all containers are told at once, and sidecars wait for their turn. `seconds`: in place of their own
 * grace periods; `atMost`: where these are longer.
 */
export const stopAll = (
  d: PodDecision,
  reason: KillReason,
  message: string,
  because: string,
  seconds?: number,
  atMost = Number.POSITIVE_INFINITY
): void => {
  for (const c of d.state.containers) {
    if (c.status !== "running") continue
    const gracePeriodSeconds = Math.min(seconds ?? grace(d, c, reason), Math.floor(atMost))
    kill(d, c, reason, { message, gracePeriodSeconds, because }, true)
  }
}

/** A stop that failed is requested again when its time has come; its hook has run. */
export const planKillRetries = (d: PodDecision): void => {
  for (const c of d.state.containers) {
    const retry = c.kill?.retry
    if (c.status !== "killing" || c.kill === null || retry === null || retry === undefined || retry.at > d.at) continue
    request(d, c, c.kill.reason, { ...c.kill, because: retry.because }, failedBefore(d, retry))
  }
}

/** The stop signal of containers that had to wait: they need not any more, or there is no time left. */
export const planStops = (d: PodDecision): void => {
  for (const c of d.state.containers) {
    if (!isHeld(c)) continue
    const { at, gracePeriodSeconds, preStop, after = [] } = c.kill
    const hook = c.hooks?.PreStop
    const isHookThrough = preStop !== true || (hook !== undefined && hook.status !== "running")
    const waitsFor = aliveAmong(d.state, after)
    const isLate = holdUntil(c.kill) <= d.at
    if (!isLate && !(isHookThrough && waitsFor.length === 0)) continue
    const left = Math.max(gracePeriodSeconds - Math.floor((d.at - at) / 1000), minimumGracePeriod)
    const ended = after.map((name) => containerIn(d.state, name)?.because ?? "").findLast((b) => b.startsWith("@"))
    d.emit(
      {
        _tag: "ContainerStopRequested",
        container: c.name,
        containerId: c.containerId,
        gracePeriodSeconds: left,
        reason: stopReason(isLate, isHookThrough, after, waitsFor)
      },
      isLate ? c.kill.because : (ended ?? hook?.because ?? c.kill.because)
    )
  }
}

const stopReason = (
  isLate: boolean,
  isHookThrough: boolean,
  after: ReadonlyArray<string>,
  waitsFor: ReadonlyArray<string>
): string => {
  if (isLate) {
    const missing = [...(isHookThrough ? [] : ["its preStop hook"]), ...waitsFor].join(", ")
    return `its grace period is over${missing === "" ? "" : ` while it waited for ${missing}`}`
  }
  return after.length === 0 ? "its preStop hook is through" : `${after.join(", ")} ended`
}
