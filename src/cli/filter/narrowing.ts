/**
 * What can be told of the events that an expression matches without evaluating it: types, a pod, a span of time. A
 * journal's indexes and NATS's subjects select by these; the expression is then evaluated on what is left.
 */
import { type ASTNode, type Environment, serialize } from "@marcbachmann/cel-js"
import { operandsOf } from "./checks.ts"
import type { PodName } from "./pods.ts"
import { narrower, type Selection } from "./selection.ts"

/** The conditions that hold together: the operands of the outermost `&&`. */
const conjuncts = (node: ASTNode): ReadonlyArray<ASTNode> => (node.op === "&&" ? node.args.flatMap(conjuncts) : [node])

const isField = (node: ASTNode, name: string): boolean => node.op === "id" && node.args === name

const textOf = (node: ASTNode): string | undefined =>
  node.op === "value" && typeof node.args === "string" ? node.args : undefined

/** The texts that a field is limited to by this condition; undefined: it says nothing of the kind. */
const textsOf = (node: ASTNode, field: string): ReadonlyArray<string> | undefined => {
  if (node.op !== "==" && node.op !== "in") return undefined
  const [left, right] = node.args
  const other = isField(left, field) ? right : node.op === "==" && isField(right, field) ? left : undefined
  if (other === undefined) return undefined
  const nodes = node.op === "in" ? (other.op === "list" ? other.args : undefined) : [other]
  const texts = nodes?.map(textOf)
  return texts?.every((text) => text !== undefined) ? texts : undefined
}

/** No field of an event in it: its value is the same for all of them. */
const isConstant = (node: ASTNode): boolean =>
  node.op === "id" ? node.args === "now" : operandsOf(node).every(isConstant)

const mirrored = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==" } as const
type Comparison = keyof typeof mirrored
const isComparison = (op: string): op is Comparison => op in mirrored

const spanOf = (node: ASTNode, environment: Environment, now: Date): Selection => {
  if (!isComparison(node.op)) return {}
  const [left, right] = node.args as [ASTNode, ASTNode]
  const isMirrored = isField(right, "time")
  const constant = isField(left, "time") ? right : isMirrored ? left : undefined
  if (constant === undefined || !isConstant(constant)) return {}
  const op = isMirrored ? mirrored[node.op] : node.op
  const value: unknown = environment.evaluate(serialize(constant), { now })
  if (!(value instanceof Date)) return {}
  const at = value.getTime()
  return { ...(op.includes("<") ? {} : { since: at }), ...(op.includes(">") ? {} : { until: at }) }
}

const podNamed = (text: string): PodName | undefined => {
  const [namespace, name, ...rest] = text.split("/")
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined
}

/** True of every event that matches. @param root of an expression that was checked: its types are right */
export const narrowingOf = (root: ASTNode, environment: Environment, now: Date): Selection =>
  conjuncts(root)
    .map((node): Selection => {
      const types = textsOf(node, "type")
      if (types !== undefined) return { types: new Set(types) }
      const [pod, ...others] = textsOf(node, "pod") ?? []
      const named = pod === undefined || others.length > 0 ? undefined : podNamed(pod)
      return named === undefined ? spanOf(node, environment, now) : { pod: named }
    })
    .reduce(narrower, {})
