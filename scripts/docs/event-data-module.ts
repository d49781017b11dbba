/** The TypeScript module that scripts/generate-client.ts writes: an interface for the data of each type of event. */
import { catalogue } from "../../src/events/catalogue.ts"
import { typeName } from "../../src/events/definition.ts"
import { dataDocument } from "../../src/events/json-schema.ts"

interface Schema {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly enum?: ReadonlyArray<unknown>
  readonly const?: unknown
  readonly anyOf?: ReadonlyArray<Schema>
  readonly oneOf?: ReadonlyArray<Schema>
  readonly $ref?: string
}

const comment = (text: string | undefined, indent: string): string =>
  text === undefined ? "" : `${indent}/** ${text.replaceAll("*/", "* /").replaceAll(/\s+/gu, " ")} */\n`

const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/u.test(name) ? name : JSON.stringify(name))

const typeOf = (schema: Schema, indent: string): string => {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ")
  const several = schema.anyOf ?? schema.oneOf
  if (several !== undefined) return [...new Set(several.map((one) => typeOf(one, indent)))].join(" | ")
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type
    case "integer":
    case "number":
      return "number"
    case "array":
      return `ReadonlyArray<${schema.items === undefined ? "unknown" : typeOf(schema.items, indent)}>`
    case "object":
      return objectOf(schema, indent)
    case undefined:
      return "unknown"
    default:
      throw new Error(`no TypeScript for a schema of type ${schema.type}`)
  }
}

const objectOf = ({ additionalProperties, properties = {}, required = [] }: Schema, indent: string): string => {
  const inner = `${indent}  `
  const fields = Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? "" : "?"
    return `${comment(schema.description, inner)}${inner}readonly ${key(name)}${optional}: ${typeOf(schema, inner)}\n`
  })
  if (fields.length > 0) return `{\n${fields.join("")}${indent}}`
  const values = typeof additionalProperties === "object" ? typeOf(additionalProperties, indent) : "unknown"
  return `{ readonly [name: string]: ${values} }`
}

const declaration = (name: string, about: string | undefined, schema: Schema): string => {
  const type = typeOf(schema, "")
  const body = type.startsWith("{\n") ? `export interface ${name} ${type}` : `export type ${name} = ${type}`
  return `${comment(about, "")}${body}\n`
}

/** The whole module. */
export const eventDataModule = (): string => {
  const shared = new Map<string, Schema>()
  const data: Array<string> = []
  for (const definition of catalogue) {
    const { definitions, schema } = dataDocument(definition)
    for (const [name, one] of Object.entries(definitions)) shared.set(name, one as Schema)
    const isEmpty = Object.keys(definition.fields).length === 0
    data.push(declaration(`${definition.tag}Data`, definition.about, isEmpty ? { type: "object" } : (schema as Schema)))
  }
  const table = catalogue.map(({ tag }) => `  readonly ${tag}: ${tag}Data\n`).join("")
  const types = catalogue
    .map((definition) => `  ${JSON.stringify(typeName(definition))}: "${definition.tag}"`)
    .join(",\n")
  return [
    "/** Data of every type of event. Written by scripts/generate-client.ts from the catalogue: do not edit. */\n",
    ...[...shared].map(([name, schema]) => declaration(name, undefined, schema)),
    ...data,
    `/** The data of an event by its tag. */\nexport interface EventData {\n${table}}\n`,
    `/** The tag of each \`type\` that this version knows. */\nexport const tagsByType = {\n${types}\n} as const satisfies Readonly<Record<string, keyof EventData>>\n`
  ].join("\n")
}
