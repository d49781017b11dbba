/** IP addresses as manifests may write them: stricter than Kubernetes once was (events/ip-address.ts). */
import { isIP } from "node:net"
import { canonicalIp, ipFamilyOf } from "../../../events/ip-address.ts"
import type { IpFamily } from "../../../events/service-shape.ts"

/** `undefined`: no IP address. Leading zeros are refused: others read such numbers as octal. */
export const familyOf = (text: string): IpFamily | undefined => (isIP(text) === 0 ? undefined : ipFamilyOf(text))

/** `ip`: an address, else it stays as it is. */
export const usualForm = (ip: string): string => canonicalIp(ip) ?? ip
