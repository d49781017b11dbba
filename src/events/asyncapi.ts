/**
 * The AsyncAPI 3.0 document of what an agent publishes: a channel for each type of event, since the type is the last token
 * of its NATS subject, with the CloudEvents envelope around the data of that type. https://www.asyncapi.com/docs/reference/specification/v3.0.0
 *
 * Schemas are in AsyncAPI's own dialect, which is JSON Schema draft 7 and more: every tool reads that one, and few
 * read 2020-12 (which `chronode schema` prints).
 */
import { JsonSchema as Convert } from "effect"
import { catalogue } from "./catalogue.ts"
import { actorKinds, type EventDefinition } from "./definition.ts"
import { contentType } from "./envelope.ts"
import { dataDocument, envelopeProperties, type JsonSchema, ownProperties, required } from "./json-schema.ts"

/** Version of the NATS bindings. https://github.com/asyncapi/bindings/tree/master/nats */
const nats = { nats: { bindingVersion: "0.1.0" } }

const reference = (path: string): JsonSchema => ({ $ref: `#/${path}` })
const schemaReference = (name: string): JsonSchema => reference(`components/schemas/${name}`)

/** What an event's data refers to stands among the components, together with what other events refer to. */
const withComponentReferences = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withComponentReferences)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === "$ref" && typeof inner === "string"
        ? [key, inner.replace(/^#\/(?:definitions|\$defs)\//u, "#/components/schemas/")]
        : [key, withComponentReferences(inner)]
    )
  )
}

const dataOf = (definition: EventDefinition): { readonly data: JsonSchema; readonly shared: JsonSchema } => {
  const { schema, definitions } = Convert.toDocumentDraft07(dataDocument(definition))
  return withComponentReferences({ data: schema, shared: definitions }) as ReturnType<typeof dataOf>
}

const parameters = {
  node: { description: "Name of the node; a dot in it is written _." },
  kind: { description: "Kind of the actor that the event is of.", enum: [...actorKinds] },
  namespace: { description: "Namespace of the pod, probe or volume; _ where there is none." },
  name: { description: "Name of the actor; a dot in it is written _." }
} as const

const addressOf = ({ kind, tag }: EventDefinition): string =>
  `chronode.{node}.${kind === "any" ? "{kind}" : kind}.{namespace}.{name}.${tag}`

const channelOf = (definition: EventDefinition): JsonSchema => {
  const { about, kind, tag } = definition
  const names = ["node", ...(kind === "any" ? ["kind"] : []), "namespace", "name"]
  return {
    address: addressOf(definition),
    title: tag,
    description: about,
    servers: [reference("servers/nats")],
    parameters: Object.fromEntries(names.map((name) => [name, reference(`components/parameters/${name}`)])),
    messages: { [tag]: reference(`components/messages/${tag}`) },
    bindings: nats
  }
}

const messageOf = ({ about, severity, tag, ...rest }: EventDefinition): JsonSchema => ({
  name: tag,
  title: tag,
  summary: about,
  contentType,
  tags: [{ name: severity, description: "Severity of most events of this type." }, { name: rest.kind }],
  traits: [reference("components/messageTraits/published")],
  payload: schemaReference(tag)
})

const envelopeSchema: JsonSchema = {
  title: "CloudEvent",
  description: "CloudEvents 1.0 in structured mode, with the extensions that every event has.",
  externalDocs: { url: "https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md" },
  type: "object",
  properties: { ...envelopeProperties, type: { type: "string" }, data: { type: "object" } },
  required
}

const headers: JsonSchema = {
  type: "object",
  properties: {
    "Nats-Msg-Id": { type: "string", description: "The event's id." },
    "Content-Type": { const: contentType },
    "Chronode-Chain-Head": {
      type: "string",
      pattern: "^[0-9]+:[0-9a-f]{64}$",
      description: "Sequence and hash of the journal's chain after this event."
    }
  },
  required: ["Nats-Msg-Id", "Content-Type"]
}

/** @param version of the program whose events these are */
export const asyncApiDocument = (version: string): JsonSchema => {
  const schemas: Record<string, unknown> = { CloudEvent: envelopeSchema }
  for (const definition of catalogue) {
    const { data, shared } = dataOf(definition)
    Object.assign(schemas, shared)
    schemas[definition.tag] = {
      title: definition.tag,
      description: definition.about,
      allOf: [schemaReference("CloudEvent"), { type: "object", properties: { ...ownProperties(definition), data } }]
    }
  }
  const byTag = (of: (definition: EventDefinition) => JsonSchema): JsonSchema =>
    Object.fromEntries(catalogue.map((definition) => [definition.tag, of(definition)]))
  return {
    asyncapi: "3.0.0",
    id: "urn:chronode:events",
    info: {
      title: "Chronode events",
      version,
      description:
        "What a node's agent publishes on NATS JetStream, in the order of its journal, each event once. Consumers keep what they do not know: newer nodes write more types.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      tags: [{ name: "cloudevents" }, { name: "nats" }]
    },
    defaultContentType: contentType,
    servers: {
      nats: {
        host: "{host}",
        protocol: "nats",
        description: "The NATS server that the agent was given; the stream CHRONODE_<node> holds what it published.",
        variables: { host: { default: "127.0.0.1:4222", description: "Host and port." } },
        bindings: nats
      }
    },
    channels: byTag(channelOf),
    operations: Object.fromEntries(
      catalogue.map(({ about, tag }) => [
        `publish${tag}`,
        {
          action: "send",
          summary: about,
          channel: reference(`channels/${tag}`),
          messages: [reference(`channels/${tag}/messages/${tag}`)],
          bindings: nats
        }
      ])
    ),
    components: {
      parameters,
      schemas,
      messages: byTag(messageOf),
      messageTraits: { published: { headers, bindings: nats } }
    }
  }
}
