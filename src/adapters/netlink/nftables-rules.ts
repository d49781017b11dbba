/**
 * Expressions of rules, those few that are made without the nft program (include/uapi/linux/netfilter/nf_tables.h). A rule
 * loads parts of the packet into registers, which lie one behind the other, and looks up what then stands in them.
 */
import { type NfFamily, nfFamilies } from "./nfnetlink.ts"
import type { Writer } from "./writer.ts"

/**
 * Registers by their number in units of 4 bytes: 0 is where a key begins. NFT_REG_1 … NFT_REG_4 are the same memory in units
 * of 16 bytes.
 */
export type Register = number

export type Expression =
  /** `length` bytes at `offset` of the IP header, or of the header behind it. */
  | {
      readonly load: "network" | "transport"
      readonly offset: number
      readonly length: number
      readonly to: Register
    }
  /** The number of the protocol behind the IP header. */
  | { readonly load: "protocol"; readonly to: Register }
  /** Where the connection went at first: the address (4 bytes, or 16), or the port. */
  | { readonly load: "original ip" | "original ip6" | "original port"; readonly to: Register }
  /** The rule ends where a register has other bytes. */
  | { readonly equals: Uint8Array; readonly from: Register }
  /** A random number below `modulus`, in the byte order of the machine. */
  | { readonly load: "random"; readonly modulus: number; readonly to: Register }
  /** What a map has for the key that begins at `from`; without such a key the rule ends there. */
  | { readonly lookup: string; readonly from: Register; readonly to: Register }
  /** Puts an element into a map with a time limit, or prolongs it there; `timeoutMillis` after its last use it goes. */
  | {
      readonly update: string
      readonly key: Register
      readonly data: Register
      readonly timeoutMillis: number
    }
  /** Sends the connection to an address and port. */
  | { readonly dnat: NfFamily; readonly address: Register; readonly port: Register }

/** NFTA_LIST_ELEM, NFTA_EXPR_*. */
const listElement = 1
const expressionAttributes = { name: 1, data: 2 } as const
const payloadAttributes = { destination: 1, base: 2, offset: 3, length: 4 } as const
/** NFT_PAYLOAD_* */
const payloadBases = { network: 1, transport: 2 } as const
const metaAttributes = { destination: 1, key: 2 } as const
/** NFT_META_L4PROTO */
const metaProtocol = 16
const numgenAttributes = { destination: 1, modulus: 2, type: 3, offset: 4 } as const
/** NFT_NG_RANDOM */
const random = 1
const lookupAttributes = { set: 1, source: 2, destination: 3 } as const
const conntrackAttributes = { destination: 1, key: 2, direction: 3 } as const
/** NFT_CT_DST_IP, NFT_CT_DST_IP6, NFT_CT_PROTO_DST */
const conntrackKeys = { "original ip": 20, "original ip6": 22, "original port": 12 } as const
/** IP_CT_DIR_ORIGINAL */
const originalDirection = 0
const compareAttributes = { source: 1, operation: 2, data: 3 } as const
/** NFT_CMP_EQ */
const equal = 0
/** NFTA_DATA_VALUE */
const dataValue = 1
const dynsetAttributes = { set: 1, operation: 3, key: 4, data: 5, timeout: 6 } as const
/** NFT_DYNSET_OP_UPDATE */
const update = 1
const natAttributes = { type: 1, family: 2, addressMin: 3, protoMin: 5 } as const
/** NFT_NAT_DNAT */
const dnat = 1

/** NFT_REG32_00; the first register is written as nft does, by its number of 16 bytes. */
const register32 = 8
const number = (register: Register): number => (register === 0 ? 1 : register32 + register)

const named = (writer: Writer, name: string, data: () => void): void => {
  const element = writer.beginNested(listElement)
  writer.attributeString(expressionAttributes.name, name)
  const inner = writer.beginNested(expressionAttributes.data)
  data()
  writer.endAttribute(inner)
  writer.endAttribute(element)
}

/** Writes an expression into the list that was begun. */
export const writeExpression = (writer: Writer, one: Expression): void => {
  const put = (type: number, value: number): void => writer.attributeU32BE(type, value)
  if ("lookup" in one) {
    named(writer, "lookup", () => {
      writer.attributeString(lookupAttributes.set, one.lookup)
      put(lookupAttributes.source, number(one.from))
      put(lookupAttributes.destination, number(one.to))
    })
  } else if ("update" in one) {
    named(writer, "dynset", () => {
      writer.attributeString(dynsetAttributes.set, one.update)
      put(dynsetAttributes.operation, update)
      put(dynsetAttributes.key, number(one.key))
      put(dynsetAttributes.data, number(one.data))
      writer.attributeU64BE(dynsetAttributes.timeout, BigInt(one.timeoutMillis))
    })
  } else if ("equals" in one) {
    named(writer, "cmp", () => {
      put(compareAttributes.source, number(one.from))
      put(compareAttributes.operation, equal)
      const data = writer.beginNested(compareAttributes.data)
      writer.attributeBytes(dataValue, one.equals)
      writer.endAttribute(data)
    })
  } else if ("dnat" in one) {
    named(writer, "nat", () => {
      put(natAttributes.type, dnat)
      put(natAttributes.family, nfFamilies[one.dnat])
      put(natAttributes.addressMin, number(one.address))
      put(natAttributes.protoMin, number(one.port))
    })
  } else if (one.load === "protocol") {
    named(writer, "meta", () => {
      put(metaAttributes.key, metaProtocol)
      put(metaAttributes.destination, number(one.to))
    })
  } else if (one.load === "random") {
    named(writer, "numgen", () => {
      put(numgenAttributes.destination, number(one.to))
      put(numgenAttributes.modulus, one.modulus)
      put(numgenAttributes.type, random)
      put(numgenAttributes.offset, 0)
    })
  } else if ("offset" in one) {
    named(writer, "payload", () => {
      put(payloadAttributes.destination, number(one.to))
      put(payloadAttributes.base, payloadBases[one.load])
      put(payloadAttributes.offset, one.offset)
      put(payloadAttributes.length, one.length)
    })
  } else {
    named(writer, "ct", () => {
      put(conntrackAttributes.destination, number(one.to))
      put(conntrackAttributes.key, conntrackKeys[one.load])
      writer.attributeU8(conntrackAttributes.direction, originalDirection)
    })
  }
}
