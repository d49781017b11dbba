/**
 * Back-off of restarts and of image pulls, as a value (`client-go/util/flowcontrol/backoff.go` as kubelet uses it, KEP-4603,
 * KEP-5593). Times are milliseconds since the epoch, delays milliseconds.
 */
import { goDuration } from "../../../events/go-duration.ts"
export interface BackOffPolicy {
  readonly initial: number
  readonly maximum: number
  /** Quiet for longer than this: the next delay is the initial one again. */
  readonly resetAfter: number
}

export const initialDelay = 10_000
export const maximumDelay = 300_000
/** Fixed since Kubernetes 1.33 (KEP-4603), however small the maximum. */
export const crashResetAfter = 600_000

/** `maximum`: kubelet's `crashLoopBackOff.maxContainerRestartPeriod`, 1 s to 300 s; the initial delay is never above it. */
export const crashBackOffPolicy = (maximum: number = maximumDelay): BackOffPolicy => ({
  initial: Math.min(initialDelay, maximum),
  maximum,
  resetAfter: crashResetAfter
})
/** Pulls are forgotten after twice the maximum. */
export const pullBackOffPolicy: BackOffPolicy = {
  initial: initialDelay,
  maximum: maximumDelay,
  resetAfter: 2 * maximumDelay
}

export interface BackOff {
  /** The delay in force after the last time it grew. */
  readonly delay: number
  /** When it last grew: a restart began, or a pull failed. */
  readonly updatedAt: number
}

/**
 * The state after one more failure: the initial delay, then twice the last up to the maximum. `since`: what the quiet time
 * is measured to, e.g. when the container ended; `now`: when the state is made.
 */
export const grow = (
  policy: BackOffPolicy,
  last: BackOff | undefined,
  since: number,
  now: number = since
): BackOff => ({
  delay:
    last === undefined || since - last.updatedAt > policy.resetAfter
      ? policy.initial
      : Math.min(last.delay * 2, policy.maximum),
  updatedAt: now
})

export type CrashDecision =
  /** May start now; `backOff` is the state to keep from here on. */
  | { readonly start: true; readonly backOff: BackOff }
  /** Waits; `until`: milliseconds since the epoch, `delay` the one in force. */
  | { readonly start: false; readonly until: number; readonly delay: number }

/**
 * Whether a container that ended at `finishedAt` may start at `now`. `last` is the state that the previous restart left,
 * absent before the first: then it starts at once. The delay counts from the end of the last run; a run (or a pause) of
 * more than ten minutes since the last restart is forgiven.
 */
export const crashDecision = (
  policy: BackOffPolicy,
  last: BackOff | undefined,
  finishedAt: number,
  now: number
): CrashDecision => {
  if (last !== undefined && finishedAt - last.updatedAt <= policy.resetAfter) {
    const until = finishedAt + last.delay
    if (now < until) return { start: false, until, delay: last.delay }
  }
  return { start: true, backOff: grow(policy, last, finishedAt, now) }
}

/** kubelet's words for a container that waits. */
export const crashMessage = (delay: number, container: string, pod: string): string =>
  `back-off ${goDuration(delay)} restarting failed container=${container} pod=${pod}`

/** When a failed pull is due again, milliseconds since the epoch: the delay counts from the failure. */
export const pullRetryAt = (backOff: BackOff): number => backOff.updatedAt + backOff.delay

/** Whether a pod has outlived `activeDeadlineSeconds` (`pkg/kubelet/active_deadline.go`). Absent: it has no such limit, or has not started. */
export const isPastDeadline = (
  activeDeadlineSeconds: number | undefined,
  startedAt: number | undefined,
  now: number
): boolean =>
  activeDeadlineSeconds !== undefined && startedAt !== undefined && now - startedAt >= activeDeadlineSeconds * 1000
