/** Addresses as bytes in network order and as text in the one form that is usual (RFC 5952). */
import ipaddr from "ipaddr.js"
import { malformed, NetlinkError } from "./error.ts"

const dotted = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/u

/** 4 or 16 bytes. Throws NetlinkError (`Refused`) for what is no address. */
export const addressBytes = (text: string): Uint8Array => {
  const parts = dotted.exec(text)
  if (parts !== null) {
    const bytes = new Uint8Array(4)
    for (let k = 0; k < 4; k++) {
      const value = Number(parts[k + 1])
      if (value > 255) throw noAddress(text)
      bytes[k] = value
    }
    return bytes
  }
  if (!ipaddr.IPv6.isValid(text)) throw noAddress(text)
  return Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray())
}

const noAddress = (text: string): NetlinkError =>
  new NetlinkError({ reason: "Refused", operation: "write an address", message: `no IP address: ${text}` })

export const addressText = (bytes: Uint8Array): string => {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  if (bytes.length === 16) return new ipaddr.IPv6([...bytes]).toRFC5952String()
  throw malformed(`an address of ${bytes.length} bytes`)
}

/** AF_INET, AF_INET6. */
export const addressFamilies = { IPv4: 2, IPv6: 10 } as const
