/**
 * The room that the node has for the next pod. Pods that were asked for a moment ago may not have decided yet: they are
 * counted as if they were there, so that two that come at once do not get the same place.
 */
import { Context, Effect, Layer } from "effect"
import type { NodeRoom } from "../../events/node-room.ts"
import type { Pod } from "../../events/pod-spec.ts"
import { type Neighbour, roomBeside, roomRefusals } from "../pod/node-room.ts"
import { isTerminalPhase } from "../pod/phase.ts"
import { Pods } from "../pod/pods.ts"
import { PodSettings } from "../pod/settings.ts"
import type { PodState } from "../pod/state.ts"

export class Placements extends Context.Service<
  Placements,
  {
    /** Undefined where the node sets no limits. */
    readonly roomFor: (pod: Pod) => NodeRoom | undefined
    /** A pod is not asked for any more. */
    readonly forget: (name: string) => void
  }
>()("chronode/Placements") {
  static readonly layer = Layer.effect(
    Placements,
    Effect.gen(function* () {
      const pods = yield* Pods
      const { offer } = yield* PodSettings
      const asked = new Map<string, Pod>()
      return Placements.of({
        roomFor: (pod) => {
          if (offer === undefined) return undefined
          const name = fullName(pod)
          const room = roomBeside(pod.spec, offer, neighbours(name, pods.all(), asked))
          if (roomRefusals(pod.spec, room).length === 0) asked.set(name, pod)
          return room
        },
        forget: (name) => void asked.delete(name)
      })
    })
  )
}

const fullName = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`

/** Whether a pod's actor has taken in this definition, whatever came of it. */
const knows = ({ definition, replacement, rejected }: PodState, uid: string): boolean =>
  [definition?.pod.metadata.uid, replacement?.pod.metadata.uid, rejected?.uid].includes(uid)

/** What uses the node, by name: pods that are not done, and those that were asked for and have not decided. */
const neighbours = (
  own: string,
  known: ReturnType<Pods["Service"]["all"]>,
  asked: Map<string, Pod>
): ReadonlyArray<Neighbour> => {
  const others = new Map<string, Neighbour>()
  for (const { state } of known) {
    const pod = (state.replacement ?? state.definition)?.pod
    const isDone = state.replacement === null && isTerminalPhase(state.phase)
    const before = asked.get(state.name)
    if (before !== undefined && knows(state, before.metadata.uid)) asked.delete(state.name)
    if (pod !== undefined && !isDone) others.set(state.name, { name: state.name, spec: pod.spec })
  }
  for (const [name, { spec }] of asked) others.set(name, { name, spec })
  others.delete(own)
  return [...others.values()]
}
