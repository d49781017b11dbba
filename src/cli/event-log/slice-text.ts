/** What can be decided again of a file that leaves out events, by what was asked for when it was exported. */

const isText = (value: unknown): value is string => typeof value === "string"

/** One sentence; undefined: a span of time is made whole, and all of it can be decided again. */
export const sliceText = (filter: Readonly<Record<string, unknown>>): string | undefined => {
  const { pod, types, filter: expression, of } = filter
  if (Array.isArray(types))
    return `the file holds events of ${types.filter(isText).join(", ")} only: a decision is taken again where no event of its actor is left out`
  if (isText(pod))
    return `the file is about pod ${pod}: decisions of the pod, its probes and its volumes are taken again; of other actors it holds some events only`
  if (isText(expression))
    return `the file holds what matches '${expression}' only: a decision is taken again where no event of its actor is left out`
  // A slice of a slice.
  return typeof of === "object" && of !== null ? sliceText(of as Readonly<Record<string, unknown>>) : undefined
}
