/**
 * IP addresses and ranges as text: read, written in the one form that is usual (RFC 5952 for IPv6), compared. Pure, so
 * that deciders, adapters and commands agree on when two addresses are one.
 *
 * Read as Kubernetes reads them (`staging/src/k8s.io/utils/net/parse.go`, ParseIPSloppy): leading zeros of an IPv4 part mean
 * nothing, and an IPv4 address that is written as an IPv6 one (`::ffff:10.0.0.1`) is the IPv4 address.
 */
import ipaddr from "ipaddr.js"
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

const ipv4Text = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/
/** Of the numbers of an IPv4 address, also at the end of an IPv6 one: the library would read them as octal. */
const leadingZeros = /(^|[.:])0+(?=\d+\.|\d+$)/g
const withoutLeadingZeros = (text: string): string => {
  const at = text.lastIndexOf(":") + 1
  return at > 0 && !text.includes(".", at) ? text : text.slice(0, at) + text.slice(at).replace(leadingZeros, "$1")
}

/** Undefined: it is no address. Zones (`fe80::1%eth0`) are none of an address that Services could have. */
export const parseIp = (text: string): IpAddress | undefined => {
  if (text.includes("%")) return undefined
  const plain = withoutLeadingZeros(text)
  if (!text.includes(":"))
    return ipv4Text.test(text) && ipaddr.IPv4.isValid(plain)
      ? { family: "IPv4", bytes: ipaddr.IPv4.parse(plain).octets }
      : undefined
  if (!ipaddr.IPv6.isValid(plain)) return undefined
  const address = ipaddr.IPv6.parse(plain)
  return address.isIPv4MappedAddress()
    ? { family: "IPv4", bytes: address.toIPv4Address().octets }
    : { family: "IPv6", bytes: address.toByteArray() }
}

export const formatIp = ({ family, bytes }: IpAddress): string =>
  family === "IPv4" ? bytes.join(".") : new ipaddr.IPv6([...bytes]).toRFC5952String()

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
