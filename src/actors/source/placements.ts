/**
 * The room that the node has for the next pod. Pods that were asked for a moment ago may not have decided yet: they are
 * counted as if they were there, so that two that come at once do not get the same place.
 */
import { Context, Effect, Layer, Result } from "effect"
import type { NodeRoom, PreemptedPod } from "../../events/node-room.ts"
import type { Pod } from "../../events/pod-spec.ts"
import type { UserNamespace } from "../../events/user-namespace.ts"
import { NodePressure } from "../eviction/pressure.ts"
import { lacksOnlyRoom } from "../pod/admission/admission.ts"
import { asStatic } from "../pod/admission/critical.ts"
import { type Neighbour, requirements, roomBeside, roomRefusals } from "../pod/admission/node-room.ts"
import { podsToPreempt } from "../pod/admission/preemption.ts"
import { Pods } from "../pod/pods.ts"
import { qosClass } from "../pod/resources/qos.ts"
import { defaultIdRange } from "../pod/security/user-namespace.ts"
import { PodSettings } from "../pod/settings.ts"
import type { PodState } from "../pod/state.ts"
import { isTerminalPhase } from "../pod/status/phase.ts"
import type { HostFeatures } from "./host-features.ts"
import { IdBlocks } from "./id-blocks.ts"

export class Placements extends Context.Service<
  Placements,
  {
    /** Undefined where the node sets no limits. */
    readonly roomFor: (pod: Pod, seen: HostFeatures) => NodeRoom | undefined
    /** Ids of the pod's own user namespace; undefined where it asks for none, or there are none. */
    readonly userNamespaceFor: (pod: Pod) => UserNamespace | undefined
    /** A pod is not asked for any more. */
    readonly forget: (name: string) => void
  }
>()("chronode/Placements") {
  static readonly layer = Layer.effect(
    Placements,
    Effect.gen(function* () {
      const pods = yield* Pods
      const pressure = yield* NodePressure
      const { offer, userNamespaces = defaultIdRange() } = yield* PodSettings
      const ids = typeof userNamespaces === "string" ? undefined : new IdBlocks(userNamespaces)
      const asked = new Map<string, Pod>()
      const leaving = new Set<string>()
      return Placements.of({
        userNamespaceFor: (pod) => ids?.blockFor(pod, pods.all()),
        roomFor: (pod, seen) => {
          if (offer === undefined) return undefined
          const name = fullName(pod)
          const others = neighbours(name, pods.all(), asked, leaving)
          const under = pressure.now()
          const room = {
            ...roomBeside(pod.spec, offer, others),
            ...seen,
            ...(under.conditions.length === 0 ? {} : { pressure: under.conditions, pressureBecause: under.because })
          }
          if (roomRefusals(pod.spec, room).length === 0) {
            asked.set(name, pod)
            return room
          }
          // One that runs and asks for more waits until there is room; one that was refused stays so, whoever asks again.
          const isKnown = pods.all().some(({ state }) => knows(state, pod.metadata.uid))
          const preempt = isKnown ? [] : preemptedBy(pod, room, others)
          if (preempt.length === 0) return room
          asked.set(name, pod)
          for (const { uid } of preempt) leaving.add(uid)
          return { ...room, preempt }
        },
        forget: (name) => {
          asked.delete(name)
          ids?.forget(name)
        }
      })
    })
  )
}

const fullName = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`

/** Whether a pod's actor has taken in this definition, whatever came of it. */
const knows = ({ definition, replacement, rejected }: PodState, uid: string): boolean =>
  [definition?.pod.metadata.uid, replacement?.pod.metadata.uid, rejected?.uid].includes(uid)

/** Of the pods that one pod may preempt: more are not told of, and it is rejected. */
export const maxPreempted = 32

/** Whose place the pod takes that does not fit; empty where it would not fit all the same, or outranks too few. */
export const preemptedBy = (
  pod: Pod,
  room: NodeRoom,
  others: ReadonlyArray<Neighbour>
): ReadonlyArray<PreemptedPod> => {
  if (!lacksOnlyRoom(pod, room)) return []
  const candidates = others.flatMap(({ name, spec, uid }) =>
    uid === undefined ? [] : [asStatic({ name, uid, metadata: {}, spec })]
  )
  const chosen = podsToPreempt(asStatic(pod), candidates, requirements(pod.spec, room))
  if (Result.isFailure(chosen) || chosen.success.length > maxPreempted) return []
  return chosen.success.map(({ name, uid, spec }) => {
    const slash = name.indexOf("/")
    return {
      namespace: name.slice(0, slash),
      name: name.slice(slash + 1),
      uid,
      priority: spec.priority ?? 0,
      qosClass: qosClass(spec)
    }
  })
}

/** What uses the node, by name: pods that are not done, and those that were asked for and have not decided. */
const neighbours = (
  own: string,
  known: ReturnType<Pods["Service"]["all"]>,
  asked: Map<string, Pod>,
  leaving: Set<string>
): ReadonlyArray<Neighbour> => {
  const others = new Map<string, Neighbour>()
  const there = new Set(known.map(({ state }) => state.definition?.pod.metadata.uid))
  for (const uid of leaving) if (!there.has(uid)) leaving.delete(uid)
  for (const { state } of known) {
    const pod = (state.replacement ?? state.definition)?.pod
    const isDone = state.replacement === null && isTerminalPhase(state.phase)
    const before = asked.get(state.name)
    if (before !== undefined && knows(state, before.metadata.uid)) asked.delete(state.name)
    // One that waits for the node has no place yet.
    if (pod === undefined || isDone || state.held !== undefined) continue
    const { uid } = pod.metadata
    // Its place is another one's already.
    if (state.replacement === null && (leaving.has(uid) || state.failed?.reason === "Preempting")) continue
    const isSettled = state.replacement === null && state.termination === null
    others.set(state.name, { name: state.name, spec: pod.spec, ...(isSettled ? { uid } : {}) })
  }
  for (const [name, { spec }] of asked) others.set(name, { name, spec })
  others.delete(own)
  return [...others.values()]
}
