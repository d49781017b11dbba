/**
 * The ids of pods' user namespaces: each pod has a block of its own, from when it is asked for until nothing of it is
 * left. What pods have stands in their states; beside it only those are remembered that have not decided yet.
 */
import type { Pod } from "../../events/pod-spec.ts"
import type { UserNamespace } from "../../events/user-namespace.ts"
import type { Pods } from "../pod/pods.ts"
import { freeBlock, hasUserNamespace, type IdRange } from "../pod/security/user-namespace.ts"
import type { PodState } from "../pod/state.ts"

/** `namespace/name` */
const fullName = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`

export class IdBlocks {
  private readonly range: IdRange
  private readonly asked = new Map<string, { readonly uid: string; readonly ids: UserNamespace }>()

  constructor(range: IdRange) {
    this.range = range
  }

  /** Undefined where the pod asks for none, or all are taken. A pod that takes another's place under its name takes its ids. */
  blockFor(pod: Pod, known: ReturnType<Pods["Service"]["all"]>): UserNamespace | undefined {
    if (!hasUserNamespace(pod.spec)) return undefined
    const name = fullName(pod)
    const taken: Array<UserNamespace> = []
    for (const { state } of known) {
      const held = [state.definition, state.replacement].flatMap((d) => d?.userNamespace ?? [])
      if (state.name === name && held[0] !== undefined) return held[0]
      taken.push(...held)
      if (knows(state, this.asked.get(state.name)?.uid)) this.asked.delete(state.name)
    }
    const before = this.asked.get(name)
    const ids = before?.ids ?? freeBlock(this.range, [...taken, ...[...this.asked.values()].map((entry) => entry.ids)])
    if (ids !== undefined) this.asked.set(name, { uid: pod.metadata.uid, ids })
    return ids
  }

  forget(name: string): void {
    this.asked.delete(name)
  }
}

/** Whether a pod's actor has taken in this definition, whatever came of it. */
const knows = ({ definition, replacement, rejected }: PodState, uid: string | undefined): boolean =>
  uid !== undefined && [definition?.pod.metadata.uid, replacement?.pod.metadata.uid, rejected?.uid].includes(uid)
