/** Whether a JSON value is of a shape and nothing about it is worth a word: made once for a shape, then quick. */
import type { Shape } from "../../../events/pod-shape.ts"
import type { Known } from "../known-fields.ts"
import { fieldPath } from "../read.ts"

export type Check = (value: unknown) => boolean

/** `false`: something is wrong, null, unknown, or needs a closer look. `path`: where values of the shape stand. */
export const checkFor = (shape: Shape, classify: (path: string, field: string) => Known, path = ""): Check => {
  switch (shape.kind) {
    case "struct": {
      const fields = new Map([...shape.fields].map(([key, s]) => [key, checkFor(s, classify, fieldPath(path, key))]))
      const isKnown: Check = (key) => classify(path, key as string) === "silent"
      return (value) => {
        if (!isRecord(value)) return false
        for (const key in value) if (!(fields.get(key)?.(value[key]) ?? isKnown(key))) return false
        return true
      }
    }
    case "map": {
      const check = checkFor(shape.value, classify, path)
      return (value) => {
        if (!isRecord(value)) return false
        for (const key in value) if (!check(value[key])) return false
        return true
      }
    }
    case "list": {
      const check = checkFor(shape.item, classify, `${path}[0]`)
      return (value) => Array.isArray(value) && value.every(check)
    }
    case "text":
      return (value) => typeof value === "string"
    case "integer":
      return Number.isSafeInteger
    case "boolean":
      return (value) => typeof value === "boolean"
    case "integerOrText":
      return (value) => typeof value === "string" || Number.isSafeInteger(value)
    case "choice":
      return (value) => typeof value === "string" && shape.of.includes(value)
    case "quantity":
      return () => false
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
