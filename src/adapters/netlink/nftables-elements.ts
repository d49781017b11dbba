/**
 * Elements of the sets and maps of nf_tables, as bytes (include/uapi/linux/netfilter/nf_tables.h: NFTA_SET_ELEM_*, NFTA_DATA_*).
 * A key or a value is in network byte order; of a concatenation each part begins at a multiple of 4 bytes.
 */
import { Buffer } from "node:buffer"
import { malformed } from "./error.ts"
import type { Attributes } from "./reader.ts"
import { aligned, attributeHeaderBytes, type Writer } from "./writer.ts"

/** What happens to a packet; `chain` where it goes to one. */
export type Verdict =
  | { readonly verdict: "accept" | "drop" | "continue" | "break" | "return" }
  | { readonly verdict: "jump" | "goto"; readonly chain: string }

export interface SetElement {
  readonly key: Uint8Array
  /** The end of the interval that begins with `key`, in sets of concatenations with intervals; included. */
  readonly keyEnd?: Uint8Array
  /** What a map gives for the key. */
  readonly data?: Uint8Array | Verdict
  /** NFT_SET_ELEM_*: 1 the open end of an interval (of a set without concatenation), 2 the element for every other key. */
  readonly flags?: number
  /** Milliseconds for which it stays after its last use. */
  readonly timeoutMillis?: number
  /** Milliseconds until it goes: when it is read, and optionally when it is added. */
  readonly expiresMillis?: number
}

/** An element to be written: bytes may also stand as characters (0-255) of a text, which takes far less memory for many. */
export type NewElement = Omit<SetElement, "key" | "data"> & {
  readonly key: Uint8Array | string
  readonly data?: Uint8Array | string | Verdict
}

const elementAttributes = { key: 1, data: 2, flags: 3, timeout: 4, expiration: 5, keyEnd: 10 } as const
const dataAttributes = { value: 1, verdict: 2 } as const
const verdictAttributes = { code: 1, chain: 2 } as const
/** NFTA_LIST_ELEM */
const listElement = 1

/** NF_DROP, NF_ACCEPT, and NFT_* which are negative. */
const verdictCodes = { drop: 0, accept: 1, continue: -1, break: -2, jump: -3, goto: -4, return: -5 } as const
const verdictNames = new Map<number, keyof typeof verdictCodes>(
  (Object.entries(verdictCodes) as Array<[keyof typeof verdictCodes, number]>).map(([name, code]) => [code, name])
)

/** Parts of a key, each with zeros behind it up to the next multiple of 4 bytes. */
export const concatenate = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + aligned(part.length), 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += aligned(part.length)
  }
  return bytes
}

/** The parts of a concatenation, whose lengths are known: of `ipv4_addr . inet_proto . inet_service` 4, 1 and 2. */
export const separate = (key: Uint8Array, lengths: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const whole = lengths.reduce((sum, length) => sum + aligned(length), 0)
  if (key.length < whole) throw malformed(`a key of ${key.length} bytes, and its parts have ${whole}`)
  let at = 0
  return lengths.map((length) => {
    const part = key.subarray(at, at + length)
    at += aligned(length)
    return part
  })
}

/** A port, as part of a key. */
export const portBytes = (port: number): Uint8Array => Uint8Array.of((port >> 8) & 0xff, port & 0xff)

const writeData = (writer: Writer, type: number, data: Uint8Array | string | Verdict): void => {
  const outer = writer.beginNested(type)
  if (data instanceof Uint8Array) {
    writer.attributeBytes(dataAttributes.value, data)
  } else if (typeof data === "string") {
    writer.attributeCharacters(dataAttributes.value, data)
  } else {
    const verdict = writer.beginNested(dataAttributes.verdict)
    writer.attributeU32BE(verdictAttributes.code, verdictCodes[data.verdict])
    if ("chain" in data) writer.attributeString(verdictAttributes.chain, data.chain)
    writer.endAttribute(verdict)
  }
  writer.endAttribute(outer)
}

