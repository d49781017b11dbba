/** Which events a command is asked for: `--pod`, `--type`, `--since`, `--until`. */
import { type ActorId, actorId } from "../events/actor-id.ts"
import { byTag, byType, catalogue } from "../events/catalogue.ts"
import type { RecordedEvent } from "../events/envelope.ts"
import { UsageError } from "./exit.ts"
import { nearest } from "./text.ts"
import { timeFlag } from "./times.ts"

/** All given conditions hold together; times are inclusive, milliseconds since the epoch. */
export interface EventFilter {
  readonly pod?: PodName
  /** Tags, e.g. `ContainerExited`; of every version. */
  readonly types?: ReadonlySet<string>
  readonly since?: number
  readonly until?: number
}

export interface PodName {
  readonly namespace: string
  readonly name: string
}

export interface FilterFlags {
  readonly pod?: string
  readonly type?: string
  readonly since?: string
  readonly until?: string
}

/** `NS/NAME`; a name alone stands for `default/NAME`. */
export const parsePodName = (text: string): PodName => {
  const parts = text.split("/")
  const [namespace, name] = parts.length === 1 ? ["default", parts[0]] : parts
  if (parts.length > 2 || !namespace || !name) throw new UsageError(`'${text}' is no pod; write NAMESPACE/NAME`)
  return { namespace, name }
}

const fullType = /^dev\.chronode\.([A-Za-z]+)\.v\d+$/u

/** The tag within a `type` attribute; the attribute itself where it is not one of ours. */
export const tagOfType = (type: string): string => fullType.exec(type)?.[1] ?? type

/** The tag of an event, also of one whose type this program does not know. */
export const tagOf = (recorded: RecordedEvent): string =>
  recorded.event._tag === "Unknown" ? tagOfType(recorded.event.type) : recorded.event._tag

/** `A,B` to tags. A full type (`dev.chronode.A.v2`) may be one that only a newer version knows. */
export const parseTypes = (text: string): ReadonlySet<string> => {
  const tags = new Set<string>()
  for (const name of text.split(",").map((part) => part.trim())) {
    if (name === "") continue
    const full = fullType.exec(name)
    const known = full?.[1] ?? catalogue.find((d) => d.tag.toLowerCase() === name.toLowerCase())?.tag
    if (known === undefined) throw unknownType(name)
    tags.add(known)
  }
  if (tags.size === 0) throw new UsageError("--type: no event type is named")
  return tags
}

/** A usage error that names the event types that may have been meant. */
export const unknownType = (name: string): UsageError => {
  const near = nearest(name, [...byTag.keys(), ...(name.includes(".") ? byType.keys() : [])])
  return new UsageError(
    `no event type '${name}'${near.length === 0 ? "; docs/events.md lists them" : `; did you mean ${near.join(" or ")}?`}`
  )
}

/** @param now milliseconds since the epoch */
export const parseFilter = (flags: FilterFlags, now: number): EventFilter => {
  const since = timeFlag("--since", flags.since, now)
  const until = timeFlag("--until", flags.until, now)
  if (since !== undefined && until !== undefined && since > until) throw new UsageError("--since is later than --until")
  return {
    ...(flags.pod === undefined ? {} : { pod: parsePodName(flags.pod) }),
    ...(flags.type === undefined ? {} : { types: parseTypes(flags.type) }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until })
  }
}

export const podActor = (pod: PodName): ActorId => actorId("pod", pod.namespace, pod.name)

/**
 * The pod that an actor belongs to. Probes are named `<pod>.<container>.<probe>` and volumes `<pod>.<volume>`; those
 * parts are DNS labels and hold no dot, a pod's name may.
 */
export const podOf = (actor: ActorId): PodName | undefined => {
  const parts = { pod: 0, volume: 1, probe: 2 }[actor.kind as string]
  if (parts === undefined) return undefined
  let name = actor.name
  for (let i = 0; i < parts; i++) {
    const dot = name.lastIndexOf(".")
    if (dot <= 0) return undefined
    name = name.slice(0, dot)
  }
  return { namespace: actor.namespace, name }
}

/** Whether an actor is this pod, one of its probes or one of its volumes. */
export const isOfPod = (actor: ActorId, pod: PodName): boolean => {
  const owner = podOf(actor)
  return owner !== undefined && owner.name === pod.name && owner.namespace === pod.namespace
}

/**
 * A test for events, to be fed in the order of the log: it learns the pod's uids from the pod's own events, and then
 * knows by their correlation what else belongs to it.
 */
export const matcher = (filter: EventFilter): ((recorded: RecordedEvent) => boolean) => {
  const uids = new Set<string>()
  const { pod, types, since, until } = filter
  return (recorded) => {
    if (pod !== undefined) {
      const own = isOfPod(recorded.actor, pod)
      if (own && recorded.correlation !== undefined) uids.add(recorded.correlation)
      if (!own && !(recorded.correlation !== undefined && uids.has(recorded.correlation))) return false
    }
    if (types !== undefined && !types.has(tagOf(recorded))) return false
    if (since === undefined && until === undefined) return true
    const at = Date.parse(recorded.time)
    return (since === undefined || at >= since) && (until === undefined || at <= until)
  }
}
