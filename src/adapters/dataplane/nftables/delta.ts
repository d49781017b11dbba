/** The difference between what is in the kernel and what is wanted, gathered element by element and combined by key. */
import type { IpFamily } from "../../../events/service-shape.ts"
import { type Bytes, serverBytes } from "./bytes.ts"
import { emitSlots, type SlotGroup, slotKey, slotValue, type Value } from "./elements.ts"
import { isSlots, type SetShape, shapeNamed } from "./layout.ts"
import type { Elements } from "./ruleset.ts"

export interface Operation {
  readonly family: IpFamily
  readonly set: SetShape
  readonly key: Bytes
  /** What is there now; undefined: nothing. */
  before: Value | undefined
  /** What is to be there; undefined: nothing. */
  after: Value | undefined
}

const groupId = ({ set, prefix }: SlotGroup): string => String.fromCharCode(set.id) + prefix

export class Delta {
  /** What was found of sets; taken out as it turns out to be wanted. Absent: nothing is known to be there but what `remove` says. */
  readonly #found: ReadonlyMap<IpFamily, Elements> | undefined
  /** Values of maps of verdicts that are wanted, whether or not they are there. */
  readonly #verdicts: Readonly<Record<IpFamily, Set<Value>>> = { IPv4: new Set(), IPv6: new Set() }

  constructor(found?: ReadonlyMap<IpFamily, Elements>) {
    this.#found = found
  }

  readonly #operations: Readonly<Record<IpFamily, Map<string, Operation>>> = { IPv4: new Map(), IPv6: new Map() }

  /** What is known of one element. */
  at(family: IpFamily, set: SetShape, key: Bytes): Operation | undefined {
    return this.#operations[family].get(String.fromCharCode(set.id) + key)
  }

  #put(operation: Operation): void {
    this.#operations[operation.family].set(String.fromCharCode(operation.set.id) + operation.key, operation)
  }

  remove(family: IpFamily, set: SetShape, key: Bytes, value: Value): void {
    const known = this.at(family, set, key)
    if (known === undefined) this.#put({ family, set, key, before: value, after: undefined })
    else known.after = undefined
  }

  add(family: IpFamily, set: SetShape, key: Bytes, value: Value): void {
    if (set.value === "verdict") this.#verdicts[family].add(value)
    const known = this.at(family, set, key)
    if (known !== undefined) {
      known.after = value
      return
    }
    const there = this.#found?.get(family)?.get(set.name)
    const before = there?.get(key)
    if (before !== undefined) there?.delete(key)
    if (before !== value) this.#put({ family, set, key, before, after: value })
  }

  /** What was found and is not wanted goes, too. */
  *removeRest(): Generator<Operation> {
    for (const [family, elements] of this.#found ?? []) {
      for (const [name, there] of elements) {
        const set = shapeNamed.get(name)
        if (set === undefined || set.isDynamic) continue
        for (const [key, before] of there) {
          const operation: Operation = { family, set, key, before, after: undefined }
          this.#put(operation)
          yield operation
        }
      }
    }
  }

  /** Verdicts that are wanted, whether or not they are there. */
  verdicts(family: IpFamily): ReadonlySet<Value> {
    return this.#verdicts[family]
  }

  /** Slots of addresses that are in `before` and not in `after`. To be called for all before `slots`. */
  slotsGone(family: IpFamily, before: ReadonlyArray<SlotGroup>, after: ReadonlyArray<SlotGroup>): void {
    const kept = new Set(after.map(groupId))
    for (const group of before) {
      if (kept.has(groupId(group))) continue
      emitSlots(group, serverBytes(family), (set, key, value) => this.remove(family, set, key, value))
    }
  }

  /** Slots of the same addresses are compared one by one, new ones are added. */
  slots(family: IpFamily, before: ReadonlyArray<SlotGroup>, after: ReadonlyArray<SlotGroup>): void {
    const width = serverBytes(family)
    const had = new Map(before.map((group) => [groupId(group), group]))
    for (const group of after) {
      const old = had.get(groupId(group))
      if (old === undefined) emitSlots(group, width, (set, key, value) => this.add(family, set, key, value))
      else if (old.servers !== group.servers) this.#compare(family, old, group, width)
    }
  }

  #compare(family: IpFamily, { set, prefix, servers: old }: SlotGroup, group: SlotGroup, width: number): void {
    const { servers } = group
    const longest = Math.max(old.length, servers.length)
    for (let at = 0, index = 0; at < longest; at += width, index++) {
      const [was, is] = [old.slice(at, at + width), servers.slice(at, at + width)]
      if (was === is) continue
      const key = slotKey(prefix, index)
      if (was !== "") this.remove(family, set, key, slotValue(old, at, width))
      if (is !== "") this.add(family, set, key, slotValue(servers, at, width))
    }
  }

  /** What is really different. */
  *operations(): Generator<Operation> {
    for (const map of Object.values(this.#operations)) {
      for (const operation of map.values()) if (operation.before !== operation.after) yield operation
    }
  }

  /**
   * In two steps, because a packet may be on its way between a Service's entry and its slots: slots that nothing leads to
   * any more go after the rest.
   */
  steps(): { readonly first: ReadonlyArray<Operation>; readonly then: ReadonlyArray<Operation> } {
    const first: Array<Operation> = []
    const then: Array<Operation> = []
    for (const one of this.operations()) (one.after === undefined && isSlots(one.set) ? then : first).push(one)
    return { first, then }
  }
}
