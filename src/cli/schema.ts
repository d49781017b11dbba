/** `chronode schema [EVENT-TYPE] | --asyncapi` */
import { byTag, byType } from "../events/catalogue.ts"
import { catalogueSchema, eventSchema } from "../events/json-schema.ts"
import type { Execute } from "./command.ts"
import { exitCodes, UsageError } from "./exit.ts"
import { unknownType } from "./filter.ts"
import { version } from "./version.ts"

interface SchemaFlags {
  readonly asyncapi?: boolean
}

export const execute: Execute<SchemaFlags, [type: string | undefined]> = async ({ terminal }, flags, type) => {
  const definition = type === undefined ? undefined : (byTag.get(type) ?? byType.get(type))
  if (type !== undefined && definition === undefined) throw unknownType(type)
  if (flags.asyncapi === true && definition !== undefined)
    throw new UsageError("--asyncapi describes the whole catalogue: leave the event type out")
  const schema =
    flags.asyncapi === true
      ? (await import("../events/asyncapi.ts")).asyncApiDocument(version)
      : definition === undefined
        ? catalogueSchema()
        : eventSchema(definition)
  terminal.out(`${JSON.stringify(schema, null, 2)}\n`)
  return exitCodes.good
}
