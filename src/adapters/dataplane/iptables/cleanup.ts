/** Takes away all chains of the layout, whoever made them, and the jumps to them. */
import type { IpFamily } from "../../../events/service-shape.ts"
import { type Table, tables } from "./context.ts"
import { guardRule } from "./fixed.ts"
import { chainNames, isPortChain } from "./names.ts"
import { normalOf, wordsOf } from "./normal-form.ts"
import { type InputLimits, inputsOfAll, type RestoreInputs, type RuleEdit, type TableChange } from "./plan.ts"
import type { SavedTable } from "./save.ts"

const shared: Readonly<Record<Table, ReadonlyArray<string>>> = {
  filter: [
    chainNames.services,
    chainNames.externalServices,
    chainNames.forward,
    chainNames.nodePorts,
    chainNames.proxyFirewall
  ],
  nat: [chainNames.services, chainNames.nodePorts, chainNames.postrouting, chainNames.markMasquerade]
}

/** kubelet's chain of this name has our rule alone (or nothing, once somebody flushed it), and another's has more: that one stays. */
const isOurGuard = (saved: SavedTable): boolean => {
  const rules = saved.chains.get(chainNames.firewall)
  return rules?.every((rule) => normalOf(rule).key === normalOf(guardRule).key) === true
}

const oursIn = (table: Table, saved: SavedTable): ReadonlyArray<string> => [
  ...shared[table].filter((chain) => saved.chains.has(chain)),
  ...(table === "filter" && isOurGuard(saved) ? [chainNames.firewall] : []),
  ...(table === "nat" ? [...saved.chains.keys()].filter(isPortChain) : [])
]

const goalOf = (rule: string): string | undefined => {
  const words = wordsOf(rule)
  const at = words.findIndex((word) => word === "-j" || word === "-g")
  return at === -1 ? undefined : words[at + 1]
}

/** Rules in others' chains that lead to ours go as well: a chain that something leads to cannot be removed. */
export const removalOf = (table: Table, saved: SavedTable): TableChange => {
  const removals = oursIn(table, saved)
  const ours = new Set(removals)
  const edits: Array<RuleEdit> = []
  for (const [chain, rules] of saved.chains) {
    if (ours.has(chain)) continue
    for (const rule of rules) if (ours.has(goalOf(rule) ?? "")) edits.push({ chain, op: "delete", rule })
  }
  return { table, writes: [], edits, removals }
}

/** `iptables nat: KUBE-SERVICES`; chains of Services' ports by their number, for there may be very many. */
const named = (family: IpFamily, { table, removals }: TableChange): ReadonlyArray<string> => {
  const program = family === "IPv4" ? "iptables" : "ip6tables"
  const ports = removals.filter(isPortChain).length
  return [
    ...removals.filter((chain) => !isPortChain(chain)).map((chain) => `${program} ${table}: ${chain}`),
    ...(ports === 0 ? [] : [`${program} ${table}: ${ports} chains of Services`])
  ]
}

export interface Cleaning {
  readonly inputs: RestoreInputs
  readonly names: ReadonlyArray<string>
}

export const cleaningOf = (
  family: IpFamily,
  saved: Readonly<Record<Table, SavedTable>>,
  limits: InputLimits
): Cleaning => {
  const changes = tables.map((table) => removalOf(table, saved[table]))
  return {
    inputs: inputsOfAll(changes, limits),
    names: changes.flatMap((change) => named(family, change))
  }
}
