/**
 * Addresses, ports and servers as nf_tables has them in its keys: strings with one character (0-255) for each byte, because
 * these are cheap to compare, to cut and to keep in maps. Parts of a concatenation are padded to multiples of four bytes.
 */
import { endianness } from "node:os"
import ipaddr from "ipaddr.js"
import type { IpFamily, Protocol } from "../../../events/service-shape.ts"
import type { Server } from "../port.ts"

/** One character a byte. */
export type Bytes = string

export const addressBytes = (family: IpFamily): number => (family === "IPv4" ? 4 : 16)
/** A server in a list of them: its address, and its port in network byte order. */
export const serverBytes = (family: IpFamily): number => addressBytes(family) + 2
/** Address and padded port, as in the values of maps. */
export const targetBytes = (family: IpFamily): number => addressBytes(family) + 4

const padding = "\0\0"
/** numgen(nft) counts in the byte order of the machine. */
const isLittle = endianness() === "LE"
const char = String.fromCharCode

/** `IPPROTO_*` (include/uapi/linux/in.h). */
export const protocolNumbers: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 }
const protocolNames: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp", 132: "sctp" }

export const packProtocol = (protocol: Protocol): Bytes => `${char(protocolNumbers[protocol])}\0${padding}`
export const packProtocolNumber = (number: number): Bytes => `${char(number)}\0${padding}`
export const packPort = (port: number): Bytes => char((port >> 8) & 255, port & 255)
export const paddedPort = (port: number): Bytes => packPort(port) + padding
export const packIndex = (index: number): Bytes => {
  const [a, b, c, d] = [index & 255, (index >> 8) & 255, (index >> 16) & 255, (index >>> 24) & 255]
  return isLittle ? char(a, b, c, d) : char(d, c, b, a)
}

const packIPv4 = (text: string): Bytes | undefined => {
  let packed = ""
  let value = -1
  let dots = 0
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? 46 : text.charCodeAt(at)
    if (code === 46) {
      if (value < 0 || value > 255) return undefined
      packed += char(value)
      value = -1
      dots += 1
    } else if (code >= 48 && code <= 57) value = Math.max(value, 0) * 10 + code - 48
    else return undefined
  }
  return dots === 4 ? packed : undefined
}

/** Undefined: no address of this family. */
export const packAddress = (text: string, family: IpFamily): Bytes | undefined => {
  if (family === "IPv4") return packIPv4(text)
  if (!text.includes(":") || !ipaddr.IPv6.isValid(text) || text.includes("%")) return undefined
  return char(...ipaddr.IPv6.parse(text).toByteArray())
}

/** Undefined: its address is not of this family, or its port is none. */
export const packServer = ({ ip, port }: Server, family: IpFamily): Bytes | undefined => {
  const address = packAddress(ip, family)
  return address === undefined || !isPort(port) ? undefined : address + packPort(port)
}

export const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536

const codes = (bytes: Bytes): Array<number> => Array.from(bytes, (one) => one.charCodeAt(0))

export const addressText = (bytes: Bytes): string =>
  bytes.length === 4 ? codes(bytes).join(".") : (ipaddr.fromByteArray(codes(bytes)) as ipaddr.IPv6).toRFC5952String()

export const protocolText = (bytes: Bytes): string => protocolNames[bytes.charCodeAt(0)] ?? String(bytes.charCodeAt(0))

export const portText = (bytes: Bytes): string => String((bytes.charCodeAt(0) << 8) | bytes.charCodeAt(1))

export const indexOf = (bytes: Bytes): number => {
  const [a = 0, b = 0, c = 0, d = 0] = isLittle ? codes(bytes) : codes(bytes).reverse()
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
}

export const protocolNumber = (name: string): number => {
  const known = Object.entries(protocolNames).find(([, text]) => text === name)
  return known === undefined ? Number(name) : Number(known[0])
}

/** Pieces of equal length. */
export const split = (bytes: Bytes, width: number): Array<Bytes> => {
  const pieces: Array<Bytes> = []
  for (let at = 0; at < bytes.length; at += width) pieces.push(bytes.slice(at, at + width))
  return pieces
}
