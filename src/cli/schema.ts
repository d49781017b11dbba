/** `chronode schema [EVENT-TYPE]` */
import { byTag, byType } from "../events/catalogue.ts"
import { catalogueSchema, eventSchema } from "../events/json-schema.ts"
import { exitCodes } from "./exit.ts"
import { unknownType } from "./filter.ts"
import type { Execute } from "./program.ts"

export const execute: Execute<object, [type: string | undefined]> = async ({ terminal }, _, type) => {
  const definition = type === undefined ? undefined : (byTag.get(type) ?? byType.get(type))
  if (type !== undefined && definition === undefined) throw unknownType(type)
  const schema = definition === undefined ? catalogueSchema() : eventSchema(definition)
  terminal.out(`${JSON.stringify(schema, null, 2)}\n`)
  return exitCodes.good
}
