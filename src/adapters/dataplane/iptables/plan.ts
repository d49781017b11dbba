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
}

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
      removals: this.#removals
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

/** Made one by one as they are taken: of very many Services they are some 20 MB of text. */
export type RestoreInputs = Iterable<RestoreInput>

/**
 * One input where the limits allow it, several otherwise: at every moment between two of them nothing leads
 * to a chain that is not there, and what a packet meets is the old state of a Service's port or its new one.
 */
export function* inputsOf(
  { table, writes, edits, removals }: TableChange,
  limits: InputLimits
): Generator<RestoreInput> {
  const made = (fill: (input: Input) => void): RestoreInput => {
    const input = new Input(table)
    fill(input)
    return input.done()
  }
  if (writes.length + edits.length + removals.length === 0) return
  if (writes.length + removals.length <= limits.chains && edits.length <= limits.edits) {
    yield made((input) => {
      input.writes(writes)
      input.edits(edits)
      input.removals(removals)
    })
    return
  }
  const upwards = writes.toSorted((a, b) => levelOf(a.chain) - levelOf(b.chain))
  for (const part of pieces(upwards, limits.chains)) yield made((input) => input.writes(part))
  for (const part of pieces(edits, limits.edits)) yield made((input) => input.edits(part))
  const downwards = removals.toSorted((a, b) => levelOf(b) - levelOf(a))
  for (const part of pieces(downwards, limits.chains)) yield made((input) => input.removals(part))
}

/** Of one table after the other. */
export function* inputsOfAll(changes: ReadonlyArray<TableChange>, limits: InputLimits): Generator<RestoreInput> {
  for (const change of changes) yield* inputsOf(change, limits)
}
