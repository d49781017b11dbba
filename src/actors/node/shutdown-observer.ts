/**
 * Makes logind wait for the node's pods at shutdown, hears when it is about to, and ends one group of pods after another
 * (`pkg/kubelet/nodeshutdown/nodeshutdown_manager_linux.go`).
 */
import { Clock, Duration, Effect, Stream } from "effect"
import { Logind, type LogindError } from "../../adapters/logind/port.ts"
import { type ActorId, actorId } from "../../events/actor-id.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { PodCommand } from "../pod/commands.ts"
import { Pods } from "../pod/pods.ts"
import { isAlive, type PodState } from "../pod/state.ts"
import { isTerminalPhase } from "../pod/status/phase.ts"
import type { NodeCommand } from "./commands.ts"
import { toldNames } from "./drain-observer.ts"
import { NodeSettings } from "./settings.ts"
import { groupByPriority, type PriorityGrace, totalGrace } from "./shutdown-groups.ts"
import type { ShutdownInState } from "./state.ts"

/** Between attempts to reach logind. */
export const logindRetry = Duration.seconds(10)
/** Between looks at the pods that end. */
const groupPeriod = Duration.millis(200)

type Emit = (outgoing: Outgoing) => Effect.Effect<void>

/** Until interrupted; `whenFailed` is told of each failure, and it is tried again after a pause. */
const forever = <E extends { readonly message: string }, R>(
  life: Effect.Effect<void, E, R>,
  whenFailed: (error: E) => Effect.Effect<void>
): Effect.Effect<never, never, R> =>
  Effect.forever(Effect.andThen(Effect.catch(life, whenFailed), Effect.sleep(logindRetry)))

/** Holds the inhibitor until interrupted. */
export const holdInhibitor = (id: ActorId, emit: Emit): Effect.Effect<void> =>
  Effect.gen(function* () {
    const logind = yield* Logind
    const { shutdown } = yield* NodeSettings
    if (logind === undefined || shutdown().length === 0) return yield* Effect.never
    const report = (outcome: Record<string, unknown> & { readonly outcome: "taken" | "failed" }) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        emit({ to: id, command: { _tag: "InhibitorReported", at, ...outcome } as NodeCommand })
      )
    const life = Effect.scoped(
      Effect.gen(function* () {
        const limit = yield* logind.inhibit
        const gracePeriodSeconds = totalGrace(shutdown())
        yield* report({ outcome: "taken", delayLimitSeconds: limit / 1000, gracePeriodSeconds })
        // It is gone with logind itself: then it has to be taken anew.
        yield* Stream.runDrain(logind.preparing)
      })
    )
    yield* forever(life, ({ message }: LogindError) => report({ outcome: "failed", message }))
  })

interface Ending {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly priority: number
  readonly state: PodState
}

/** Pods that may still run something. */
const endingPods = (states: ReadonlyArray<PodState>): ReadonlyArray<Ending> =>
  states.flatMap((state) => {
    const { definition, phase } = state
    if (definition === null || (isTerminalPhase(phase) && !state.containers.some(isAlive))) return []
    const { namespace, name, uid } = definition.pod.metadata
    return [{ namespace, name, uid, priority: definition.pod.spec.priority ?? 0, state }]
  })

/** Tells when the machine is about to shut down, and when it is not any more. Runs until interrupted. */
export const observeShutdown = (id: ActorId, emit: Emit): Effect.Effect<void, never, Pods> =>
  Effect.gen(function* () {
    const logind = yield* Logind
    const pods = yield* Pods
    const { shutdown } = yield* NodeSettings
    if (logind === undefined || shutdown().length === 0) return yield* Effect.never
    const tell = (active: boolean) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        const states = pods.all().map(({ state }) => state)
        const groups = groupByPriority(shutdown(), endingPods(states)).map((group) => ({
          priority: group.priority,
          gracePeriodSeconds: group.shutdownGracePeriodSeconds,
          pods: group.pods.length
        }))
        const command: NodeCommand = { _tag: "ShutdownAnnounced", at, active, groups: active ? groups : [] }
        return emit({ to: id, command })
      })
    // What cannot be heard is told by whoever holds the inhibitor.
    yield* forever(Stream.runForEach(logind.preparing, tell), () => Effect.void)
  })

/** Its containers are down, however it came to that. */
const isDown = ({ containers, failed, termination, phase }: PodState): boolean =>
  !containers.some(isAlive) && (failed !== undefined || termination !== null || isTerminalPhase(phase))

/** Ends the pods of the group whose turn it is. It can be taken up again at any time. */
export const observeGroup = (
  id: ActorId,
  current: NonNullable<ShutdownInState["current"]>,
  grace: ReadonlyArray<PriorityGrace>,
  emit: Emit
): Effect.Effect<void, never, Pods> =>
  Effect.gen(function* () {
    const pods = yield* Pods
    const { priority, gracePeriodSeconds } = current
    const until = Date.parse(current.startedAt) + gracePeriodSeconds * 1000
    const told = new Set<string>()
    while (true) {
      const at = yield* Clock.currentTimeMillis
      const states = pods.all().map(({ state }) => state)
      const group = groupByPriority(grace, endingPods(states)).find((one) => one.priority === priority)
      const left = (group?.pods ?? []).filter(({ state }) => !isDown(state))
      if (left.length === 0 || at >= until) {
        const names = toldNames(left)
        const command: NodeCommand = { _tag: "ShutdownGroupEnded", at, priority, left: names, leftCount: left.length }
        yield* emit({ to: id, command })
        return yield* Effect.never
      }
      for (const { namespace, name, uid } of left) {
        if (told.has(uid)) continue
        told.add(uid)
        const command: PodCommand = { _tag: "ShutDownPod", at, uid, gracePeriodSeconds }
        yield* emit({ to: actorId("pod", namespace, name), command })
      }
      yield* Effect.sleep(groupPeriod)
    }
  })
