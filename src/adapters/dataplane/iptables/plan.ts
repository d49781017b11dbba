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

/** A chain leads to chains of lower levels alone: these are there before it, and it is gone before them. */
const levels: ReadonlyArray<readonly [string, number]> = [
  ["KUBE-MARK-MASQ", 0],
  ["KUBE-SEP-", 1],
  ["KUBE-SVC-", 2],
  ["KUBE-SVL-", 2],
  ["KUBE-EXT-", 3],
  ["KUBE-FW-", 4]
]
const highest = 5
const levelOf = (chain: string): number => levels.find(([prefix]) => chain.startsWith(prefix))?.[1] ?? highest

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

/** How much one input may hold. */
export interface InputLimits {
  readonly chains: number
  readonly edits: number
}

/**
 * One input where the limits allow it, several otherwise: at every moment between two of them nothing leads
 * to a chain that is not there, and what a packet meets is the old state of a Service's port or its new one.
 */
export const inputsOf = (change: TableChange, limits: InputLimits): ReadonlyArray<RestoreInput> => {
  if (isEmpty(change)) return []
  const named = change.writes.length + change.removals.length
  if (named <= limits.chains && change.edits.length <= limits.edits) {
    const input = new Input(change.table)
    input.writes(change.writes)
    input.edits(change.edits)
    input.removals(change.removals)
    return [input.done()]
  }
  const inputs: Array<RestoreInput> = []
  const add = (fill: (input: Input) => void): void => {
    const input = new Input(change.table)
    fill(input)
    inputs.push(input.done())
  }
  const upwards = change.writes.toSorted((a, b) => levelOf(a.chain) - levelOf(b.chain))
  for (const part of pieces(upwards, limits.chains)) add((input) => input.writes(part))
  for (const part of pieces(change.edits, limits.edits)) add((input) => input.edits(part))
  const downwards = change.removals.toSorted((a, b) => levelOf(b) - levelOf(a))
  for (const part of pieces(downwards, limits.chains)) add((input) => input.removals(part))
  return inputs
}