/** Writes an element into the list that was begun. */
export const writeElement = (writer: Writer, element: NewElement): void => {
  const at = writer.beginNested(listElement)
  if (element.flags !== undefined) writer.attributeU32BE(elementAttributes.flags, element.flags)
  if (element.timeoutMillis !== undefined) {
    writer.attributeU64BE(elementAttributes.timeout, BigInt(element.timeoutMillis))
  }
  if (element.expiresMillis !== undefined) {
    writer.attributeU64BE(elementAttributes.expiration, BigInt(element.expiresMillis))
  }
  if (element.key.length > 0) writeData(writer, elementAttributes.key, element.key)
  if (element.keyEnd !== undefined) writeData(writer, elementAttributes.keyEnd, element.keyEnd)
  if (element.data !== undefined) writeData(writer, elementAttributes.data, element.data)
  writer.endAttribute(at)
}

/** What an element takes up at most in a message, in bytes. */
export const elementBytes = ({ key, keyEnd, data }: NewElement): number => {
  const header = attributeHeaderBytes
  const value = (length: number) => 2 * header + aligned(length)
  // Flags, timeout and expiration: 8 + 12 + 12.
  const fixed = header + value(key.length) + (keyEnd === undefined ? 0 : value(keyEnd.length)) + 32
  if (data === undefined) return fixed
  if (data instanceof Uint8Array || typeof data === "string") return fixed + value(data.length)
  return fixed + 4 * header + 4 + ("chain" in data ? aligned(3 * data.chain.length + 1) : 0)
}

const readVerdict = (each: Attributes): Verdict => {
  let code: number | undefined
  let chain: string | undefined
  while (each.next()) {
    if (each.type === verdictAttributes.code) code = each.i32BE
    else if (each.type === verdictAttributes.chain) chain = each.text
  }
  const verdict = code === undefined ? undefined : verdictNames.get(code)
  if (verdict === undefined) throw malformed(`a verdict with the code ${code}`)
  if (verdict !== "jump" && verdict !== "goto") return { verdict }
  if (chain === undefined) throw malformed(`a ${verdict} without its chain`)
  return { verdict, chain }
}

const readData = (each: Attributes): Uint8Array | Verdict => {
  while (each.next()) {
    if (each.type === dataAttributes.value) return each.raw
    if (each.type === dataAttributes.verdict) return readVerdict(each.nested())
  }
  throw malformed("data of an element without a value")
}

const readKey = (each: Attributes): Uint8Array => {
  const key = readData(each)
  if (key instanceof Uint8Array) return key
  throw malformed("a verdict as key of an element")
}

const readElement = (each: Attributes): SetElement => {
  const element: { -readonly [K in keyof SetElement]: SetElement[K] } = { key: new Uint8Array(0) }
  while (each.next()) {
    switch (each.type) {
      case elementAttributes.key:
        element.key = readKey(each.nested())
        break
      case elementAttributes.keyEnd:
        element.keyEnd = readKey(each.nested())
        break
      case elementAttributes.data:
        element.data = readData(each.nested())
        break
      case elementAttributes.flags:
        element.flags = each.u32BE
        break
      case elementAttributes.timeout:
        element.timeoutMillis = Number(each.u64BE)
        break
      case elementAttributes.expiration:
        element.expiresMillis = Number(each.u64BE)
    }
  }
  return element
}

/** The elements of a list; their keys and values are parts of the message's bytes. */
export const readElements = (each: Attributes): ReadonlyArray<SetElement> => {
  const elements: Array<SetElement> = []
  while (each.next()) if (each.type === listElement) elements.push(readElement(each.nested()))
  return elements
}

/**
 * The same, each as two texts one behind the other: key and value in characters of one byte each (0-255), verdicts as
 * `goto NAME` and `drop`, nothing for an element without a value.
 */
export const readElementTexts = (each: Attributes): ReadonlyArray<string> => {
  const bytes = Buffer.from(each.bytes.buffer, each.bytes.byteOffset, each.bytes.length)
  const texts: Array<string> = []
  const dataText = (data: Attributes): string => {
    while (data.next()) {
      if (data.type === dataAttributes.value) return bytes.toString("latin1", data.start, data.start + data.length)
      if (data.type !== dataAttributes.verdict) continue
      const verdict = readVerdict(data.nested())
      return "chain" in verdict ? `${verdict.verdict} ${verdict.chain}` : verdict.verdict
    }
    throw malformed("data of an element without a value")
  }
  while (each.next()) {
    if (each.type !== listElement) continue
    const element = each.nested()
    let key = ""
    let value = ""
    while (element.next()) {
      if (element.type === elementAttributes.key) key = dataText(element.nested())
      else if (element.type === elementAttributes.data) value = dataText(element.nested())
    }
    texts.push(key, value)
  }
  return texts
}
