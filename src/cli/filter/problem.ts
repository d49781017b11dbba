/** What is wrong with an expression, and where: told with the place marked under the text. */
import { nearest, oneLine } from "../text.ts"

/** `at`: offset in the expression, from 0. */
export class ExpressionProblem extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

/** The part of a long line that is shown around the place. */
const shownBefore = 60
const shownAfter = 40

/**
 * ```
 * column 1: no field 'sevrity'; did you mean severity?
 *     sevrity >= WARN
 *     ^
 * ```
 */
export const problemText = (expression: string, { at, message }: ExpressionProblem): string => {
  const before = expression.slice(0, at)
  const line = before.split("\n").length
  const start = before.lastIndexOf("\n") + 1
  const end = expression.indexOf("\n", at)
  const from = Math.max(start, at - shownBefore)
  const shown = oneLine(expression.slice(from, Math.min(end < 0 ? expression.length : end, at + shownAfter)))
  const marker = " ".repeat(oneLine(expression.slice(from, at)).length)
  const place = `${line > 1 ? `line ${line}, ` : ""}column ${at - start + 1}`
  return `${place}: ${message}\n    ${shown}\n    ${marker}^`
}

/** A shorter name is near to too many others. */
const shortName = 4

/** `; did you mean A or B?`, or `otherwise` where nothing is near. */
export const meant = (typed: string, names: Iterable<string>, otherwise = ""): string => {
  const near = typed.length < shortName ? [] : nearest(typed, [...names])
  return near.length === 0 ? otherwise : `; did you mean ${near.join(" or ")}?`
}
