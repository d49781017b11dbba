/** Entries of the table as the kernel has them: bytes of keys and values (src/adapters/netlink/nftables-elements.ts). */
import { formatCidr, formatIp, parseCidr, parseIp } from "../../../events/ip-address.ts"
import type { IpFamily } from "../../../events/service-shape.ts"
import { addressBytes, addressText } from "../../netlink/addresses.ts"
import { concatenate, portBytes, type SetElement, separate, type Verdict } from "../../netlink/nftables-elements.ts"
import { type Entry, type SetName, verdicts } from "./plan.ts"

const protocolNumbers: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 }
const protocolNames = new Map(Object.entries(protocolNumbers).map(([name, number]) => [number, name]))

type Part = "address" | "protocol" | "port"

const partsOf = (set: SetName): ReadonlyArray<Part> => {
  if (set === "addresses") return ["address"]
  if (set === "hairpin") return ["address", "address"]
  return set === "allowed" ? ["address", "protocol", "port", "address"] : ["address", "protocol", "port"]
}

const bytesOf = (part: Part, text: string): Uint8Array => {
  if (part === "address") return addressBytes(text)
  return part === "protocol" ? Uint8Array.of(protocolNumbers[text] ?? 0) : portBytes(Number(text))
}

const pack = (parts: ReadonlyArray<Part>, texts: ReadonlyArray<string>): Uint8Array =>
  concatenate(...parts.map((part, i) => bytesOf(part, texts[i] ?? "")))

const separator = " . "

/** The last address of a range. */
const lastOf = (range: string): string => {
  const cidr = parseCidr(range)
  if (cidr === undefined) return range
  const bytes = cidr.bytes.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, cidr.prefix - i * 8))))
  return formatIp({ family: cidr.family, bytes })
}

const verdictOf = (value: string): Verdict =>
  value === verdicts.drop ? { verdict: "drop" } : { verdict: "goto", chain: value.replace(/^goto /, "") }

export const elementOf = ({ set, key, value }: Entry): SetElement => {
  const parts = partsOf(set)
  const texts = key.split(separator)
  if (set === "allowed") {
    const front = texts.slice(0, -1)
    const range = texts.at(-1)!
    return {
      key: pack(parts, [...front, range.replace(/\/.*$/, "")]),
      keyEnd: pack(parts, [...front, lastOf(range)])
    }
  }
  if (value === undefined) return { key: pack(parts, texts) }
  const data = set === "empty" ? verdictOf(value) : pack(["address", "port"], value.split(separator))
  return { key: pack(parts, texts), data }
}

const textOf = (part: Part, bytes: Uint8Array): string => {
  if (part === "address") return addressText(bytes)
  if (part === "protocol") return protocolNames.get(bytes[0]!) ?? String(bytes[0])
  return String((bytes[0]! << 8) | bytes[1]!)
}

const widths = { IPv4: { address: 4, protocol: 1, port: 2 }, IPv6: { address: 16, protocol: 1, port: 2 } } as const

const unpack = (parts: ReadonlyArray<Part>, bytes: Uint8Array, family: IpFamily): ReadonlyArray<string> =>
  separate(
    bytes,
    parts.map((part) => widths[family][part])
  ).map((part, i) => textOf(parts[i]!, part))

/** `10.0.0.0/8` where it is such a range, otherwise both ends. */
const rangeText = (first: string, last: string): string => {
  if (first === last) return first
  const bits = (parseIp(first)?.bytes.length ?? 0) * 8
  for (let prefix = 0; prefix < bits; prefix++) {
    const cidr = parseCidr(`${first}/${prefix}`)
    if (cidr === undefined) break
    const text = formatCidr(cidr)
    if (formatIp(cidr) === first && lastOf(text) === last) return text
  }
  return `${first}-${last}`
}

/** What the kernel has, as an entry. */
export const entryOf = (set: SetName, family: IpFamily, element: SetElement): Entry => {
  const parts = partsOf(set)
  const texts = unpack(parts, element.key, family)
  if (set === "allowed") {
    const last = unpack(parts, element.keyEnd ?? element.key, family).at(-1)!
    return { set, family, key: [...texts.slice(0, -1), rangeText(texts.at(-1)!, last)].join(separator) }
  }
  const entry = { set, family, key: texts.join(separator) }
  const { data } = element
  if (data === undefined) return entry
  if (data instanceof Uint8Array) return { ...entry, value: unpack(["address", "port"], data, family).join(separator) }
  return { ...entry, value: "chain" in data ? `${data.verdict} ${data.chain}` : data.verdict }
}
