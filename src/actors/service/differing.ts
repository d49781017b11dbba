/** Lists of thousands, of which one or two elements are others than before. */

/**
 * The elements of `now` that are not those of `before`, where each stands in the place of one of the same name; undefined:
 * some came, went or moved.
 */
export const replaced = <A>(
  before: ReadonlyArray<A>,
  now: ReadonlyArray<A>,
  nameOf: (one: A) => string
): ReadonlyArray<{ readonly before: A; readonly now: A }> | undefined => {
  if (before === now) return []
  if (before.length !== now.length) return undefined
  const found: Array<{ readonly before: A; readonly now: A }> = []
  for (let i = 0; i < now.length; i++) {
    const [old, own] = [before[i]!, now[i]!]
    if (old === own) continue
    if (nameOf(old) !== nameOf(own)) return undefined
    found.push({ before: old, now: own })
  }
  return found
}
