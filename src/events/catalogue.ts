/**
 * The catalogue: every event of every kind, in one table. The JSON Schemas, docs/events.md, the NATS subjects and the
 * decoders all come from it.
 */
import { Schema } from "effect"
import { type EventDefinition, type Severity, typeName } from "./definition.ts"
import { actorEvents } from "./kinds/actor.ts"
import { apiEvents } from "./kinds/api.ts"
import { containerEvents } from "./kinds/container.ts"
import { endpointEvents } from "./kinds/endpoint.ts"
import { evictionEvents } from "./kinds/eviction.ts"
import { imageEvents } from "./kinds/image.ts"
import { logEvents } from "./kinds/log.ts"
import { nodeEvents } from "./kinds/node.ts"
import { nodeConfigurationEvents } from "./kinds/node-configuration.ts"
import { nodeHealthEvents } from "./kinds/node-health.ts"
import { podEvents } from "./kinds/pod.ts"
import { probeEvents } from "./kinds/probe.ts"
import { proxyEvents } from "./kinds/proxy.ts"
import { resizeEvents } from "./kinds/resize.ts"
import { runtimeEvents } from "./kinds/runtime.ts"
import { serviceEvents } from "./kinds/service.ts"
import { sourceEvents } from "./kinds/source.ts"
import { streamEvents } from "./kinds/stream.ts"
import { volumeEvents } from "./kinds/volume.ts"

const definitions = [
  ...nodeEvents,
  ...nodeHealthEvents,
  ...nodeConfigurationEvents,
  ...sourceEvents,
  ...runtimeEvents,
  ...imageEvents,
  ...podEvents,
  ...containerEvents,
  ...resizeEvents,
  ...probeEvents,
  ...volumeEvents,
  ...logEvents,
  ...streamEvents,
  ...serviceEvents,
  ...endpointEvents,
  ...proxyEvents,
  ...apiEvents,
  ...evictionEvents,
  ...actorEvents
] as const

type Definition = (typeof definitions)[number]

/** Data of any event of the newest version, told apart by `_tag`. */
export type NodeEvent = Definition["schema"]["Type"]
export type EventTag = NodeEvent["_tag"]
export type EventOf<Tag extends EventTag> = Extract<NodeEvent, { readonly _tag: Tag }>
/** Events that the members of one `…Events` table describe. */
export type EventsOf<Table extends ReadonlyArray<{ readonly schema: Schema.Top }>> = Table[number]["schema"]["Type"]
export type KernelEvent = EventsOf<typeof actorEvents>

export const catalogue: ReadonlyArray<EventDefinition> = definitions as never

export const byTag: ReadonlyMap<string, EventDefinition> = new Map(catalogue.map((d) => [d.tag, d]))
export const byType: ReadonlyMap<string, EventDefinition> = new Map(catalogue.map((d) => [typeName(d), d]))

/** Any event of the newest version, for property tests and validation. */
export const NodeEventSchema: Schema.Codec<NodeEvent> = Schema.Union(definitions.map((d) => d.schema)) as never

/** One sentence, on one line, that tells this event to a person. */
export const tell = (event: NodeEvent): string =>
  (byTag.get(event._tag) as EventDefinition)
    .tell(event as never)
    .replace(/\s*[\r\n]+\s*/gu, " ")
    .trimEnd()

export const severityOf = (event: NodeEvent): Severity => {
  const definition = byTag.get(event._tag) as EventDefinition
  return definition.severityOf?.(event as never) ?? definition.severity
}
