/** Changes of chains as input of iptables-restore: each text is one table, and is done all or not at all. */
import type { Table } from "./context.ts"

/** A chain that is emptied or made, and filled. */
export interface ChainWrite {
  readonly chain: string
  readonly rules: ReadonlyArray<string>
  /** The Service's port that asked for it; none: no Service did. */
  readonly key?: string
  /** Where rules of several stand in one chain: whose each is. */
  readonly keys?: ReadonlyArray<string | undefined>
}

export interface RuleEdit {
  readonly chain: string
  readonly op: "insert" | "append" | "delete"
  readonly rule: string
  readonly key?: string
}

/** All that is to change in one table. */
export interface TableChange {
  readonly table: Table
  readonly writes: ReadonlyArray<ChainWrite>
  /** In chains that are there, or among `writes`; done after these. */
  readonly edits: ReadonlyArray<RuleEdit>
  /** Nothing refers to them any more once all else is done. */
  readonly removals: ReadonlyArray<string>
}

export interface RestoreInput {
  readonly table: Table
  readonly text: string
  /** The key that each line stands for, by its number from 1; sparse. */
  readonly keys: ReadonlyMap<number, string>
  /** Chains that are removed, by the number of the line. */
  readonly removals: ReadonlyMap<number, string>
  /** Nothing but whole chains is written: it may be done twice, and does not depend on what was there. */
  readonly isRepeatable: boolean
}

export const isEmpty = (change: TableChange): boolean =>
  change.writes.length === 0 && change.edits.length === 0 && change.removals.length === 0

/** Servers before those who choose among them, these before those who lead to them. */
const order = ["KUBE-SEP-", "KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-"]
const rank = (chain: string): number => order.findIndex((prefix) => chain.startsWith(prefix))

const operations = { insert: "-I", append: "-A", delete: "-D" } as const

class Input {
  readonly #lines: Array<string>
  readonly #keys = new Map<number, string>()
  readonly #removals = new Map<number, string>()
  readonly #table: Table
  #isRepeatable = true
  constructor(table: Table) {
    this.#table = table
    this.#lines = [`*${table}`]
  }
  #line(text: string, key?: string): void {
    this.#lines.push(text)
    if (key !== undefined) this.#keys.set(this.#lines.length, key)
  }
  writes(writes: ReadonlyArray<ChainWrite>): void {
    for (const { chain, key } of writes) this.#line(`:${chain} - [0:0]`, key)
    for (const { chain, rules, key, keys } of writes) {
      rules.forEach((rule, at) => {
        this.#line(`-A ${chain} ${rule}`, keys?.[at] ?? key)
      })
    }
  }
  edits(edits: ReadonlyArray<RuleEdit>): void {
    if (edits.length > 0) this.#isRepeatable = false
    for (const { chain, op, rule, key } of edits) this.#line(`${operations[op]} ${chain} ${rule}`, key)
  }
  removals(chains: ReadonlyArray<string>): void {
    for (const chain of chains) this.#line(`:${chain} - [0:0]`)
    for (const chain of chains) {
      this.#line(`-X ${chain}`)
      this.#removals.set(this.#lines.length, chain)
    }
  }
  done(): RestoreInput {
    return {
      table: this.#table,
      text: `${this.#lines.join("\n")}\nCOMMIT\n`,
      keys: this.#keys,
      removals: this.#removals,
      isRepeatable: this.#isRepeatable
    }
  }
}

const pieces = <A>(list: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> => {
  const parts: Array<ReadonlyArray<A>> = []
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size))
  return parts
}

/**
 * One input where at most `maxChains` chains are named, several otherwise: at every moment between two of them nothing leads
 * to a chain that is not there, and what a packet meets is the old state of a Service's port or its new one.
 */
export const inputsOf = (change: TableChange, maxChains: number): ReadonlyArray<RestoreInput> => {
  if (isEmpty(change)) return []
  const named = change.writes.length + change.removals.length
  if (named <= maxChains) {
    const input = new Input(change.table)
    input.writes(change.writes)
    input.edits(change.edits)
    input.removals(change.removals)
    return [input.done()]
  }
  const own = change.writes.filter(({ chain }) => rank(chain) !== -1)
  const shared = change.writes.filter(({ chain }) => rank(chain) === -1)
  const parts: Array<RestoreInput> = []
  const add = (fill: (input: Input) => void): void => {
    const input = new Input(change.table)
    fill(input)
    parts.push(input.done())
  }
  // Chains that all refer to have to be there before they are filled.
  const isFirst = ({ chain }: ChainWrite) => chain === "KUBE-MARK-MASQ"
  const first = shared.filter(isFirst)
  if (first.length > 0) add((input) => input.writes(first))
  const sorted = own.toSorted((a, b) => rank(a.chain) - rank(b.chain))
  for (const part of pieces(sorted, maxChains)) add((input) => input.writes(part))
  const rest = shared.filter((each) => !isFirst(each))
  if (rest.length > 0 || change.edits.length > 0) {
    add((input) => {
      input.writes(rest)
      input.edits(change.edits)
    })
  }
  const leaving = change.removals.toSorted((a, b) => rank(b) - rank(a))
  for (const part of pieces(leaving, maxChains)) add((input) => input.removals(part))
  return parts
}
