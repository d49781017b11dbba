/** What is in the kernel against what is wanted. */
import { Effect } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { ServiceRules } from "../port.ts"
import { compareChain, compareShared, Drift, maxDeletions, wholeChain } from "./compare.ts"
import { type Context, type Table, tables } from "./context.ts"
import { contributionOf, type SharedRule, sharedRulesOf } from "./contribution.ts"
import { expectedTable, healthRules, type SharedChain } from "./expected.ts"
import { jumpRule, jumpsOf } from "./fixed.ts"
import { isPortChain } from "./names.ts"
import { normalOf } from "./normal-form.ts"
import type { ChainWrite, RuleEdit, TableChange } from "./plan.ts"
import type { SavedTable } from "./save.ts"

const nameOf = (family: IpFamily, table: Table, chain: string): string =>
  `${family === "IPv4" ? "iptables" : "ip6tables"} ${table} ${chain}`

/** What a change says of what was there, where nothing had to be read back. */
export const driftOf = (family: IpFamily, changes: ReadonlyArray<TableChange>): Drift => {
  const drift = new Drift()
  for (const { table, edits } of changes) {
    for (const chain of new Set(edits.map((edit) => edit.chain))) {
      const own = edits.filter((edit) => edit.chain === chain)
      const deleted = own.filter(({ op }) => op === "delete").length
      drift.count(nameOf(family, table, chain), own.length - deleted, deleted)
    }
  }
  return drift
}

/** All that should be in force for one family. */
export interface Wanted {
  readonly context: Context
  readonly rules: ReadonlyMap<string, ServiceRules>
  readonly healthCheckPorts: ReadonlyArray<number>
}

/** Chains that are compared at a stretch; then others get their turn. */
const chainsPerSlice = 128

/** Jumps from the kernel's own chains; what others have there stays where it is, behind ours. */
const missingJumps = (wanted: Wanted, table: Table, saved: SavedTable, drift: Drift): ReadonlyArray<RuleEdit> => {
  const edits: Array<RuleEdit> = []
  for (const jump of jumpsOf(wanted.context)) {
    if (jump.table !== table) continue
    const rule = jumpRule(jump)
    const { key } = normalOf(rule)
    const there = saved.chains.get(jump.from)?.some((each) => each.includes(jump.to) && normalOf(each).key === key)
    if (there === true) continue
    drift.count(nameOf(wanted.context.family, table, jump.from), 1, 0)
    edits.push({ chain: jump.from, op: "insert", rule })
  }
  return edits
}

/** Changes in which chains are written anew from which too much would be deleted one by one. */
export const withoutLongDeletions = (
  changes: ReadonlyArray<TableChange>,
  wanted: () => Wanted
): ReadonlyArray<TableChange> =>
  changes.map((change) => {
    const deletions = new Map<string, number>()
    for (const { chain, op } of change.edits) {
      if (op === "delete") deletions.set(chain, (deletions.get(chain) ?? 0) + 1)
    }
    const anew = new Set([...deletions].filter(([, count]) => count > maxDeletions).map(([chain]) => chain))
    if (anew.size === 0) return change
    const { context, rules, healthCheckPorts } = wanted()
    const shared: Array<SharedRule & { readonly key?: string }> = [...healthRules(context, healthCheckPorts)]
    for (const [key, each] of rules) for (const one of sharedRulesOf(each, context)) shared.push({ ...one, key })
    const expected = expectedTable(context, change.table, shared).shared
    return {
      ...change,
      writes: [...change.writes, ...[...anew].map((chain) => wholeChain(chain, expected.get(chain) as SharedChain))],
      edits: change.edits.filter(({ chain }) => !anew.has(chain))
    }
  })

/** `kept`: chains that cannot be removed, because others' rules lead to them. */
export const differences = (
  wanted: Wanted,
  saved: Readonly<Record<Table, SavedTable>>,
  kept: ReadonlySet<string>
): Effect.Effect<{ readonly changes: ReadonlyArray<TableChange>; readonly drift: Drift }> =>
  Effect.gen(function* () {
    const { context, rules, healthCheckPorts } = wanted
    const drift = new Drift()
    const shared: Array<SharedRule & { readonly key?: string }> = [...healthRules(context, healthCheckPorts)]
    const ownWrites: Array<ChainWrite> = []
    const own = new Set<string>()
    let slice = 0
    for (const [key, each] of rules) {
      const contribution = contributionOf(each, context)
      for (const one of contribution.shared) shared.push({ ...one, key })
      for (const [chain, lines] of contribution.chains) {
        own.add(chain)
        const name = nameOf(context.family, "nat", chain)
        const write = compareChain(name, { chain, rules: lines, key }, saved.nat.chains.get(chain), drift)
        if (write !== undefined) ownWrites.push(write)
        if (++slice % chainsPerSlice === 0) yield* Effect.yieldNow
      }
    }
    const changes: Array<TableChange> = []
    for (const table of tables) {
      const expected = expectedTable(context, table, shared)
      const chains = saved[table].chains
      const writes: Array<ChainWrite> = []
      const edits: Array<RuleEdit> = []
      for (const [chain, lines] of expected.fixed) {
        const name = nameOf(context.family, table, chain)
        const write = compareChain(name, { chain, rules: lines }, chains.get(chain), drift)
        if (write !== undefined) writes.push(write)
      }
      for (const [chain, list] of expected.shared) {
        const found = compareShared(nameOf(context.family, table, chain), chain, list, chains.get(chain), drift)
        if (found.write !== undefined) writes.push(found.write)
        for (const edit of found.edits) edits.push(edit)
        yield* Effect.yieldNow
      }
      edits.push(...missingJumps(wanted, table, saved[table], drift))
      const removals: Array<string> = []
      if (table === "nat") {
        // One by one: a call takes some 100,000 arguments at most.
        for (const write of ownWrites) writes.push(write)
        for (const chain of chains.keys()) {
          if (!isPortChain(chain) || own.has(chain)) continue
          if (kept.has(chain)) {
            if (chains.get(chain)?.length !== 0) writes.push({ chain, rules: [] })
            continue
          }
          drift.count(nameOf(context.family, table, chain), 0, 1)
          removals.push(chain)
        }
      }
      changes.push({ table, writes, edits, removals })
    }
    return { changes, drift }
  })
