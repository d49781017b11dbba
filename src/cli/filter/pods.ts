/**
 * Which pod an event belongs to: its actor's, or the one whose uid it is correlated with. Fed in the order of the log,
 * for uids are learnt from the events of pods, their probes and their volumes.
 */
import type { ActorId } from "../../events/actor-id.ts"
import type { RecordedEvent } from "../../events/envelope.ts"

export interface PodName {
  readonly namespace: string
  readonly name: string
}

/** `default/web` */
export const podText = ({ namespace, name }: PodName): string => `${namespace}/${name}`

/**
 * The pod that an actor belongs to. Probes are named `<pod>.<container>.<probe>`, volumes `<pod>.<volume>` and logs `<pod>.<container>`; those
 * parts are DNS labels and hold no dot, a pod's name may. That of the streams into a pod is named like it; that of the API's
 * server has no namespace.
 */
export const podOf = (actor: ActorId): PodName | undefined => {
  const parts = { pod: 0, api: 0, volume: 1, log: 1, probe: 2 }[actor.kind as string]
  if (parts === undefined || actor.namespace === "") return undefined
  let name = actor.name
  for (let i = 0; i < parts; i++) {
    const dot = name.lastIndexOf(".")
    if (dot <= 0) return undefined
    name = name.slice(0, dot)
  }
  return { namespace: actor.namespace, name }
}

/** Whether an actor is this pod, one of its probes, volumes or logs, or that of the streams into it. */
export const isOfPod = (actor: ActorId, pod: PodName): boolean => {
  const owner = podOf(actor)
  return owner !== undefined && owner.name === pod.name && owner.namespace === pod.namespace
}

/** An actor's id is one object for all its events: its pod is found out once. Empty: none. */
const texts = new WeakMap<ActorId, string>()
const ownPod = (actor: ActorId): string => {
  let text = texts.get(actor)
  if (text === undefined) {
    const pod = podOf(actor)
    text = pod === undefined ? "" : podText(pod)
    texts.set(actor, text)
  }
  return text
}

/** Uids that are remembered; the oldest are forgotten first. */
const maxUids = 65_536

export class PodsByUid {
  private readonly names = new Map<string, string>()

  learn(uid: string, pod: string): void {
    if (this.names.get(uid) === pod) return
    if (this.names.size >= maxUids) this.names.delete(this.names.keys().next().value as string)
    this.names.set(uid, pod)
  }

  /** `namespace/name`; empty where the event belongs to no pod. */
  of({ actor, correlation }: RecordedEvent): string {
    const own = ownPod(actor)
    if (correlation === undefined) return own
    if (own === "") return this.names.get(correlation) ?? ""
    this.learn(correlation, own)
    return own
  }
}
