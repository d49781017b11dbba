/** Elements and chains as steps of one netlink transaction, and elements as netlink tells them. */
import { Buffer } from "node:buffer"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { TableOperation } from "../../netlink/nftables.ts"
import type { SetElement, Verdict } from "../../netlink/nftables-elements.ts"
import type { Bytes } from "./bytes.ts"
import { choiceRules } from "./choice.ts"
import type { Operation } from "./delta.ts"
import type { Value } from "./elements.ts"
import { nftFamily, type SetShape } from "./layout.ts"
import type { Choice } from "./skeleton.ts"

/** A chain whose rules choose a server. */
export interface ChoiceChain {
  readonly family: IpFamily
  readonly name: string
  readonly choice: Choice
}

const bytesOf = (bytes: Bytes): Uint8Array => Buffer.from(bytes, "latin1")
const stringOf = (bytes: Uint8Array): Bytes =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")

const verdictOf = (value: Value): Verdict =>
  value.startsWith("goto ") ? { verdict: "goto", chain: value.slice("goto ".length) } : { verdict: "drop" }

const verdictText = (verdict: Verdict): Value =>
  "chain" in verdict ? `${verdict.verdict} ${verdict.chain}` : verdict.verdict

/** A chain with exactly its rules, whether it is there or not. */
export const chainSteps = (table: string, { family, name, choice }: ChoiceChain): ReadonlyArray<TableOperation> => {
  const place = { family: nftFamily(family), table, chain: name }
  return [
    { ...place, op: "addChain" },
    { ...place, op: "flushChain" },
    ...choiceRules(choice, family).map((expressions) => ({ ...place, op: "addRule" as const, expressions }))
  ]
}

/** Elements set by set, what goes before what comes. */
export const elementSteps = (table: string, operations: Iterable<Operation>): ReadonlyArray<TableOperation> => {
  const groups = new Map<
    string,
    { family: IpFamily; set: SetShape; gone: Array<SetElement>; come: Array<SetElement> }
  >()
  const verdicts = new Map<Value, Verdict>()
  const data = (set: SetShape, value: Value): Pick<SetElement, "data"> => {
    if (set.value === "none") return {}
    if (set.value === "server") return { data: bytesOf(value) }
    const known = verdicts.get(value) ?? verdictOf(value)
    verdicts.set(value, known)
    return { data: known }
  }
  for (const { family, set, key, before, after } of operations) {
    const id = `${family}${set.id}`
    let group = groups.get(id)
    if (group === undefined) {
      group = { family, set, gone: [], come: [] }
      groups.set(id, group)
    }
    if (before !== undefined) group.gone.push({ key: bytesOf(key) })
    if (after !== undefined) group.come.push({ key: bytesOf(key), ...data(set, after) })
  }
  return [...groups.values()].flatMap(({ family, set, gone, come }): ReadonlyArray<TableOperation> => {
    const place = { family: nftFamily(family), table, set: set.name }
    return [
      ...(gone.length === 0 ? [] : [{ ...place, op: "delete" as const, elements: gone }]),
      ...(come.length === 0 ? [] : [{ ...place, op: "add" as const, elements: come }])
    ]
  })
}

/** Elements as they were found. */
export const foundElements = (elements: ReadonlyArray<SetElement>): Map<Bytes, Value> => {
  const found = new Map<Bytes, Value>()
  for (const { key, data } of elements) {
    const value = data === undefined ? "" : data instanceof Uint8Array ? stringOf(data) : verdictText(data)
    found.set(stringOf(key), value)
  }
  return found
}
