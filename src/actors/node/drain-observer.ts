/** Carries a drain out: tells pods to end until none of them is left, or the time is over. It can be taken up again at any time. */
import { Clock, Duration, Effect } from "effect"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import { maxToldPods } from "../../events/kinds/node-health.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { PodCommand } from "../pod/commands.ts"
import { Pods } from "../pod/pods.ts"
import type { NodeCommand } from "./commands.ts"
import { chooseDrained, type DrainedPod } from "./drain-choice.ts"
import { parseLabelSelector } from "./label-selector.ts"
import type { DrainInState } from "./state.ts"

/** Between looks. They cost nothing: the states are in memory. */
export const drainPeriod = Duration.millis(250)

/** As events tell of them. */
export const toldNames = (pods: ReadonlyArray<Pick<DrainedPod, "namespace" | "name">>): ReadonlyArray<string> =>
  pods.slice(0, maxToldPods).map(({ namespace, name }) => `${namespace}/${name}`)

export const observeDrain = (
  id: ActorId,
  drain: DrainInState,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, Pods> =>
  Effect.gen(function* () {
    const pods = yield* Pods
    const parsed = drain.selector === undefined ? undefined : parseLabelSelector(drain.selector)
    const selector = typeof parsed === "string" ? undefined : parsed
    const until = drain.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(drain.until)
    const { gracePeriodSeconds } = drain
    while (true) {
      const at = yield* Clock.currentTimeMillis
      const states = pods.all().map(({ state }) => state)
      const ending = new Set(
        states.filter(({ termination }) => termination !== null).map((state) => state.definition?.pod.metadata.uid)
      )
      const { ends } = chooseDrained(states, selector)
      if (ends.length === 0 || at >= until) {
        const outcome = ends.length === 0 ? "drained" : "timeout"
        const left = toldNames(ends)
        const command: NodeCommand = { _tag: "DrainEnded", at, outcome, left, leftCount: ends.length }
        yield* emit({ to: id, command })
        return yield* Effect.never
      }
      for (const { namespace, name, uid } of ends) {
        if (ending.has(uid)) continue
        const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }
        const command: PodCommand = { _tag: "DrainPod", at, uid, ...grace }
        yield* emit({ to: actorId("pod", namespace, name), command })
      }
      yield* Effect.sleep(drainPeriod)
    }
  })
