/** All chains and rules of one family as they should be. */
import { type Context, commentMatch, type Table } from "./context.ts"
import type { SharedRule } from "./contribution.ts"
import { fixedRules, lastRules } from "./fixed.ts"
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
