/** A table as it was found, in a form in which equal rules are equal. */
import { Buffer } from "node:buffer"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { Connection } from "../../netlink/connection.ts"
import { type SetShape as FoundSet, listHookedChains, listRules, listSets, listTables } from "../../netlink/nftables.ts"
import { addressBytes, type Bytes, targetBytes } from "./bytes.ts"
import type { Value } from "./elements.ts"
import { nftFamily, type SetShape } from "./layout.ts"

export type Elements = Map<string, Map<Bytes, Value>>

export interface ChainFound {
  /** `type nat hook prerouting priority -100`; undefined: no base chain. */
  readonly hook: string | undefined
  /** The kernel's expressions of each rule. */
  readonly rules: ReadonlyArray<Bytes>
}

export interface TableFound {
  readonly chains: ReadonlyMap<string, ChainFound>
  /** Lengths of keys and values by the name of the set, as `expectedType` writes them. */
  readonly sets: ReadonlyMap<string, string>
}

/** NF_INET_* */
const hookNames = ["prerouting", "input", "forward", "output", "postrouting"] as const

const typeText = ({ keyLength, data }: Pick<FoundSet, "keyLength" | "data">): string =>
  data === undefined ? `${keyLength}` : `${keyLength}:${data}`

/** Undefined: there is no such table. */
export const readTable = (connection: Connection, family: IpFamily, name: string): TableFound | undefined => {
  const table = { family: nftFamily(family), table: name }
  if (!listTables(connection, table.family).some((one) => one.table === name)) return undefined
  const chains = new Map<string, { hook: string | undefined; rules: Array<Bytes> }>()
  for (const { chain, hook } of listHookedChains(connection, table)) {
    const text = hook && `type ${hook.type} hook ${hookNames[hook.number]} priority ${hook.priority}`
    chains.set(chain, { hook: text, rules: [] })
  }
  for (const { chain, expressions } of listRules(connection, table)) {
    chains.get(chain)?.rules.push(Buffer.from(expressions).toString("latin1"))
  }
  return { chains, sets: new Map(listSets(connection, table).map((set) => [set.set, typeText(set)])) }
}

/** What a set must be. */
export const expectedType = (set: SetShape, family: IpFamily): string => {
  const isSingle = set.key.length === 1
  const keyLength = set.key.reduce((sum, part) => {
    if (part === "address" || part === "source") return sum + addressBytes(family)
    return sum + (isSingle ? 2 : 4)
  }, 0)
  if (set.value === "none") return typeText({ keyLength })
  return typeText({ keyLength, data: set.value === "verdict" ? "verdict" : targetBytes(family) })
}
