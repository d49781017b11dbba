/** What is in the kernel as far as it is ours, and what changes of Services mean for it. Pure: sends nothing. */
import type { IpFamily } from "../../../events/service-shape.ts"
import type { Change, Refusal } from "../port.ts"
import { type Bytes, serverBytes, split } from "./bytes.ts"
import { Delta } from "./delta.ts"
import { emitStatic, fronts, isShared, slotGroups } from "./elements.ts"
import { type Entry, entryOf, frontText, Unusable } from "./entry.ts"
import type { SetShape } from "./layout.ts"
import type { Elements } from "./ruleset.ts"

/** A plan is taken up by `commit` once the kernel has it, or forgotten. */
export interface Plan {
  readonly delta: Delta
  readonly entries: ReadonlyMap<string, Entry | undefined>
  readonly refused: ReadonlyArray<Refusal>
  /** Servers that clients may be remembered for and that take no more connections: where they were. */
  readonly forget: ReadonlyArray<Entry>
  readonly owners: ReadonlyMap<string, string | undefined>
  readonly shares: ReadonlyMap<string, number>
}

export interface PlanOptions {
  readonly former?: Model | undefined
  readonly found?: ReadonlyMap<IpFamily, Elements> | undefined
  readonly adopt?: (entry: Entry) => Entry
}

const ownerKey = (family: IpFamily, front: Bytes): string => (family === "IPv4" ? "4" : "6") + front
const shareKey = (family: IpFamily, set: SetShape, key: Bytes): string =>
  (family === "IPv4" ? "4" : "6") + String.fromCharCode(set.id) + key

export class Model {
  readonly #entries = new Map<string, Entry>()
  /** Whose address or node port it is. */
  readonly #owners = new Map<string, string>()
  /** How many entries have an element that may be several ones'. */
  readonly #shares = new Map<string, number>()
  readonly nodeAddresses: ReadonlyArray<string>

  constructor(nodeAddresses: ReadonlyArray<string>) {
    this.nodeAddresses = nodeAddresses
  }

  get size(): number {
    return this.#entries.size
  }

