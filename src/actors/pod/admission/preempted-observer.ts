/** Watches the pods whose place another one takes, and says when nothing of them runs any more. */
import { Clock, Duration, Effect } from "effect"
import type { PreemptedPod } from "../../../events/node-room.ts"
import { Pods } from "../pods.ts"
import { isAlive, type PodState } from "../state.ts"
import { isTerminalPhase } from "../status/phase.ts"

/** Between looks. They cost nothing: the states are in memory. */
export const preemptedPeriod = Duration.millis(200)

/** It still holds its place: it has not heard yet, or a container of it still ends. */
const holdsPlace = (state: PodState): boolean =>
  state.containers.some(isAlive) ||
  (state.failed === undefined && state.termination === null && !isTerminalPhase(state.phase))

export const observePreempted = (
  pods: ReadonlyArray<PreemptedPod>,
  tell: (at: number) => Effect.Effect<void>
): Effect.Effect<void, never, Pods> =>
  Effect.gen(function* () {
    const { all } = yield* Pods
    const uids = new Set(pods.map(({ uid }) => uid))
    while (all().some(({ state }) => uids.has(state.definition?.pod.metadata.uid ?? "") && holdsPlace(state))) {
      yield* Effect.sleep(preemptedPeriod)
    }
    yield* tell(yield* Clock.currentTimeMillis)
  })
