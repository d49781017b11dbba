/** Events as a subscriber gets them: the CloudEvent as it is on the wire, with its `tag` and its actor taken apart. */
import { type ActorId, parseActorPath, parseSource } from "../events/actor-id.ts"
import { type EventData, tagsByType } from "./event-data.ts"

/** The name of a type of event without prefix and version: `ContainerExited`. docs/events.md lists them. */
export type EventTag = keyof EventData

/** What every event says, whatever its type. Names and meaning: CloudEvents 1.0 and its extensions. */
export interface Envelope {
  readonly specversion: "1.0"
  /** Unique for ever. */
  readonly id: string
  /** `/nodes/<node>/<kind>/<namespace>/<name>` */
  readonly source: string
  /** `dev.chronode.ContainerExited.v1` */
  readonly type: string
  /** Uid of the entity, where it has one. */
  readonly subject?: string
  /** When it happened, RFC 3339 in UTC. */
  readonly time: string
  /** Place in the node's journal: 20 digits, from 1, without gaps. */
  readonly sequence: string
  /** Place among the events of its source, from 1, without gaps. */
  readonly actorsequence: number
  /** When it was written to the journal. */
  readonly recordedtime: string
  /** Id of the event that directly led to this one. */
  readonly causationid?: string
  /** The same for all of one flow: a pod's uid. */
  readonly correlationid?: string
  /** W3C trace context. */
  readonly traceparent?: string
  readonly severitytext: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR"
  /** Name of the node. */
  readonly node: string
  /** What it is of: `{ kind: "pod", namespace: "default", name: "web" }`; `namespace` is empty where there is none. */
  readonly actor: ActorId
}

/** An event of a known type: `tag` tells which, and with it the shape of `data`. */
export type KnownEvent<Tag extends EventTag = EventTag> = {
  readonly [T in Tag]: Envelope & { readonly tag: T; readonly data: EventData[T] }
}[Tag]

/** An event of a type, or of a version of one, that came after this library: kept as it is. */
export interface UnknownEvent extends Envelope {
  readonly tag: "Unknown"
  readonly data: unknown
}

export type ChronodeEvent<Tag extends EventTag = EventTag> = KnownEvent<Tag> | UnknownEvent

/** Why a message is no event of Chronode's. */
export class NoEvent extends Error {
  override readonly name = "NoEvent"
}

const tags: ReadonlyMap<string, EventTag> = new Map(Object.entries(tagsByType))

/** An event from a message's payload. Its data is not validated: what an agent publishes has its schema. Throws `NoEvent`. */
export const parseEvent = (text: string): ChronodeEvent => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new NoEvent(error instanceof Error ? error.message : String(error))
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new NoEvent("it is no JSON object")
  const event = json as Record<string, unknown>
  if (event.specversion !== "1.0") throw new NoEvent("it is no CloudEvent 1.0")
  for (const name of ["id", "type", "source", "time", "sequence"])
    if (typeof event[name] !== "string") throw new NoEvent(`its ${name} is missing or no text`)
  const parts = parseSource(event.source as string)
  const actor = parts === undefined ? undefined : parseActorPath(parts.path)
  if (parts === undefined || actor === undefined)
    throw new NoEvent(`its source ${event.source} is not /nodes/<node>/<kind>/<namespace>/<name>`)
  return { ...event, tag: tags.get(event.type as string) ?? "Unknown", node: parts.node, actor } as ChronodeEvent
}
