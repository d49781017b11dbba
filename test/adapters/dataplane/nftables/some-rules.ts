/** Rules of Services for tests of nftables. */
import type { Server, ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import type { Random } from "../../../support/random.ts"

export const server = (ip: string, local = false, port = 8080): Server => ({ ip, port, local })

/** A Service of the type ClusterIP with two servers, one of them on this node. */
export const some = (name: string, more: Partial<ServiceRules> = {}): ServiceRules => ({
  namespace: "default",
  name,
  portName: "",
  family: "IPv4",
  protocol: "TCP",
  clusterIP: "10.96.0.1",
  port: 80,
  externalIPs: [],
  loadBalancerIPs: [],
  sourceRanges: [],
  internalLocal: false,
  externalLocal: false,
  cluster: [server("10.200.0.1", true), server("10.200.0.2")],
  local: [server("10.200.0.1", true)],
  hasAny: true,
  ...more
})

/** Something that Services of a cluster may come to be. No two names share an address or a node port. */
export const randomRules = (random: Random, name: number): ServiceRules => {
  const isIPv6 = name % 4 === 3
  const address = (net: number, host: number): string => (isIPv6 ? `fd00:${net}::${host}` : `10.${net}.0.${host}`)
  const all = Array.from({ length: random.int(0, 5) }, (_, at) =>
    server(address(200, random.int(1, 9)), at % 2 === 0, random.int(8000, 8001))
  )
  const cluster = [...new Map(all.map((one) => [`${one.ip} ${one.port}`, one])).values()]
  const local = random.chance(0.7) ? cluster.filter((one) => one.local) : []
  const isExternal = random.chance(0.6)
  return some(`s${name}`, {
    family: isIPv6 ? "IPv6" : "IPv4",
    protocol: random.pick(["TCP", "UDP", "SCTP"]),
    // Two ports of a Service share its address.
    clusterIP: address(96, 1 + (name >> 1)),
    port: 1000 + name,
    externalIPs: isExternal && random.chance(0.5) ? [address(50, 1 + name)] : [],
    loadBalancerIPs: isExternal ? [address(60, 1 + name), address(61, 1 + name)] : [],
    sourceRanges: random.chance(0.5) ? [] : isIPv6 ? ["fd00:1::/32"] : [random.pick(["10.1.0.0/16", "192.168.0.0/24"])],
    ...(isExternal ? { nodePort: 30_000 + name } : {}),
    ...(random.chance(0.3) ? { affinitySeconds: random.pick([10, 10_800]) } : {}),
    internalLocal: random.chance(0.3),
    externalLocal: isExternal && random.chance(0.5),
    cluster,
    local,
    hasAny: cluster.length > 0 || random.chance(0.2)
  })
}
