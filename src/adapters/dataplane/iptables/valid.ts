/** Whether rules can be written at all: what is no address or number must not get into the input of a program. */
import { isIP } from "node:net"
import { parseCidr } from "../../../events/ip-address.ts"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { ServiceRules } from "../port.ts"

const highestPort = 65_535
/** xt_recent knows no shorter time than a second, and counts in 32 bits. */
const longestAffinity = 2 ** 32 - 1

/** As strict as the programs are: `010.0.0.1` is none. */
const familyOf = (ip: string): IpFamily | undefined => {
  const version = isIP(ip)
  if (version === 0 || ip.includes("%")) return undefined
  return version === 4 ? "IPv4" : "IPv6"
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= highestPort

/** What is wrong with them, in words; undefined: nothing. */
export const whyInvalid = (rules: ServiceRules): string | undefined => {
  const addresses: ReadonlyArray<readonly [string, string]> = [
    ["cluster IP", rules.clusterIP],
    ...rules.externalIPs.map((ip) => ["external IP", ip] as const),
    ...rules.loadBalancerIPs.map((ip) => ["load balancer IP", ip] as const),
    ...[...rules.cluster, ...rules.local].map(({ ip }) => ["endpoint", ip] as const)
  ]
  for (const [what, ip] of addresses) {
    const family = familyOf(ip)
    if (family === undefined) return `the ${what} ${ip} is no IP address`
    if (family !== rules.family) return `the ${what} ${ip} is no address of the family ${rules.family}`
  }
  const ports: ReadonlyArray<readonly [string, number]> = [
    ["port", rules.port],
    ...(rules.nodePort === undefined ? [] : [["node port", rules.nodePort] as const]),
    ...[...rules.cluster, ...rules.local].map(({ port }) => ["port of an endpoint", port] as const)
  ]
  for (const [what, port] of ports) if (!isPort(port)) return `the ${what} ${port} is not within 1 and ${highestPort}`
  for (const range of rules.sourceRanges)
    if (parseCidr(range.trim()) === undefined) return `the source range ${range} is no CIDR`
  const seconds = rules.affinitySeconds
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= longestAffinity)) {
    return `the session affinity of ${seconds} s is not within 1 and ${longestAffinity}`
  }
  return undefined
}
