/**
 * Tables, chains, sets and elements of nf_tables (include/uapi/linux/netfilter/nf_tables.h). Changes are transactions: one
 * send, all or nothing. Rules are made by the nft program; here they are only listed.
 */
import { Duration, Effect } from "effect"
import { ask, type Connection, dump, interrupted, maxDumpAttempts } from "./connection.ts"
import { dumpInParts } from "./effects.ts"
import { ENOENT } from "./errno.ts"
import { malformed, NetlinkError } from "./error.ts"
import { type NfFamily, nfFamilies, nfHeaderBytes, nfType, sendBatch, subsystems } from "./nfnetlink.ts"
import { readElements, readElementTexts, type SetElement } from "./nftables-elements.ts"
import {
  chainAttributes,
  listAttributes,
  message,
  nameOf,
  nftMessages,
  requestsOf,
  ruleAttributes,
  type SetName,
  type StepMessage,
  type Table,
  type TableOperation,
  tableName
} from "./nftables-messages.ts"
import { Attributes, forEachMessage, keptMessage, type Message } from "./reader.ts"
import { attributeHeaderBytes, Writer } from "./writer.ts"

export type { SetName, Table, TableOperation } from "./nftables-messages.ts"

const setAttributes = { table: 1, name: 2, flags: 3, keyLength: 5, dataType: 6, dataLength: 7, timeout: 11 } as const
/** NFTA_GEN_ID */
const generationId = 1
/** NFT_DATA_VERDICT, as the type of a map's data. */
const verdictType = 0xffffff00

/**
 * Does all of it or nothing. The error's `index` is the first step that was refused, and `element` its element; with the reasons `Overrun`, `Timeout` and
 * `Malformed` it is not known whether it was done (`isNothingDone`). `generation`: only if the rule set is of that generation
 * still, otherwise `Busy`. Throws NetlinkError; `TooLarge` where it is more than the kernel takes at once, and nothing was sent.
 */
export const transaction = (
  connection: Connection,
  operations: ReadonlyArray<TableOperation>,
  options: { readonly generation?: number } = {}
): void => {
  const requests: Array<StepMessage> = []
  const origins: Array<Origin> = []
  operations.forEach((operation, index) => {
    let before = 0
    for (const request of requestsOf(operation)) {
      requests.push(request)
      origins.push({ index, before })
      before += request.elements ?? 0
    }
  })
  const name = operations.length === 1 ? nameOf(operations[0]!) : `change nf_tables in ${operations.length} steps`
  try {
    sendBatch(connection, name, requests, options)
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.index === undefined) throw error
    throw stepError(error, operations, origins[error.index]!, requests[error.index]!)
  }
}

/** Which step a message belongs to, and how many of its elements stand in messages before. */
interface Origin {
  readonly index: number
  readonly before: number
}

/** The error of a message as that of its step. */
const stepError = (
  error: NetlinkError,
  operations: ReadonlyArray<TableOperation>,
  { index, before }: Origin,
  request: StepMessage
): NetlinkError => {
  const step = operations.length === 1 ? "" : `: ${nameOf(operations[index]!)}`
  const { reason, operation, errno, errnoName, offset } = error
  const position = offset === undefined ? undefined : elementAt(request, offset)
  return new NetlinkError({
    reason,
    operation: `${operation}${step}`,
    message: error.message.replace(`cannot ${operation}`, () => `cannot ${operation}${step}`),
    ...(errno === undefined ? {} : { errno }),
    ...(errnoName === undefined ? {} : { errnoName }),
    ...(offset === undefined ? {} : { offset }),
    ...(position === undefined ? {} : { element: before + position }),
    index
  })
}

/** Which element of a message stands so many bytes from its beginning. */
const elementAt = (request: StepMessage, offset: number): number | undefined => {
  if (request.elements === undefined) return undefined
  const writer = new Writer()
  const at = writer.beginMessage(request.type, 0, 0)
  request.write(writer)
  writer.endMessage(at)
  let found: number | undefined
  forEachMessage(writer.written, (message) => {
    const each = Attributes.of(message, nfHeaderBytes)
    while (each.next()) {
      if (each.type !== listAttributes.elements) continue
      const list = each.nested()
      for (let position = 0; list.next(); position++) {
        if (offset >= list.start - attributeHeaderBytes && offset < list.start + list.length) found = position
      }
    }
  })
  return found
}

const isMessage = (found: Message, command: number): boolean => found.type === nfType(subsystems.nftables, command)

/** The number of the rule set, which each transaction of anybody raises by one. */
export const generation = (connection: Connection): number => {
  const [found] = ask(
    connection,
    "get the generation of nf_tables",
    message(nftMessages.getGeneration, "unspec", 0),
    (answer) => {
      const each = Attributes.of(answer, nfHeaderBytes)
      while (each.next()) if (each.type === generationId) return each.u32BE
      return undefined
    }
  )
  if (found === undefined) throw malformed("the kernel tells no generation of nf_tables")
  return found
}

