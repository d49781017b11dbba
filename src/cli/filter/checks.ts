/**
 * What an expression may not do, found before it is run. Its cost is bounded by its shape: it has no function that makes
 * more than it is given, and a loop within a loop goes only over what the outer one holds, so that all loops together
 * walk an event's data once. And it names what exists: a type or a field that is misspelt would silently match nothing.
 */
import type { ASTNode } from "@marcbachmann/cel-js"
import { actorKinds } from "../../events/definition.ts"
import { dataFields, knownTags } from "./fields.ts"
import { ExpressionProblem, meant } from "./problem.ts"
import { unknownTypeText } from "./tags.ts"

/** Characters of an expression. */
export const maxExpressionLength = 4096
/** Bounds of the parser (its own are for programs that embed it): what one writes on a command line is far below. */
export const parserLimits = {
  maxAstNodes: 1000,
  maxDepth: 64,
  maxListElements: 256,
  maxMapEntries: 64,
  maxCallArguments: 8
} as const

/** Loops: `list.exists(x, condition)`. */
const loops = new Set(["all", "exists", "exists_one", "filter"])
/** Of CEL's functions those that a condition over one event needs; `map`, `join`, `bind` and more would unbind its cost. */
export const functions: ReadonlySet<string> = new Set([
  ...["contains", "startsWith", "endsWith", "matches", "lowerAscii", "upperAscii", "trim", "size"],
  ...["has", "all", "exists", "exists_one", "filter"],
  ...["timestamp", "duration", "int", "double", "string", "bool"],
  ...["getFullYear", "getMonth", "getDate", "getDayOfWeek", "getHours", "getMinutes", "getSeconds", "getMilliseconds"]
])

/** Any node seen as its operator and operands, for walks. */
export const operandsOf = (node: ASTNode): ReadonlyArray<ASTNode> => {
  const isNode = (value: unknown): value is ASTNode => typeof value === "object" && value !== null && "op" in value
  const flat = (value: unknown): ReadonlyArray<ASTNode> =>
    isNode(value) ? [value] : Array.isArray(value) ? value.flatMap(flat) : []
  return flat(node.args)
}

/** The variable that a path begins with: of `c.env[0].name` it is `c`. */
const rootOf = (node: ASTNode): string | undefined => {
  switch (node.op) {
    case "id":
      return node.args
    case ".":
    case "[]":
      return rootOf(node.args[0])
    case "rcall":
      return node.args[0] === "filter" ? rootOf(node.args[1]) : undefined
    default:
      return undefined
  }
}

/** @param scope the variables of the loops around the node, innermost last */
const checkNode = (node: ASTNode, scope: ReadonlyArray<string>): void => {
  if (node.op === "call" || node.op === "rcall") {
    const [name] = node.args
    if (!functions.has(name))
      throw new ExpressionProblem(
        node.op === "rcall" ? node.args[1].end : node.start,
        `no function '${name}' here${meant(name, functions, `; there are ${[...functions].join(", ")}`)}`
      )
  }
  if (node.op === "rcall" && loops.has(node.args[0])) {
    const [name, range, [variable, ...conditions]] = node.args
    const around = scope.at(-1)
    if (around !== undefined && rootOf(range) !== around)
      throw new ExpressionProblem(
        range.start,
        `a loop within a loop would cost too much: '${name}' can only go over what '${around}' holds here`
      )
    checkNode(range, scope)
    const inner = variable?.op === "id" ? [...scope, variable.args] : scope
    for (const condition of conditions) checkNode(condition, inner)
    return
  }
  for (const operand of operandsOf(node)) checkNode(operand, scope)
}

/** Throws `ExpressionProblem`. */
export const checkCost = (root: ASTNode): void => checkNode(root, [])

/** A literal with what it is compared with. */
const textsComparedWith = (node: ASTNode, field: string): ReadonlyArray<ASTNode> => {
  if (node.op !== "==" && node.op !== "!=" && node.op !== "in") return []
  const [left, right] = node.args
  const isField = (side: ASTNode): boolean => side.op === "id" && side.args === field
  const other = isField(left) ? right : isField(right) && node.op !== "in" ? left : undefined
  if (other === undefined) return []
  return (other.op === "list" ? other.args : [other]).filter((n) => n.op === "value" && typeof n.args === "string")
}

/**
 * Names of types, kinds and data fields that do not exist. `tags`: the types that the expression is limited to, where
 * it is. `data["name"]` and `type.startsWith("…")` are not looked at: they reach what only a newer version knows.
 */
export const checkNames = (root: ASTNode, tags: ReadonlySet<string> | undefined): void => {
  const fields = dataFields(tags)
  const walk = (node: ASTNode): void => {
    for (const literal of textsComparedWith(node, "type"))
      if (!knownTags.includes(literal.args as string))
        throw new ExpressionProblem(literal.start, unknownTypeText(literal.args as string))
    for (const literal of textsComparedWith(node, "kind"))
      if (!(actorKinds as ReadonlyArray<unknown>).includes(literal.args))
        throw new ExpressionProblem(
          literal.start,
          `no kind '${literal.args}'${meant(literal.args as string, actorKinds)} (${actorKinds.join(", ")})`
        )
    if (node.op === "." && node.args[0].op === "id" && node.args[0].args === "data" && !fields.has(node.args[1]))
      throw new ExpressionProblem(
        node.pos,
        `${tags === undefined ? "no event has a" : `${[...tags].join(" and ")}: no`} field '${node.args[1]}'${meant(node.args[1], fields, `; data["${node.args[1]}"] asks all the same`)}`
      )
    for (const operand of operandsOf(node)) walk(operand)
  }
  walk(root)
}
