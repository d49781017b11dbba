/**
 * A condition over one event in CEL, the Common Expression Language (cel.dev), as Kubernetes uses it in admission
 * policies: `type == "ContainerExited" && data.exitCode != 0`. The language and its types are the library's; here are
 * the fields of an event, what the expression may cost, and errors that say where and what.
 */
import { type ASTNode, Environment } from "@marcbachmann/cel-js"
import { RE2JS, RE2JSSyntaxException } from "re2js"
import type { RecordedEvent } from "../../events/envelope.ts"
import { UsageError } from "../exit.ts"
import { checkCost, checkNames, maxExpressionLength, operandsOf, parserLimits } from "./checks.ts"
import { EventFields, type FieldName, fieldTypes, SeverityLevel, severityLevels } from "./fields.ts"
import { narrowingOf } from "./narrowing.ts"
import { ExpressionProblem, meant, problemText } from "./problem.ts"
import type { Selection } from "./selection.ts"

export interface Condition {
  readonly expression: string
  /** The time that `now` stands for, milliseconds since the epoch; undefined where it is not in the expression. */
  readonly now: number | undefined
  /** True of every event that matches, for stores that can select by it. */
  readonly narrowing: Selection
  /** It asks for `pod` in a way that `narrowing` does not tell: all events have to be seen, to learn whose uid is whose. */
  readonly needsPods: boolean
  /** @param pod which the event belongs to, `namespace/name` */
  readonly matches: (recorded: RecordedEvent, pod: string) => boolean
  /** The same of a thing that is no event: fields that are not given hold for nothing. */
  readonly matchesFields: (fields: Partial<Record<FieldName, unknown>>) => boolean
  /** Events on which it could not be decided, e.g. a text was compared with a number: how many, and why the first. */
  readonly undecided: () => { readonly events: number; readonly first: string }
}

/**
 * Names that the library keeps for itself, and what stands for them inside: `type` is its function's, and `matches`
 * would be JavaScript's regular expressions, which can take time exponential in the text; CEL's are RE2's, linear.
 */
const insideType = "eventType"
const insideMatches = "matchesRe2"
const fieldInside = (name: string): string => (name === "type" ? insideType : name)

const renameInside = (node: ASTNode): void => {
  if (node.op === "id" && node.args === "type") (node as { args: string }).args = insideType
  if (node.op === "rcall" && node.args[0] === "matches") node.args[0] = insideMatches
  for (const operand of operandsOf(node)) renameInside(operand)
}

/** Compiled patterns that are kept: an expression has few; one that builds them from data has many. */
const maxPatterns = 64

const matchesRe2 = (): ((text: string, pattern: string) => boolean) => {
  const compiled = new Map<string, RE2JS>()
  return (text, pattern) => {
    let re2 = compiled.get(pattern)
    if (re2 === undefined) {
      re2 = RE2JS.compile(pattern)
      if (compiled.size >= maxPatterns) compiled.clear()
      compiled.set(pattern, re2)
    }
    return re2.test(text)
  }
}

const orders: Readonly<Record<string, (a: SeverityLevel, b: SeverityLevel) => boolean>> = {
  "<": (a, b) => a.rank < b.rank,
  "<=": (a, b) => a.rank <= b.rank,
  ">": (a, b) => a.rank > b.rank,
  ">=": (a, b) => a.rank >= b.rank,
  "==": (a, b) => a.rank === b.rank
}

const makeEnvironment = (): Environment => {
  const environment = new Environment({ limits: parserLimits })
  environment.registerType("Severity", { ctor: SeverityLevel, fields: {} })
  for (const [op, compare] of Object.entries(orders))
    environment.registerOperator(`Severity ${op} Severity: bool`, compare)
  for (const [name, level] of Object.entries(severityLevels)) environment.registerConstant(name, "Severity", level)
  for (const [name, type] of Object.entries(fieldTypes)) environment.registerVariable(fieldInside(name), type)
  environment.registerFunction(`string.${insideMatches}(string): bool`, matchesRe2())
  return environment
}

/** What the library's errors have; its classes say it too, but are told apart by nothing else. */
interface LibraryError extends Error {
  readonly code: string
  readonly summary: string
  readonly range?: { readonly start: number }
}
const isLibraryError = (error: unknown): error is LibraryError =>
  error instanceof Error && "code" in error && "summary" in error

const outside = (text: string): string => text.replaceAll(insideType, "type").replaceAll(insideMatches, "matches")

