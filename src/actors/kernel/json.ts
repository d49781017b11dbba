/** States, events and commands as JSON values: a text that is equal for equal values, and equality without a text. */

/** JSON with sorted keys: equal values give equal text. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, v) =>
    typeof v === "object" && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : v
  ) ?? "undefined"

/** Keys that JSON would write: those without a value are not there. */
const written = (value: Readonly<Record<string, unknown>>): number => {
  let count = 0
  for (const key in value) if (value[key] !== undefined) count += 1
  return count
}

/** Whether two values have the same JSON, whatever the order of their keys. */
export const isEqual = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!isEqual(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  let count = 0
  for (const key in left) {
    if (left[key] === undefined) continue
    count += 1
    if (!isEqual(left[key], right[key])) return false
  }
  return count === written(right)
}
