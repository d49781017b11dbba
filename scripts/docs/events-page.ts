/** docs/events.md: every event of the catalogue, by the kind of actor that writes it. */
import { Schema } from "effect"
import { catalogue } from "../../src/events/catalogue.ts"
import { type ActorKind, actorKinds, type EventDefinition, typeName } from "../../src/events/definition.ts"
import { sample } from "./sample.ts"

type Json = { readonly [keyword: string]: unknown }

const kindMeanings: Readonly<Record<ActorKind | "any", string>> = {
  node: "The node and its agent. One actor, named like the node.",
  source: "Where pods come from. One actor per directory of manifests.",
  runtime: "The connection to the container runtime.",
  image: "Images. One actor per image reference.",
  pod: "Pods, their sandboxes and their containers. One actor per pod.",
  probe: "Probes. One actor per probe of a container, named `<pod>.<container>.<probe>`.",
  volume: "Volumes. One actor per volume of a pod, named `<pod>.<volume>`.",
  log: "Containers' log files while they are rotated. One actor per container, named `<pod>.<container>`.",
  stream: "Publishing to NATS JetStream.",
  service: "Services. One actor per Service that is declared.",
  endpoint:
    "Servers behind Services. One actor per port of a Service and address behind it, named `<service>.<port>.<address>:<port>`.",
  proxy: "What puts Services into the kernel. One actor, named `services`.",
  eviction: "Pods that have to go for the node's sake. One actor, named `pods`.",
  api: "The node's HTTP API. One actor for the server, named like the node, and one for each pod that somebody has streams into, named like the pod.",
  any: "Actors themselves. Written on behalf of an actor of any kind, in that actor's sequence."
}

/** Kinds whose actors belong to a namespace. */
const namespaced = new Set<ActorKind | "any">(["pod", "probe", "volume", "log", "service", "endpoint", "api", "any"])

const typeText = (schema: Json): string => {
  if (typeof schema.$ref === "string") return schema.$ref.replace(/^.*\//u, "")
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${value}\``).join(" \\| ")
  // A number that may be infinite is written as text then; none of ours ever is.
  if (Array.isArray(schema.anyOf) && schema.anyOf.some((option) => (option as Json).type === "number")) return "number"
  if (Array.isArray(schema.anyOf)) return schema.anyOf.map((option) => typeText(option as Json)).join(" or ")
  if (typeof schema.title === "string" && schema.title.startsWith("RFC 3339")) return "timestamp"
  switch (schema.type) {
    case "string":
      return "text"
    case "array":
      return `list of ${typeText(schema.items as Json)}`
    case undefined:
      return "any JSON"
    default:
      return String(schema.type)
  }
}

const fieldsText = (definition: EventDefinition): string => {
  const { schema, definitions } = Schema.toJsonSchemaDocument(Schema.Struct(definition.fields))
  const root = (schema.$ref === undefined ? schema : Object.values(definitions)[0]) as Json
  const properties = (root.properties ?? {}) as Readonly<Record<string, Json>>
  const required = new Set((root.required ?? []) as ReadonlyArray<string>)
  const fields = Object.entries(properties).map(
    ([name, field]) => `\`${name}\`${required.has(name) ? "" : "?"} ${typeText(field)}`
  )
  return fields.length === 0 ? "–" : fields.join("<br>")
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

const example = (definition: EventDefinition): string => cell(definition.tell(sample(definition) as never))

/** Kernel events have no kind of their own: `<kind>` stands for whichever it is. */
const subjectPattern = (kind: ActorKind | "any", tag: string): string =>
  `chronode.<node>.${kind === "any" ? "<kind>" : kind}.${namespaced.has(kind) ? "<namespace>" : "_"}.<name>.${tag}`

const section = (kind: ActorKind | "any"): string => {
  const rows = catalogue
    .filter((definition) => definition.kind === kind)
    .map((d) => `| **${d.tag}** | ${d.version} | ${d.severity} | ${cell(d.about)} | ${fieldsText(d)} | ${example(d)} |`)
  return `## ${kind === "any" ? "every kind" : kind}

${kindMeanings[kind]}

Subject: \`${subjectPattern(kind, "<Type>")}\`

| type | version | severity | meaning | data | for example |
|---|---|---|---|---|---|
${rows.join("\n")}
`
}

export const eventsPage = (): string => {
  const kinds = [...actorKinds, "any" as const].filter((kind) => catalogue.some((d) => d.kind === kind))
  const first = catalogue.find((d) => d.tag === "ContainerExited") as EventDefinition
  return `# Events

<!-- Written by scripts/generate-docs.ts from src/events/catalogue.ts. Do not edit. -->

Every fact that Chronode observes and every decision that it takes is one of these ${catalogue.length} events. On every wire an event
is a [CloudEvent](https://cloudevents.io) 1.0 in structured JSON; the table's name and version make its \`type\`:
\`${typeName(first)}\`. \`chronode schema ${first.tag}\` prints the JSON Schema of one, \`chronode schema\` of all.

Besides the standard attributes (\`id\`, \`source\`, \`type\`, \`subject\`, \`time\`, \`data\`) an event has:

| attribute | meaning |
|---|---|
| \`sequence\` | order in the node's journal, 20 digits, without gaps |
| \`actorsequence\` | order among the events of its \`source\`, from 1, without gaps |
| \`recordedtime\` | when it was written to the journal; \`time\` is when it happened |
| \`causationid\` | id of the event that directly caused it; \`chronode why\` walks it |
| \`correlationid\` | the whole flow that it belongs to: a pod's uid |
| \`traceparent\` | W3C trace context |
| \`severitytext\` | ${["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].map((s) => `\`${s}\``).join(", ")} |
| \`command\` | the command that was decided, as JSON text; on the first event of a decision |

On NATS the subject is \`chronode.<node>.<kind>.<namespace>.<name>.<Type>\`, with \`_\` for "no namespace" and for each \`.\` within
a name, so that \`nats sub 'chronode.*.pod.default.*.ContainerExited'\` means what it says.

A published type is never edited: within a version only optional fields are added, anything else is a new version.
Consumers keep what they do not know. In the column "data", \`?\` marks a field that may be absent.

${kinds.map(section).join("\n")}`
}
