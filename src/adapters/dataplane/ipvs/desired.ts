/**
 * All that should be in the kernel: planned virtual servers by key, and how many of them need each address and entry. Two
 * rules may ask for one virtual server (two Services with one external IP): the first has it until it lets go.
 */
import type { Entry, PlannedServer } from "./plan.ts"

export interface Counted<A> {
  readonly value: A
  count: number
}

/** What came and what went by a change of the table. */
export interface Delta {
  /** Keys of virtual servers whose plan is another now, or gone. */
  readonly servers: ReadonlySet<string>
  readonly entries: { readonly added: ReadonlyArray<Entry>; readonly removed: ReadonlyArray<Entry> }
  readonly addresses: { readonly added: ReadonlyArray<string>; readonly removed: ReadonlyArray<string> }
}

/** `services 10.96.0.1 . tcp . 80` */
export const entryId = (entry: Entry): string =>
  `${entry.set} ${entry.key}${entry.value === undefined ? "" : ` : ${entry.value}`}`

/** Counts up and down, and knows what began or ceased to be there between two looks. */
class Counts<A> {
  readonly #counts = new Map<string, Counted<A>>()
  #before = new Map<string, { readonly value: A; readonly was: boolean }>()

  #touch(key: string, value: A): void {
    if (!this.#before.has(key)) this.#before.set(key, { value, was: this.#counts.has(key) })
  }

  add(key: string, value: A): void {
    this.#touch(key, value)
    const there = this.#counts.get(key)
    if (there === undefined) this.#counts.set(key, { value, count: 1 })
    else there.count += 1
  }

  remove(key: string, value: A): void {
    this.#touch(key, value)
    const there = this.#counts.get(key)
    if (there === undefined) return
    there.count -= 1
    if (there.count === 0) this.#counts.delete(key)
  }

  takeDelta(): { readonly added: ReadonlyArray<A>; readonly removed: ReadonlyArray<A> } {
    const added: Array<A> = []
    const removed: Array<A> = []
    for (const [key, { value, was }] of this.#before) {
      const is = this.#counts.has(key)
      if (is && !was) added.push(value)
      else if (was && !is) removed.push(value)
    }
    this.#before = new Map()
    return { added, removed }
  }

  get all(): ReadonlyMap<string, { readonly value: A }> {
    return this.#counts
  }
}

export class DesiredTable {
  readonly #byRules = new Map<string, ReadonlyArray<PlannedServer>>()
  /** The first of them is in force. */
  readonly #claims = new Map<string, ReadonlyArray<PlannedServer>>()
  readonly #entries = new Counts<Entry>()
  readonly #addresses = new Counts<string>()
  #touched = new Set<string>()

  /** What is in force under a key. */
  server(key: string): PlannedServer | undefined {
    return this.#claims.get(key)?.[0]
  }

  *servers(): Iterable<PlannedServer> {
    for (const [first] of this.#claims.values()) if (first !== undefined) yield first
  }

  get addresses(): ReadonlyMap<string, { readonly value: string }> {
    return this.#addresses.all
  }

  /** By `entryId`. */
  get entries(): ReadonlyMap<string, { readonly value: Entry }> {
    return this.#entries.all
  }

  /** Of rules that did not get a virtual server: who has it. */
  *lostClaims(keys?: Iterable<string>): Iterable<{ readonly server: PlannedServer; readonly holder: string }> {
    for (const key of keys ?? this.#claims.keys()) {
      const [first, ...others] = this.#claims.get(key) ?? []
      for (const server of others) yield { server, holder: first!.rules }
    }
  }

  #count(server: PlannedServer | undefined, by: "add" | "remove"): void {
    if (server === undefined) return
    for (const entry of server.entries) this.#entries[by](entryId(entry), entry)
    if (server.binds) this.#addresses[by](server.address, server.address)
  }

  #setClaims(key: string, change: (claims: ReadonlyArray<PlannedServer>) => ReadonlyArray<PlannedServer>): void {
    const before = this.#claims.get(key) ?? []
    const after = change(before)
    if (before[0] !== after[0]) {
      this.#touched.add(key)
      this.#count(after[0], "add")
      this.#count(before[0], "remove")
    }
    if (after.length === 0) this.#claims.delete(key)
    else this.#claims.set(key, after)
  }

  /** Puts the plan of some rules in the place of the one before; undefined: they go. */
  set(rules: string, plan: ReadonlyArray<PlannedServer> | undefined): void {
    const before = this.#byRules.get(rules) ?? []
    const kept = new Set(plan?.map(({ key }) => key))
    for (const { key } of before) {
      if (!kept.has(key)) this.#setClaims(key, (claims) => claims.filter((claim) => claim.rules !== rules))
    }
    for (const server of plan ?? []) {
      this.#setClaims(server.key, (claims) =>
        claims.some((claim) => claim.rules === rules)
          ? claims.map((claim) => (claim.rules === rules ? server : claim))
          : [...claims, server]
      )
    }
    if (plan === undefined) this.#byRules.delete(rules)
    else this.#byRules.set(rules, plan)
  }

  /** What changed since this was asked before. */
  takeDelta(): Delta {
    const servers = this.#touched
    this.#touched = new Set()
    return { servers, entries: this.#entries.takeDelta(), addresses: this.#addresses.takeDelta() }
  }
}
