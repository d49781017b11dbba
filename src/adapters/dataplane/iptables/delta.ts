/** What a change of some Services changes in the kernel's tables, when the tables are as they were left. */
import type { ServiceRules } from "../port.ts"
import { type Context, type Table, tables } from "./context.ts"
import { type Contribution, contributionOf, type SharedRule } from "./contribution.ts"
import type { ChainWrite, RuleEdit, TableChange } from "./plan.ts"

export interface RulesChange {
  readonly key: string
  readonly before: ServiceRules | undefined
  readonly after: ServiceRules | undefined
}

const nothing: Contribution = { chains: new Map(), shared: [] }

const isSame = (one: ReadonlyArray<string>, other: ReadonlyArray<string> | undefined): boolean =>
  other !== undefined && one.length === other.length && one.every((rule, at) => rule === other[at])

/** Rules of `these` that are not among `those`; each of those stands for one. */
const without = (these: ReadonlyArray<SharedRule>, those: ReadonlyArray<SharedRule>): ReadonlyArray<SharedRule> => {
  const left = those.map(({ table, chain, rule }) => `${table} ${chain} ${rule}`)
  return these.filter(({ table, chain, rule }) => {
    const at = left.indexOf(`${table} ${chain} ${rule}`)
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
}

/** A changed rule of a Service's is inserted before all others, and then the old one is deleted: none is ever missing. */
export const sharedEdits = (
  before: ReadonlyArray<SharedRule>,
  after: ReadonlyArray<SharedRule>,
  key?: string
): ReadonlyArray<RuleEdit & { readonly table: Table }> => {
  const edit = (op: "insert" | "delete") => (each: SharedRule) => ({
    ...each,
    op,
    ...(key === undefined ? {} : { key })
  })
  return [...without(after, before).map(edit("insert")), ...without(before, after).map(edit("delete"))]
}

export const deltaOf = (
  context: Context,
  changes: ReadonlyArray<RulesChange>,
  more: ReadonlyArray<RuleEdit & { readonly table: Table }> = []
): ReadonlyArray<TableChange> => {
  const writes = new Map<string, ChainWrite>()
  const removals = new Set<string>()
  const edits = [...more]
  for (const { key, before, after } of changes) {
    const old = before === undefined ? nothing : contributionOf(before, context)
    const now = after === undefined ? nothing : contributionOf(after, context)
    for (const [chain, rules] of now.chains) {
      if (!isSame(rules, old.chains.get(chain))) writes.set(chain, { chain, rules, key })
    }
    for (const chain of old.chains.keys()) if (!now.chains.has(chain)) removals.add(chain)
    edits.push(...sharedEdits(old.shared, now.shared, key))
  }
  // One Service may take what another gives up, also a chain's name: that of a port that was called otherwise.
  for (const chain of writes.keys()) removals.delete(chain)
  return tables.map((table) => ({
    table,
    writes: table === "nat" ? [...writes.values()] : [],
    edits: edits
      .filter((edit) => edit.table === table)
      .sort((a, b) => (a.op === b.op ? 0 : a.op === "delete" ? 1 : -1)),
    removals: table === "nat" ? [...removals] : []
  }))
}