const familyName = (found: Message): NfFamily => {
  const number = found.bytes[found.start]
  const name = (Object.keys(nfFamilies) as Array<NfFamily>).find((each) => nfFamilies[each] === number)
  return name ?? "unspec"
}

/** All tables of a family, or of all (`unspec`). */
export const listTables = (connection: Connection, family: NfFamily = "unspec"): ReadonlyArray<Table> =>
  dump(connection, "list tables", message(nftMessages.getTable, family, 0), (found) => {
    const each = Attributes.of(found, nfHeaderBytes)
    while (each.next()) if (each.type === tableName) return { family: familyName(found), table: each.text }
    return undefined
  })

export interface FoundChain {
  readonly chain: string
  /** Of a base chain: `nat`, the number of the hook (NF_INET_*: 0 prerouting … 4 postrouting) and its priority. */
  readonly hook?: { readonly type: string; readonly number: number; readonly priority: number }
}

/** NFTA_HOOK_* */
const hookAttributes = { number: 1, priority: 2 } as const

/** Chains of a table with their hooks; none where there is no such table. */
export const listHookedChains = (connection: Connection, { family, table }: Table): ReadonlyArray<FoundChain> =>
  dump(connection, `list chains of ${table}`, message(nftMessages.getChain, family, 0), (found) => {
    const each = Attributes.of(found, nfHeaderBytes)
    let isOurs = false
    let chain: string | undefined
    let type = ""
    let hook: { number: number; priority: number } | undefined
    while (each.next()) {
      if (each.type === chainAttributes.table) isOurs = each.text === table
      else if (each.type === chainAttributes.name) chain = each.text
      else if (each.type === chainAttributes.type) type = each.text
      else if (each.type === chainAttributes.hook) hook = readHook(each.nested())
    }
    if (!isOurs || chain === undefined) return undefined
    return hook === undefined ? { chain } : { chain, hook: { type, ...hook } }
  })

const readHook = (each: Attributes): { readonly number: number; readonly priority: number } => {
  const hook = { number: 0, priority: 0 }
  while (each.next()) {
    if (each.type === hookAttributes.number) hook.number = each.u32BE
    else if (each.type === hookAttributes.priority) hook.priority = each.i32BE
  }
  return hook
}

/** Names of the chains of a table; none where there is no such table. */
export const listChains = (connection: Connection, table: Table): ReadonlyArray<string> =>
  listHookedChains(connection, table).map(({ chain }) => chain)

export interface SetShape {
  readonly set: string
  /** NFT_SET_*: 4 intervals, 8 a map, 0x10 timeouts, 0x20 updated by packets. */
  readonly flags: number
  /** Bytes; concatenations with their padding. */
  readonly keyLength: number
  /** Of a map: verdicts, or so many bytes. */
  readonly data?: "verdict" | number
}

/** Sets and maps of a table; none where there is no such table. */
export const listSets = (connection: Connection, { family, table }: Table): ReadonlyArray<SetShape> => {
  const request = message(nftMessages.getSet, family, 0, (writer) => writer.attributeString(setAttributes.table, table))
  return orNone(() =>
    dump(connection, `list sets of ${table}`, request, (found) => {
      const each = Attributes.of(found, nfHeaderBytes)
      let set = ""
      let bits = 0
      let keyLength = 0
      let data: "verdict" | number | undefined
      while (each.next()) {
        if (each.type === setAttributes.name) set = each.text
        else if (each.type === setAttributes.flags) bits = each.u32BE
        else if (each.type === setAttributes.keyLength) keyLength = each.u32BE
        else if (each.type === setAttributes.dataType && each.u32BE === verdictType) data = "verdict"
        else if (each.type === setAttributes.dataLength && data !== "verdict") data = each.u32BE
      }
      return { set, flags: bits, keyLength, ...(data === undefined ? {} : { data }) }
    })
  )
}

const orNone = <A>(list: () => ReadonlyArray<A>): ReadonlyArray<A> => {
  try {
    return list()
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === ENOENT) return []
    throw error
  }
}

export interface Rule {
  readonly chain: string
  /** The kernel's number of it. */
  readonly handle: bigint
  /** What it does, as the kernel's bytes: equal for equal rules. */
  readonly expressions: Uint8Array
}

