/** Steps of a transaction of nf_tables as messages (include/uapi/linux/netfilter/nf_tables.h). Rules are made by the nft program, but for those of nftables-rules.ts. */
import type { Request } from "./connection.ts"
import { type NfFamily, nfFamilies, nfType, subsystems, writeNfHeader } from "./nfnetlink.ts"
import { elementBytes, type NewElement, writeElement } from "./nftables-elements.ts"
import { type Expression, writeExpression } from "./nftables-rules.ts"
import { flags } from "./reader.ts"
import { maxAttributeBytes, type Writer } from "./writer.ts"

/** NFT_MSG_* */
export const nftMessages = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  getSet: 10,
  deleteSet: 11,
  newElements: 12,
  getElements: 13,
  deleteElements: 14,
  newGeneration: 15,
  getGeneration: 16
} as const

/** NFTA_*_TABLE: the first attribute of messages of every kind. */
export const tableName = 1
export const chainAttributes = { table: 1, name: 3, hook: 4, type: 7 } as const
export const ruleAttributes = { table: 1, chain: 2, handle: 3, expressions: 4 } as const
export const listAttributes = { table: 1, set: 2, elements: 3 } as const

export interface Table {
  readonly family: NfFamily
  readonly table: string
}

export interface SetName extends Table {
  readonly set: string
}

/**
 * One step of a transaction.
 * - `add`: elements that must not be there yet are refused with EEXIST if they are; without `exclusive` only those that are
 *   there with another value are (EEXIST or EBUSY)
 * - `delete`: refused with ENOENT if one is not there
 * - `flush`: deletes all elements of the set
 */
export type TableOperation =
  | (SetName & { readonly op: "add"; readonly elements: ReadonlyArray<NewElement>; readonly exclusive?: boolean })
  | (SetName & { readonly op: "delete"; readonly elements: ReadonlyArray<NewElement> })
  | (SetName & { readonly op: "flush" })
  | (Table & { readonly op: "addTable" | "deleteTable" })
  | (Table & { readonly op: "addChain" | "deleteChain"; readonly chain: string })
  | (Table & { readonly op: "flushChain"; readonly chain: string })
  /** Behind the rules that the chain has. */
  | (Table & { readonly op: "addRule"; readonly chain: string; readonly expressions: ReadonlyArray<Expression> })

/** A message of nf_tables; `more`: flags. */
export const message = (
  command: number,
  family: NfFamily,
  more: number,
  write: (writer: Writer) => void = () => undefined
): Request => ({
  type: nfType(subsystems.nftables, command),
  flags: more,
  write: (writer) => {
    writeNfHeader(writer, nfFamilies[family])
    write(writer)
  }
})

/** Elements that fit into one message: their list is one attribute. */
const chunks = (elements: ReadonlyArray<NewElement>): ReadonlyArray<readonly [number, number]> => {
  const parts: Array<readonly [number, number]> = []
  let start = 0
  let bytes = 4
  elements.forEach((element, index) => {
    const more = elementBytes(element)
    if (bytes + more > maxAttributeBytes && index > start) {
      parts.push([start, index])
      start = index
      bytes = 4
    }
    bytes += more
  })
  if (elements.length > start) parts.push([start, elements.length])
  return parts
}

export interface StepMessage extends Request {
  /** How many elements are in it. */
  readonly elements?: number
}

const elementRequests = (
  command: number,
  name: SetName,
  more: number,
  elements: ReadonlyArray<NewElement>
): ReadonlyArray<StepMessage> =>
  chunks(elements).map(([start, end]) => ({
    elements: end - start,
    ...message(command, name.family, more, (writer) => {
      writer.attributeString(listAttributes.table, name.table)
      writer.attributeString(listAttributes.set, name.set)
      const list = writer.beginNested(listAttributes.elements)
      for (let k = start; k < end; k++) writeElement(writer, elements[k]!)
      writer.endAttribute(list)
    })
  }))

/** The messages of a step. */
export const requestsOf = (operation: TableOperation): ReadonlyArray<StepMessage> => {
  const { family, table } = operation
  switch (operation.op) {
    case "add": {
      const more = flags.create | (operation.exclusive === true ? flags.exclusive : 0)
      return elementRequests(nftMessages.newElements, operation, more, operation.elements)
    }
    case "delete":
      return elementRequests(nftMessages.deleteElements, operation, 0, operation.elements)
    case "flush":
      return [
        message(nftMessages.deleteElements, family, 0, (writer) => {
          writer.attributeString(listAttributes.table, table)
          writer.attributeString(listAttributes.set, operation.set)
        })
      ]
    case "addTable":
    case "deleteTable": {
      const [command, more] =
        operation.op === "addTable" ? [nftMessages.newTable, flags.create] : [nftMessages.deleteTable, 0]
      return [message(command, family, more, (writer) => writer.attributeString(tableName, table))]
    }
    case "addChain":
    case "deleteChain": {
      const [command, more] =
        operation.op === "addChain" ? [nftMessages.newChain, flags.create] : [nftMessages.deleteChain, 0]
      return [
        message(command, family, more, (writer) => {
          writer.attributeString(chainAttributes.table, table)
          writer.attributeString(chainAttributes.name, operation.chain)
        })
      ]
    }
    case "flushChain":
      return [
        message(nftMessages.deleteRule, family, 0, (writer) => {
          writer.attributeString(ruleAttributes.table, table)
          writer.attributeString(ruleAttributes.chain, operation.chain)
        })
      ]
    case "addRule":
      return [
        message(nftMessages.newRule, family, flags.create | flags.append, (writer) => {
          writer.attributeString(ruleAttributes.table, table)
          writer.attributeString(ruleAttributes.chain, operation.chain)
          const list = writer.beginNested(ruleAttributes.expressions)
          for (const expression of operation.expressions) writeExpression(writer, expression)
          writer.endAttribute(list)
        })
      ]
  }
}

/** What a step does, for errors. */
export const nameOf = (operation: TableOperation): string => {
  switch (operation.op) {
    case "add":
    case "delete":
      return `${operation.op} ${operation.elements.length} elements of ${operation.table}/${operation.set}`
    case "flush":
      return `flush ${operation.table}/${operation.set}`
    case "addTable":
    case "deleteTable":
      return `${operation.op === "addTable" ? "add" : "delete"} table ${operation.table}`
    case "addRule":
      return `add a rule to chain ${operation.table}/${operation.chain}`
    default:
      return `${operation.op.replace("Chain", "")} chain ${operation.table}/${operation.chain}`
  }
}
