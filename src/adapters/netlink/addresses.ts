/** Addresses as bytes in network order and as text in the one form that is usual (src/events/ip-address.ts). */
import { formatIp, parseIp } from "../../events/ip-address.ts"
import { malformed, NetlinkError } from "./error.ts"

/** 4 or 16 bytes. Throws NetlinkError (`Refused`) for what is no address. */
export const addressBytes = (text: string): Uint8Array => {
  const address = parseIp(text)
  if (address !== undefined) return Uint8Array.from(address.bytes)
  throw new NetlinkError({ reason: "Refused", operation: "write an address", message: `no IP address: ${text}` })
}

export const addressText = (bytes: Uint8Array): string => {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  if (bytes.length === 16) return formatIp({ family: "IPv6", bytes: [...bytes] })
  throw malformed(`an address of ${bytes.length} bytes`)
}

/** AF_INET, AF_INET6. */
export const addressFamilies = { IPv4: 2, IPv6: 10 } as const
