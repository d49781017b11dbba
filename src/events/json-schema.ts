/**
 * JSON Schema 2020-12 of events as they stand in the journal, on NATS and in incident files: the CloudEvents envelope
 * with its extensions (envelope.ts) around the data of one type. For tools that are not written in TypeScript.
 */
import { Schema } from "effect"
import { catalogue } from "./catalogue.ts"
import { actorKinds, type EventDefinition, severities, typeName } from "./definition.ts"

export const dialect = "https://json-schema.org/draft/2020-12/schema"

export type JsonSchema = { readonly [keyword: string]: unknown }

const timestampSchema: JsonSchema = { type: "string", format: "date-time" }

/** The attributes that every event has, whatever its type. Names and meaning: CloudEvents 1.0 and its extensions. */
export const envelopeProperties: Readonly<Record<string, JsonSchema>> = {
  specversion: { const: "1.0" },
  id: { type: "string", minLength: 1, description: "UUIDv7." },
  source: {
    type: "string",
    pattern: `^/nodes/[^/]+/(${actorKinds.join("|")})/[^/]+/.+$`,
    description: "The actor that wrote it: /nodes/<node>/<kind>/<namespace>/<name>; _ stands for no namespace."
  },
  subject: { type: "string", description: "Uid of the entity, where it has one." },
  time: { ...timestampSchema, description: "When it happened." },
  datacontenttype: { const: "application/json" },
  sequence: {
    type: "string",
    pattern: "^[0-9]{20}$",
    description: "Order in the node's journal, from 1, without gaps."
  },
  actorsequence: { type: "integer", minimum: 1, description: "Order among the events of this source, without gaps." },
  recordedtime: { ...timestampSchema, description: "When it was written to the journal." },
  causationid: { type: "string", description: "Id of the event that directly caused this one." },
  correlationid: { type: "string", description: "The whole flow that it belongs to: a pod's uid." },
  traceparent: { type: "string", description: "W3C trace context." },
  severitytext: { enum: Object.keys(severities) },
  command: {
    type: "string",
    description: "JSON text of the command that was decided; on the first event of a decision."
  }
}
/** The attributes that are never absent. */
export const required = [
  "specversion",
  "id",
  "source",
  "type",
  "time",
  "datacontenttype",
  "sequence",
  "actorsequence",
  "recordedtime",
  "severitytext",
  "data"
]

/** Schema of the data alone. The tag is the program's own: on the wire the type attribute says it. */
export const dataDocument = (definition: EventDefinition) =>
  Schema.toJsonSchemaDocument(Schema.Struct(definition.fields))

/** The same, and the definitions it refers to. */
const dataSchema = (definition: EventDefinition): { readonly data: JsonSchema; readonly definitions: JsonSchema } => {
  const document = dataDocument(definition)
  return { data: document.schema, definitions: document.definitions }
}

/** What the attributes of one type hold beyond those of every event. */
export const ownProperties = (definition: EventDefinition): Readonly<Record<string, JsonSchema>> => ({
  type: { const: typeName(definition) },
  ...(definition.kind === "any"
    ? {}
    : { source: { ...envelopeProperties.source, pattern: `^/nodes/[^/]+/${definition.kind}/[^/]+/.+$` } })
})

const envelope = (definition: EventDefinition, data: JsonSchema): JsonSchema => ({
  title: definition.tag,
  description: definition.about,
  type: "object",
  properties: { ...envelopeProperties, ...ownProperties(definition), data },
  required
})

const ofNoDefinitions = (definitions: JsonSchema): boolean => Object.keys(definitions).length === 0

/** One self-contained document for one type. */
export const eventSchema = (definition: EventDefinition): JsonSchema => {
  const { data, definitions } = dataSchema(definition)
  return {
    $schema: dialect,
    $id: `urn:chronode:event:${typeName(definition)}`,
    ...envelope(definition, data),
    ...(ofNoDefinitions(definitions) ? {} : { $defs: definitions })
  }
}

/** One document for the whole catalogue: any event is one of `$defs`, by its type. */
export const catalogueSchema = (): JsonSchema => {
  const shared: Record<string, unknown> = {}
  const events: Record<string, unknown> = {}
  for (const definition of catalogue) {
    const { data, definitions } = dataSchema(definition)
    Object.assign(shared, definitions)
    events[typeName(definition)] = envelope(definition, data)
  }
  return {
    $schema: dialect,
    $id: "urn:chronode:events",
    title: "Chronode events",
    description:
      "Any event of this version's catalogue. Consumers keep what they do not know: newer nodes write more types.",
    type: "object",
    oneOf: Object.keys(events).map((type) => ({ $ref: `#/$defs/${type}` })),
    $defs: { ...events, ...shared }
  }
}
