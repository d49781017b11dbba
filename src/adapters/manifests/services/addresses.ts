/** IP addresses in the one form that is usual, so that equal ones are equal text. */
import { isIP } from "node:net"
import ipaddr from "ipaddr.js"
import type { IpFamily } from "../../../events/service-shape.ts"

/** `undefined`: no IP address. Zones (`fe80::1%eth0`) and leading zeros are refused. */
export const familyOf = (text: string): IpFamily | undefined => {
  const version = isIP(text)
  if (version === 4) return "IPv4"
  return version === 6 && !text.includes("%") ? "IPv6" : undefined
}

/** RFC 5952 for IPv6; an IPv4 address within IPv6 (`::ffff:10.0.0.1`) stays one of IPv6. */
export const usualForm = (ip: string): string =>
  ip.includes(":") ? (ipaddr.parse(ip) as ipaddr.IPv6).toRFC5952String() : ip
