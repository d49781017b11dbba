/** Elements and chains as steps of one netlink transaction. */
import type { IpFamily } from "../../../events/service-shape.ts"
import type { TableOperation } from "../../netlink/nftables.ts"
import type { NewElement, Verdict } from "../../netlink/nftables-elements.ts"
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

const verdictOf = (value: Value): Verdict =>
  value.startsWith("goto ") ? { verdict: "goto", chain: value.slice("goto ".length) } : { verdict: "drop" }

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
    { family: IpFamily; set: SetShape; gone: Array<NewElement>; come: Array<NewElement> }
  >()
  const verdicts = new Map<Value, Verdict>()
  const data = (set: SetShape, value: Value): Pick<NewElement, "data"> => {
    if (set.value === "none") return {}
    if (set.value === "server") return { data: value }
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
    if (before !== undefined) group.gone.push({ key })
    if (after !== undefined) group.come.push({ key, ...data(set, after) })
  }
  return [...groups.values()].flatMap(({ family, set, gone, come }): ReadonlyArray<TableOperation> => {
    const place = { family: nftFamily(family), table, set: set.name }
    return [
      ...(gone.length === 0 ? [] : [{ ...place, op: "delete" as const, elements: gone }]),
      ...(come.length === 0 ? [] : [{ ...place, op: "add" as const, elements: come }])
    ]
  })
}