const explained = ({ code, summary, range }: LibraryError, expression: string): ExpressionProblem => {
  const at = range?.start ?? 0
  const known = Object.keys(fieldTypes)
  if (code === "unknown_variable") {
    const name = summary.replace(/^Unknown variable: /u, "")
    return new ExpressionProblem(
      at,
      `no field '${name}'${meant(name, [...known, ...Object.keys(severityLevels)], `; there are ${known.join(", ")}`)}`
    )
  }
  if (code === "reserved_identifier") {
    const name = summary.replace(/^Reserved identifier: /u, "")
    return new ExpressionProblem(
      at,
      `'${name}' is a word that CEL reserves${name === "namespace" ? "; the namespace is written ns" : ""}`
    )
  }
  const said = outside(summary).replace(/^Unexpected token: EOF$/u, "it ends too early")
  const hint =
    said.includes("Severity") && said.includes("string")
      ? "; a severity is compared with TRACE, DEBUG, INFO, WARN or ERROR, without quotes"
      : said.includes(fieldTypes.time) && said.includes("string")
        ? '; a time is written timestamp("2026-11-21T05:53:47Z"), or now - duration("10m")'
        : expression[at] === "=" && expression[at + 1] !== "="
          ? "; 'equal' is written =="
          : expression[at] === "&" || expression[at] === "|"
            ? "; 'and' is written &&, 'or' ||"
            : ""
  return new ExpressionProblem(at, `${said.replaceAll(fieldTypes.time, "timestamp")}${hint}`)
}

/** Patterns that are written out are compiled at once: a wrong one is wrong for every event. */
const checkPatterns = (node: ASTNode): void => {
  if (node.op === "rcall" && node.args[0] === insideMatches) {
    const pattern = node.args[2][0]
    if (pattern?.op === "value" && typeof pattern.args === "string")
      try {
        RE2JS.compile(pattern.args)
      } catch (error) {
        if (!(error instanceof RE2JSSyntaxException)) throw error
        throw new ExpressionProblem(pattern.start, `${error.message} (patterns are RE2's)`)
      }
  }
  for (const operand of operandsOf(node)) checkPatterns(operand)
}

const namesField = (node: ASTNode, name: string): boolean =>
  (node.op === "id" && node.args === name) || operandsOf(node).some((operand) => namesField(operand, name))

/** Where what was asked for is not there: no match, and nothing to tell. */
const absent = new Set(["no_such_key", "unknown_variable", "index_out_of_bounds"])

/** @param now milliseconds since the epoch. Throws `ExpressionProblem` or the library's errors. */
const compile = (expression: string, now: number): Condition => {
  if (expression.length > maxExpressionLength)
    throw new ExpressionProblem(maxExpressionLength, `longer than ${maxExpressionLength} characters`)
  if (expression.trim() === "") throw new ExpressionProblem(0, "it is empty")
  const environment = makeEnvironment()
  const time = new Date(now)
  const written = environment.parse(expression).ast
  checkCost(written)
  checkNames(written, undefined)
  const parsed = environment.parse(expression)
  renameInside(parsed.ast)
  const { valid, type, error } = parsed.check()
  if (!valid) throw error
  if (type !== "bool" && type !== "dyn")
    throw new ExpressionProblem(0, `this is a ${outside(String(type))}, not a condition; compare it with something`)
  checkPatterns(parsed.ast)
  const narrowing = narrowingOf(written, environment, time)
  if (narrowing.types !== undefined) checkNames(written, narrowing.types)

  let undecided = 0
  let first = ""
  const holds = (fields: object, place: () => string): boolean => {
    try {
      return parsed(fields as never) === true
    } catch (error) {
      if (!isLibraryError(error) && !(error instanceof RE2JSSyntaxException)) throw error
      if (isLibraryError(error) && absent.has(error.code)) return false
      undecided += 1
      if (undecided === 1) first = `${place()}: ${outside(isLibraryError(error) ? error.summary : error.message)}`
      return false
    }
  }
  return {
    expression,
    now: namesField(parsed.ast, "now") ? now : undefined,
    narrowing,
    needsPods: narrowing.pod === undefined && namesField(parsed.ast, "pod"),
    matches: (recorded, pod) =>
      holds(new EventFields(recorded, pod, time), () => `sequence ${recorded.sequence}, ${recorded.event._tag}`),
    matchesFields: ({ type: _, ...fields }) => holds({ now: time, ...fields }, () => ""),
    undecided: () => ({ events: undecided, first })
  }
}

/**
 * The condition of an expression; `UsageError` with the place and what is known.
 *
 * @param now milliseconds since the epoch: what `now` stands for
 * @param flag how the message names it
 */
export const parseExpression = (expression: string, now: number, flag = "--filter"): Condition => {
  try {
    return compile(expression, now)
  } catch (error) {
    const problem = isLibraryError(error) ? explained(error, expression) : error
    if (problem instanceof ExpressionProblem)
      throw new UsageError(`${flag === "" ? "" : `${flag}: `}${problemText(expression, problem)}`)
    throw error
  }
}
