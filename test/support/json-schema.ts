/**
 * Whether a value fits a JSON Schema of draft 2020-12, as far as the program's own schemas go: a keyword that is not known
 * here is an error, so that none is passed over. https://json-schema.org/draft/2020-12/json-schema-validation
 */
type Schema = boolean | { readonly [keyword: string]: unknown }

/** Say something about the document or to people, and nothing about the value. */
const silent = new Set(["$schema", "$id", "$defs", "title", "description"])

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  array: Array.isArray,
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value)
}
const isObject = types.object as (value: unknown) => value is Readonly<Record<string, unknown>>
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Every way in which `value` does not fit, each with its place; empty: it fits. */
export const misfits = (document: Schema, value: unknown): ReadonlyArray<string> => {
  const resolve = (reference: string): Schema => {
    const path = /^#\/\$defs\/(.+)$/u.exec(reference)?.[1]?.replaceAll("~1", "/").replaceAll("~0", "~")
    const found = (document as { $defs?: Record<string, Schema> }).$defs?.[path ?? ""]
    if (found === undefined) throw new Error(`${reference} leads nowhere`)
    return found
  }
  const check = (schema: Schema, at: unknown, place: string): ReadonlyArray<string> => {
    if (typeof schema === "boolean") return schema ? [] : [`${place} may not be there`]
    const fits = (other: unknown): boolean => check(other as Schema, at, place).length === 0
    const say = (holds: boolean, what: string): ReadonlyArray<string> => (holds ? [] : [`${place} ${what}`])
    const keyword = (name: string, given: unknown): ReadonlyArray<string> => {
      switch (name) {
        case "$ref":
          return check(resolve(String(given)), at, place)
        case "type":
          return say(
            [given].flat().some((type) => types[String(type)]?.(at)),
            `is no ${given}`
          )
        case "const":
          return say(same(at, given), `is not ${JSON.stringify(given)}`)
        case "enum":
          return say(
            (given as ReadonlyArray<unknown>).some((one) => same(at, one)),
            "is none of those listed"
          )
        case "minLength":
          return say(typeof at !== "string" || [...at].length >= Number(given), "is too short")
        case "pattern":
          return say(typeof at !== "string" || new RegExp(String(given), "u").test(at), `is not as ${given}`)
        case "format":
          if (given !== "date-time") throw new Error(`format ${given}`)
          return say(typeof at !== "string" || !Number.isNaN(Date.parse(at)), "is no time")
        case "minimum":
          return say(typeof at !== "number" || at >= Number(given), "is too small")
        case "maximum":
          return say(typeof at !== "number" || at <= Number(given), "is too large")
        case "not":
          return say(!fits(given), "is what it may not be")
        case "anyOf":
          return say((given as ReadonlyArray<unknown>).some(fits), "is none of several")
        case "oneOf":
          return say((given as ReadonlyArray<unknown>).filter(fits).length === 1, "is not one of several")
        case "items":
          return Array.isArray(at) ? at.flatMap((item, i) => check(given as Schema, item, `${place}/${i}`)) : []
        case "required":
          return isObject(at)
            ? (given as ReadonlyArray<string>).filter((key) => !(key in at)).map((key) => `${place}/${key} is missing`)
            : []
        case "properties":
          return isObject(at)
            ? Object.entries(given as Record<string, Schema>).flatMap(([key, inner]) =>
                Object.hasOwn(at, key) ? check(inner, at[key], `${place}/${key}`) : []
              )
            : []
        case "additionalProperties": {
          const known = (schema.properties ?? {}) as Record<string, unknown>
          return isObject(at)
            ? Object.entries(at).flatMap(([key, inner]) =>
                Object.hasOwn(known, key) ? [] : check(given as Schema, inner, `${place}/${key}`)
              )
            : []
        }
        default:
          if (silent.has(name)) return []
          throw new Error(`the keyword ${name} is not known here`)
      }
    }
    return Object.entries(schema).flatMap(([name, given]) => keyword(name, given))
  }
  return check(document, value, "")
}
