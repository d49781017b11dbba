/**
 * IP addresses and ranges as text: read, written in the one form that is usual (RFC 5952 for IPv6), compared. Pure, so
 * that deciders, adapters and commands agree on when two addresses are one.
 *
 * Read as Kubernetes reads them (`staging/src/k8s.io/utils/net/parse.go`, ParseIPSloppy): leading zeros of an IPv4 part mean
 * nothing, and an IPv4 address that is written as an IPv6 one (`::ffff:10.0.0.1`) is the IPv4 address.
 */
import type { IpFamily } from "./service-shape.ts"

export interface IpAddress {
  readonly family: IpFamily
  /** 4 or 16 bytes, each 0-255. */
  readonly bytes: ReadonlyArray<number>
}

export interface Cidr {
  readonly family: IpFamily
  /** With all bits beyond the prefix at 0. */
  readonly bytes: ReadonlyArray<number>
  /** Bits that count. */
  readonly prefix: number
}

const ipv4Text = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/
const groupText = /^[0-9a-fA-F]{1,4}$/

const readIpv4 = (text: string): ReadonlyArray<number> | undefined => {
  const match = ipv4Text.exec(text)
  if (match === null) return undefined
  const bytes = [Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4])]
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

/** Bytes of `a:b:c`, whose last part may be an IPv4 address where `last` is true. */
const readGroups = (text: string, last: boolean): ReadonlyArray<number> | undefined => {
  if (text === "") return []
  const parts = text.split(":")
  const bytes: Array<number> = []
  for (const [i, part] of parts.entries()) {
    if (groupText.test(part)) {
      const group = Number.parseInt(part, 16)
      bytes.push(group >> 8, group & 0xff)
      continue
    }
    const ipv4 = last && i === parts.length - 1 ? readIpv4(part) : undefined
    if (ipv4 === undefined) return undefined
    bytes.push(...ipv4)
  }
  return bytes
}

const readIpv6 = (text: string): ReadonlyArray<number> | undefined => {
  const gap = text.indexOf("::")
  if (gap < 0) {
    const bytes = readGroups(text, true)
    return bytes?.length === 16 ? bytes : undefined
  }
  const head = readGroups(text.slice(0, gap), false)
  const tail = readGroups(text.slice(gap + 2), true)
  if (head === undefined || tail === undefined || head.length + tail.length > 14) return undefined
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail]
}

const isMappedIpv4 = (bytes: ReadonlyArray<number>): boolean =>
  bytes[10] === 0xff && bytes[11] === 0xff && bytes.slice(0, 10).every((byte) => byte === 0)

/** Undefined: it is no address. Zones (`fe80::1%eth0`) are none of an address that Services could have. */
export const parseIp = (text: string): IpAddress | undefined => {
  if (!text.includes(":")) {
    const bytes = readIpv4(text)
    return bytes === undefined ? undefined : { family: "IPv4", bytes }
  }
  const bytes = readIpv6(text)
  if (bytes === undefined) return undefined
  return isMappedIpv4(bytes) ? { family: "IPv4", bytes: bytes.slice(12) } : { family: "IPv6", bytes }
}

const writeIpv6 = (bytes: ReadonlyArray<number>): string => {
  const groups: Array<number> = []
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number))
  let from = -1
  let length = 1 // A single zero group is not shortened.
  for (let i = 0; i < 8; ) {
    let end = i
    while (end < 8 && groups[end] === 0) end += 1
    if (end - i > length) {
      from = i
      length = end - i
    }
    i = end === i ? i + 1 : end
  }
  const text = (part: ReadonlyArray<number>): string => part.map((group) => group.toString(16)).join(":")
  return from < 0 ? text(groups) : `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`
}

export const formatIp = ({ family, bytes }: IpAddress): string =>
  family === "IPv4" ? bytes.join(".") : writeIpv6(bytes)

/** The usual form of an address; undefined: it is none. */
export const canonicalIp = (text: string): string | undefined => {
  const address = parseIp(text)
  return address === undefined ? undefined : formatIp(address)
}

export const ipFamilyOf = (text: string): IpFamily | undefined => parseIp(text)?.family

const bitsOf = (family: IpFamily): number => (family === "IPv4" ? 32 : 128)

const masked = (bytes: ReadonlyArray<number>, prefix: number): ReadonlyArray<number> =>
  bytes.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, prefix - i * 8))
    return byte & (0xff << (8 - kept)) & 0xff
  })

/** Undefined: it is no range. Bits beyond the prefix are dropped. */
export const parseCidr = (text: string): Cidr | undefined => {
  const slash = text.indexOf("/")
  const size = text.slice(slash + 1)
  if (slash < 0 || !/^\d{1,3}$/.test(size)) return undefined
  const address = parseIp(text.slice(0, slash))
  const prefix = Number(size)
  if (address === undefined || prefix > bitsOf(address.family)) return undefined
  return { family: address.family, bytes: masked(address.bytes, prefix), prefix }
}

export const formatCidr = ({ family, bytes, prefix }: Cidr): string => `${formatIp({ family, bytes })}/${prefix}`

/** The usual form of a range; undefined: it is none. */
export const canonicalCidr = (text: string): string | undefined => {
  const cidr = parseCidr(text)
  return cidr === undefined ? undefined : formatCidr(cidr)
}

/** All addresses of a family: `0.0.0.0/0` or `::/0`. */
export const isZeroCidr = (cidr: Cidr): boolean => cidr.prefix === 0

export const cidrContains = (cidr: Cidr, address: IpAddress): boolean =>
  cidr.family === address.family && masked(address.bytes, cidr.prefix).every((byte, i) => byte === cidr.bytes[i])

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export const hostPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`

/** What `hostPort` wrote, and addresses without a port; the address in its usual form. Undefined: it is neither. */
export const parseHostPort = (text: string): { readonly address: string; readonly port?: number } | undefined => {
  const whole = canonicalIp(text)
  if (whole !== undefined) return { address: whole }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const address = canonicalIp((match[1] ?? match[2]) as string)
  // Brackets are for IPv6, and only for it.
  if (address === undefined || (match[1] === undefined) === address.includes(":")) return undefined
  if (match[3] === undefined) return { address }
  const port = Number(match[3])
  return port >= 1 && port <= 65_535 ? { address, port } : undefined
}