  entry(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** Whose an address or node port is. */
  owner(family: IpFamily, front: Bytes): Entry | undefined {
    const key = this.#owners.get(ownerKey(family, front))
    return key === undefined ? undefined : this.#entries.get(key)
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values()
  }

  /**
   * Each key stands once in `changes`. Of two that want one address, who has it keeps it; else the first gets it.
   *
   * @param former a model of the same from which entries are taken whose rules are the same
   * @param found what is there, where that is not what this model says; consumed
   * @param adopt an entry with its servers in another order
   */
  plan(changes: ReadonlyArray<Change>, { former, found, adopt = (entry) => entry }: PlanOptions = {}): Plan {
    const refused: Array<Refusal> = []
    const wanted = new Map<string, Entry | undefined>()
    for (const { key, rules } of changes) {
      const before = this.#entries.get(key)
      if (before !== undefined && before.rules === rules) continue
      const known = former?.entry(key)
      const entry =
        rules === undefined ? undefined : known?.rules === rules ? known : entryOf(rules, before, this.nodeAddresses)
      if (entry instanceof Unusable) refused.push({ key, message: entry.message })
      wanted.set(key, entry === undefined || entry instanceof Unusable ? undefined : adopt(entry))
    }
    return this.#planned(wanted, refused, found)
  }

  /** The same of entries that are known already. */
  planEntries(entries: Iterable<Entry>, found?: PlanOptions["found"]): Plan {
    return this.#planned(new Map(Array.from(entries, (entry) => [entry.key, entry])), [], found)
  }

  #planned(wanted: Map<string, Entry | undefined>, refused: Array<Refusal>, found: PlanOptions["found"]): Plan {
    const owners = new Map<string, string | undefined>()
    for (const key of wanted.keys()) {
      const before = this.#entries.get(key)
      if (before !== undefined)
        for (const front of fronts(before)) owners.set(ownerKey(before.family, front), undefined)
    }
    // Those that had an address before come first.
    const inOrder = [...wanted].sort(([a], [b]) => Number(this.#entries.has(b)) - Number(this.#entries.has(a)))
    for (const [key, entry] of inOrder) {
      if (entry === undefined) continue
      const holder = this.#claim(entry, owners)
      if (holder === undefined) continue
      refused.push({ key, message: holder })
      wanted.set(key, undefined)
    }
    return this.#difference(wanted, owners, refused, new Delta(found))
  }

  /** Takes all addresses of an entry; answers who has one of them, in a sentence. */
  #claim(entry: Entry, owners: Map<string, string | undefined>): string | undefined {
    const mine = fronts(entry)
    for (const front of mine) {
      const id = ownerKey(entry.family, front)
      const owner = owners.has(id) ? owners.get(id) : this.#owners.get(id)
      if (owner === undefined || owner === entry.key) continue
      const what =
        front === entry.nodePort
          ? `node port ${(front.charCodeAt(4) << 8) | front.charCodeAt(5)}`
          : frontText(front, entry.family)
      return `${what} belongs to ${owner}`
    }
    for (const front of mine) owners.set(ownerKey(entry.family, front), entry.key)
    return undefined
  }

  #difference(
    wanted: ReadonlyMap<string, Entry | undefined>,
    owners: ReadonlyMap<string, string | undefined>,
    refused: ReadonlyArray<Refusal>,
    delta: Delta
  ): Plan {
    const shares = new Map<string, number>()
    const touched = new Map<string, readonly [IpFamily, SetShape, Bytes]>()
    const forget: Array<Entry> = []
    const share = (family: IpFamily, set: SetShape, key: Bytes, by: number): void => {
      const id = shareKey(family, set, key)
      touched.set(id, [family, set, key])
      shares.set(id, (shares.get(id) ?? this.#shares.get(id) ?? 0) + by)
    }
    // What goes before what comes: an address may pass from one Service to another.
    for (const [key, after] of wanted) {
      const before = this.#entries.get(key)
      if (before === undefined) continue
      emitStatic(before, (set, at, value) =>
        isShared(set) ? share(before.family, set, at, -1) : delta.remove(before.family, set, at, value)
      )
      delta.slotsGone(before.family, slotGroups(before), after === undefined ? [] : slotGroups(after))
      if (before.affinity > 0 && losesServers(before, after)) forget.push(before)
    }
    for (const [key, after] of wanted) {
      if (after === undefined) continue
      const before = this.#entries.get(key)
      emitStatic(after, (set, at, value) =>
        isShared(set) ? share(after.family, set, at, 1) : delta.add(after.family, set, at, value)
      )
      delta.slots(after.family, before === undefined ? [] : slotGroups(before), slotGroups(after))
    }
    for (const [id, [family, set, key]] of touched) {
      const [was, is] = [(this.#shares.get(id) ?? 0) > 0, (shares.get(id) ?? 0) > 0]
      if (was && !is) delta.remove(family, set, key, "")
      else if (!was && is) delta.add(family, set, key, "")
    }
    return { delta, entries: wanted, refused, forget, owners, shares }
  }

  commit(plan: Plan): void {
    for (const [key, entry] of plan.entries) {
      if (entry === undefined) this.#entries.delete(key)
      else this.#entries.set(key, entry)
    }
    for (const [id, owner] of plan.owners) {
      if (owner === undefined) this.#owners.delete(id)
      else this.#owners.set(id, owner)
    }
    for (const [id, count] of plan.shares) {
      if (count <= 0) this.#shares.delete(id)
      else this.#shares.set(id, count)
    }
  }
}

/** Whether a client may be remembered for a server, or at an address, that is not there any more. */
const losesServers = (before: Entry, after: Entry | undefined): boolean =>
  after === undefined ||
  after.affinity === 0 ||
  isAnyGone(before.cluster, after.cluster, after.family) ||
  isAnyGone(before.local, after.local, after.family) ||
  fronts(before).some((front) => !fronts(after).includes(front))

const isAnyGone = (before: Bytes, after: Bytes, family: IpFamily): boolean => {
  if (before === after) return false
  const left = new Set(split(after, serverBytes(family)))
  return split(before, serverBytes(family)).some((server) => !left.has(server))
}
