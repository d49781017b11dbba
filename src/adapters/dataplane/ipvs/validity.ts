/** What cannot be written into the kernel is refused by itself, before it takes others along. */
import { isIPv4, isIPv6 } from "node:net"
import type { Server, ServiceRules } from "../port.ts"

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535

/** `IP_VS_SVC` counts seconds in jiffies of a signed number. */
const maxAffinitySeconds = 86_400

/** What is wrong with some rules; undefined: nothing. */
export const whyInvalid = (rules: ServiceRules): string | undefined => {
  const isAddress = rules.family === "IPv4" ? isIPv4 : isIPv6
  const addresses = [rules.clusterIP, ...rules.externalIPs, ...rules.loadBalancerIPs]
  const wrong = addresses.find((address) => !isAddress(address))
  if (wrong !== undefined) return `${wrong} is no ${rules.family} address`
  const port = [rules.port, ...(rules.nodePort === undefined ? [] : [rules.nodePort])].find((one) => !isPort(one))
  if (port !== undefined) return `${port} is no port`
  if ((rules.affinitySeconds ?? 1) < 1 || (rules.affinitySeconds ?? 1) > maxAffinitySeconds)
    return `affinity for ${rules.affinitySeconds} seconds; it may last 1 to ${maxAffinitySeconds}`
  const isWrong = (server: Server) => !isAddress(server.ip) || !isPort(server.port)
  const server = rules.cluster.find(isWrong) ?? rules.local.find(isWrong)
  return server === undefined
    ? undefined
    : `the server ${server.ip} ${server.port} is no ${rules.family} address and port`
}
