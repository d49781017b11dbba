/** All chains and rules of one family as they should be. */
import type { ServiceRules } from "../port.ts"
import { type Context, commentMatch, type Table } from "./context.ts"
import { contributionOf, type SharedRule } from "./contribution.ts"
import { fixedRules, jumpsOf, lastRules } from "./fixed.ts"
import { chainNames } from "./names.ts"

export interface KeyedRule {
  readonly rule: string
  readonly key?: string
}

export interface SharedChain {
  /** In whatever order. */
  readonly rules: ReadonlyArray<KeyedRule>
  /** Behind all others. */
  readonly last: ReadonlyArray<string>
}

export interface ExpectedTable {
  readonly fixed: ReadonlyMap<string, ReadonlyArray<string>>
  readonly shared: ReadonlyMap<string, SharedChain>
}

/** Health checks of load balancers are answered by the agent, whatever else the machine's firewall says. */
export const healthRules = (context: Context, ports: ReadonlyArray<number>): ReadonlyArray<SharedRule> =>
  [...new Set(ports)].map((port) => ({
    table: "filter",
    chain: chainNames.nodePorts,
    rule: `${commentMatch(context, "health check node port")}-m tcp -p tcp --dport ${port} -j ACCEPT`
  }))

/** Rules of a chain that all share whose place is behind those of Services. */
export const lastOf = (context: Context, table: Table, chain: string): ReadonlyArray<string> =>
  table === "nat" && chain === chainNames.services ? lastRules(context) : []

/** `shared`: what Services and health checks add. */
export const expectedTable = (
  context: Context,
  table: Table,
  shared: Iterable<SharedRule & { readonly key?: string }>
): ExpectedTable => {
  const all = fixedRules(context)[table]
  const lists = new Map<string, Array<KeyedRule>>()
  const fixed = new Map<string, ReadonlyArray<string>>()
  for (const [chain, rules] of all) {
    if (rules.length === 0) lists.set(chain, [])
    else fixed.set(chain, rules)
  }
  for (const { table: of, chain, rule, key } of shared) {
    if (of === table) lists.get(chain)?.push(key === undefined ? { rule } : { rule, key })
  }
  return {
    fixed,
    shared: new Map([...lists].map(([chain, rules]) => [chain, { rules, last: lastOf(context, table, chain) }]))
  }
}

/** The whole of it as input of iptables-restore, for people and for tests; `rules` in the order in which they stand. */
export const wholeText = (
  context: Context,
  rules: Iterable<ServiceRules>,
  healthCheckPorts: ReadonlyArray<number>
): ReadonlyArray<string> => {
  const contributions = [...rules].map((each) => contributionOf(each, context))
  const shared = [...healthRules(context, healthCheckPorts), ...contributions.flatMap((each) => each.shared)]
  const lines: Array<string> = []
  for (const table of ["filter", "nat"] as const) {
    const expected = expectedTable(context, table, shared)
    const chains = new Map<string, ReadonlyArray<string>>(expected.fixed)
    for (const [chain, { rules: own, last }] of expected.shared) {
      chains.set(chain, [...own.map(({ rule }) => rule), ...last])
    }
    if (table === "nat")
      for (const each of contributions) for (const [chain, own] of each.chains) chains.set(chain, own)
    lines.push(`*${table}`, ...[...chains.keys()].map((chain) => `:${chain} - [0:0]`))
    for (const [chain, own] of chains) for (const rule of own) lines.push(`-A ${chain} ${rule}`)
    for (const { table: of, from, to, match } of jumpsOf(context)) {
      if (of === table) lines.push(`-I ${from} ${match === "" ? "" : `${match} `}-j ${to}`)
    }
    lines.push("COMMIT")
  }
  return lines
}
