/** Watches an evicted pod, and says when nothing of it holds what the node is short of, or that it takes too long. */
import { Clock, Duration, Effect } from "effect"
import type { Outgoing } from "../kernel/behavior.ts"
import { minimumGracePeriod } from "../pod/plan/grace.ts"
import { Pods } from "../pod/pods.ts"
import { isAlive, type PodState } from "../pod/state.ts"
import type { EvictionCommand } from "./commands.ts"
import { evictionActor } from "./identity.ts"
import type { Evicting } from "./state.ts"

/** Between looks. They cost nothing: the states are in memory. */
const period = Duration.millis(200)
/** Milliseconds beyond its grace period (kubelet's podCleanupTimeout). */
export const cleanupTimeout = 30_000

/** kubelet's PodResourcesAreReclaimed: no container, no sandbox, no volume. */
const isReclaimed = ({ containers, sandbox, volumes }: PodState): boolean =>
  !containers.some(isAlive) &&
  (sandbox === null || sandbox.status === "stopped" || sandbox.status === "failed") &&
  volumes.every(({ status }) => status === "removed")

export const observeEvicted = (
  { uid, at, gracePeriodSeconds }: Evicting,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, Pods> =>
  Effect.gen(function* () {
    const { all } = yield* Pods
    const deadline = at + Math.max(gracePeriodSeconds, minimumGracePeriod) * 1000 + cleanupTimeout
    const tell = (now: number, outcome: "gone" | "timeout") => {
      const command: EvictionCommand = { _tag: "ReportEvicted", at: now, uid, outcome }
      return emit({ to: evictionActor, command })
    }
    while (true) {
      const pod = all().find(({ state }) => state.definition?.pod.metadata.uid === uid)
      const now = yield* Clock.currentTimeMillis
      if (pod === undefined || isReclaimed(pod.state)) return yield* tell(now, "gone")
      if (now >= deadline) return yield* tell(now, "timeout")
      yield* Effect.sleep(period)
    }
  })
