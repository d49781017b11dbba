/** How many rules are in the chains of ours, kept by what is read and written (kube-proxy's metrics tell it). */
import type { RuleCount } from "../port.ts"
import { type Table, tables } from "./context.ts"
import type { TableChange } from "./plan.ts"
import type { SavedTable } from "./save.ts"

const isOurs = (chain: string): boolean => chain.startsWith("KUBE-")

class TableCounts {
  /** Rules by chain. */
  private readonly chains = new Map<string, number>()
  private total = 0
  private last = 0

  private set(chain: string, rules: number): void {
    this.total += rules - (this.chains.get(chain) ?? 0)
    if (rules === 0) this.chains.delete(chain)
    else this.chains.set(chain, rules)
  }

  read({ chains }: SavedTable): void {
    this.chains.clear()
    this.total = 0
    for (const [chain, rules] of chains) if (isOurs(chain)) this.set(chain, rules.length)
  }

  written(change: TableChange | undefined): void {
    this.last = 0
    for (const { chain, rules } of change?.writes ?? []) {
      this.last += rules.length
      if (isOurs(chain)) this.set(chain, rules.length)
    }
    for (const { chain, op } of change?.edits ?? []) {
      if (op !== "delete") this.last += 1
      if (isOurs(chain)) this.set(chain, Math.max((this.chains.get(chain) ?? 0) + (op === "delete" ? -1 : 1), 0))
    }
    for (const chain of change?.removals ?? []) this.set(chain, 0)
  }

  counts(): { readonly total: number; readonly last: number } {
    return { total: this.total, last: this.last }
  }
}

export class RuleCounts {
  private readonly byTable: Readonly<Record<Table, TableCounts>> = { filter: new TableCounts(), nat: new TableCounts() }

  /** What the kernel has. */
  read(saved: Readonly<Record<Table, SavedTable>>): void {
    for (const table of tables) this.byTable[table].read(saved[table])
  }

  /** What it took. */
  written(changes: ReadonlyArray<TableChange>): void {
    for (const table of tables) this.byTable[table].written(changes.find((change) => change.table === table))
  }

  list(family: RuleCount["family"]): ReadonlyArray<RuleCount> {
    return tables.map((table) => ({ family, table, ...this.byTable[table].counts() }))
  }
}