/** Rules of a table in the order in which they are tried, chain by chain; none where there is no such table. */
export const listRules = (connection: Connection, { family, table }: Table): ReadonlyArray<Rule> => {
  const request = message(nftMessages.getRule, family, 0, (writer) =>
    writer.attributeString(ruleAttributes.table, table)
  )
  return orNone(() =>
    dump(connection, `list rules of ${table}`, request, (found) => {
      if (!isMessage(found, nftMessages.newRule)) return undefined
      const each = Attributes.of(found, nfHeaderBytes)
      let chain = ""
      let handle = 0n
      let expressions: Uint8Array = new Uint8Array(0)
      while (each.next()) {
        if (each.type === ruleAttributes.chain) chain = each.text
        else if (each.type === ruleAttributes.handle) handle = each.u64BE
        else if (each.type === ruleAttributes.expressions) expressions = each.copy
      }
      return { chain, handle, expressions }
    })
  )
}

/** All elements of a set. Throws NetlinkError with ENOENT where there is no such table or set. */
export const listElements = (connection: Connection, { family, table, set }: SetName): ReadonlyArray<SetElement> => {
  const request = message(nftMessages.getElements, family, 0, (writer) => {
    writer.attributeString(listAttributes.table, table)
    writer.attributeString(listAttributes.set, set)
  })
  const operation = `list elements of ${table}/${set}`
  const list = () =>
    atOneGeneration(connection, operation, () =>
      dump(connection, operation, request, (found) =>
        isMessage(found, nftMessages.newElements) ? elementsIn(found) : undefined
      )
    ).flat()
  for (let attempt = 1; attempt <= maxDumpAttempts; attempt++) {
    const elements = list()
    const names = elements.map(({ key, keyEnd, flags = 0 }) => `${key} ${keyEnd ?? ""} ${flags}`)
    if (new Set(names).size === elements.length) return elements
  }
  throw interrupted(operation)
}

/**
 * A set's hash table grows some time after its elements came. Where that falls into a listing, the kernel goes on at the same
 * number of elements in the new order (`nf_tables_dump_set`, `nft_rhash_walk`): some come twice, as many not at all, and
 * nothing says so. Such a listing is made anew after this pause.
 */
const growthPause = Duration.millis(10)

/**
 * What listings found that nobody changed anything meanwhile; they are made anew where somebody did. The kernel says so itself of
 * chains and rules, and not of elements (`nf_tables_dump_set`): nft, too, compares the generation. Throws NetlinkError.
 */
export const atOneGeneration = <A>(connection: Connection, operation: string, list: () => A): A => {
  let before = generation(connection)
  for (let attempt = 1; attempt <= maxDumpAttempts; attempt++) {
    const found = list()
    const after = generation(connection)
    if (after === before) return found
    before = after
  }
  throw interrupted(operation)
}

/**
 * All elements of a set by their keys, in texts of one character a byte (`readElementTexts`), read in parts. Of a large set it
 * takes a fraction of the memory of `listElements`. No other call may use the connection meanwhile.
 */
export const mapElements = (
  connection: Connection,
  { family, table, set }: SetName,
  attempt = 1
): Effect.Effect<Map<string, string>, NetlinkError> =>
  dumpInParts(
    connection,
    `list elements of ${table}/${set}`,
    message(nftMessages.getElements, family, 0, (writer) => {
      writer.attributeString(listAttributes.table, table)
      writer.attributeString(listAttributes.set, set)
    }),
    (found) => {
      if (!isMessage(found, nftMessages.newElements)) return undefined
      const each = Attributes.of(found, nfHeaderBytes)
      while (each.next()) if (each.type === listAttributes.elements) return readElementTexts(each.nested())
      return undefined
    }
  ).pipe(
    Effect.flatMap((parts) => {
      const elements = new Map<string, string>()
      let count = 0
      for (const texts of parts) {
        for (let k = 0; k < texts.length; k += 2) elements.set(texts[k]!, texts[k + 1]!)
        count += texts.length / 2
      }
      if (elements.size === count) return Effect.succeed(elements)
      if (attempt === maxDumpAttempts) return Effect.fail(interrupted(`list elements of ${table}/${set}`))
      const again = Effect.suspend(() => mapElements(connection, { family, table, set }, attempt + 1))
      return Effect.andThen(Effect.sleep(growthPause), again)
    })
  )

/** The elements that a message tells of: an answer, or a notification. */
export const elementsIn = (found: Message): ReadonlyArray<SetElement> => {
  const each = Attributes.of(keptMessage(found), nfHeaderBytes)
  while (each.next()) if (each.type === listAttributes.elements) return readElements(each.nested())
  return []
}

/** The table that a message of nf_tables is about: its name is the first attribute of every kind; undefined: of none. */
export const tableOf = (found: Message): string | undefined => {
  if (found.type >> 8 !== subsystems.nftables || (found.type & 0xff) === nftMessages.newGeneration) return undefined
  const each = Attributes.of(found, nfHeaderBytes)
  while (each.next()) if (each.type === tableName) return each.text
  return undefined
}
