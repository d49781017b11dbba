/**
 * Who may do what on a node without an API server: rules in the words of RBAC. Whoever is in the group system:masters may do
 * everything, as in an API server; everybody else what the rules of the file grant. Pure.
 */
import { parseDocument } from "yaml"
import type { User } from "./port.ts"

/** Everything on every node (`apiserver/pkg/authorization/authorizerfactory`, privileged groups). */
export const mastersGroup = "system:masters"

export interface PolicyRule {
  readonly users: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  /** `get`, `create`, `update`, `patch`, `delete`, or `*`. */
  readonly verbs: ReadonlyArray<string>
  /** `nodes/metrics`, `nodes/*`. */
  readonly resources: ReadonlyArray<string>
}

export interface Asked {
  readonly verb: string
  readonly subresource: string
}

const includes = (list: ReadonlyArray<string>, wanted: string): boolean => list.includes("*") || list.includes(wanted)

export const isGranted = (rules: ReadonlyArray<PolicyRule>, user: User, { verb, subresource }: Asked): boolean =>
  user.groups.includes(mastersGroup) ||
  rules.some(
    (rule) =>
      (rule.users.includes(user.name) || rule.groups.some((group) => user.groups.includes(group))) &&
      includes(rule.verbs, verb) &&
      (rule.resources.includes("nodes/*") || rule.resources.includes(`nodes/${subresource}`))
  )

const verbs = new Set(["get", "create", "update", "patch", "delete", "*"])
const resourcePattern = /^nodes\/(?:\*|[a-z]+)$/u
const fields = ["users", "groups", "verbs", "resources"] as const

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const ruleOf = (value: unknown, at: string): PolicyRule => {
  if (!isMap(value)) throw new Error(`${at} is no map`)
  for (const name of Object.keys(value))
    if (!(fields as ReadonlyArray<string>).includes(name)) throw new Error(`${at}.${name} is unknown`)
  const rule = { users: [], groups: [], verbs: [], resources: [] } as Record<(typeof fields)[number], Array<string>>
  for (const name of fields) {
    const list = value[name] ?? []
    if (!Array.isArray(list) || list.some((entry) => typeof entry !== "string" || entry === ""))
      throw new Error(`${at}.${name} is no list of names`)
    rule[name] = list as Array<string>
  }
  const wrongVerb = rule.verbs.find((verb) => !verbs.has(verb))
  if (wrongVerb !== undefined) throw new Error(`${at}.verbs: '${wrongVerb}' is none of ${[...verbs].join(", ")}`)
  const wrongResource = rule.resources.find((resource) => !resourcePattern.test(resource))
  if (wrongResource !== undefined)
    throw new Error(`${at}.resources: '${wrongResource}' is no subresource of a node; write nodes/metrics or nodes/*`)
  return rule
}

/** A NodeApiPolicy (chronode.dev/v1alpha1), YAML or JSON. @throws Error that names the field */
export const parsePolicy = (text: string): ReadonlyArray<PolicyRule> => {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined) throw new Error(error.message)
  const value: unknown = document.toJS({ maxAliasCount: 0 })
  if (!isMap(value)) throw new Error("is no map")
  if (value.apiVersion !== "chronode.dev/v1alpha1" || value.kind !== "NodeApiPolicy")
    throw new Error("is no NodeApiPolicy of chronode.dev/v1alpha1")
  if (!Array.isArray(value.rules)) throw new Error("rules is no list")
  return value.rules.map((rule, i) => ruleOf(rule, `rules.${i}`))
}
