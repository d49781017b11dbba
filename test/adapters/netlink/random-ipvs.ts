/** Random tables of virtual servers, and how `ipvsadm -Sn` prints them. */
import type {
  Destination,
  Forwarding,
  ServiceId,
  ServiceOptions,
  TransportProtocol
} from "../../../src/adapters/netlink/ipvs.ts"
import type { Random } from "../../support/random.ts"

export type RandomServer = ServiceId & ServiceOptions & { readonly destinations: ReadonlyArray<Destination> }

const schedulers = ["rr", "wrr", "lc", "wlc", "sh", "dh", "sed", "nq", "mh"] as const

const addressIn = (random: Random, family: "IPv4" | "IPv6"): string =>
  family === "IPv4"
    ? `10.${random.int(0, 255)}.${random.int(0, 255)}.${random.int(1, 254)}`
    : `fd00::${random.int(1, 0xffff).toString(16)}:${random.int(1, 0xffff).toString(16)}`

const destination = (random: Random, family: "IPv4" | "IPv6", forwarding: Forwarding, port: number): Destination => {
  const [lower, upper] = random.chance(0.2) ? [random.int(1, 50), random.int(51, 1_000)] : [0, 0]
  const address = addressIn(random, family)
  return { family, address, port, forwarding, weight: random.int(0, 100), upper, lower }
}

/** No two of one address or mark, nor two real servers of one address. */
export const randomServers = (random: Random, count: number): ReadonlyArray<RandomServer> => {
  const servers = new Map<string, RandomServer>()
  for (let n = 1; n <= count; n++) {
    const family = random.pick(["IPv4", "IPv6"] as const)
    const whole = family === "IPv4" ? 32 : 128
    const protocol = random.pick<TransportProtocol>(["TCP", "UDP", "SCTP"])
    const isMark = random.chance(0.1)
    const id: ServiceId = isMark
      ? { family, mark: n }
      : { family, protocol, address: addressIn(random, family), port: random.int(1, 65_535) }
    const isPersistent = random.chance(0.4)
    const scheduler = random.pick(schedulers)
    const flags = (isPersistent ? 1 : 0) | (["sh", "mh"].includes(scheduler) ? random.pick([0, 0x8, 0x10, 0x18]) : 0)
    const options = {
      ...{ scheduler, flags, timeout: isPersistent ? random.int(1, 86_400) : 0 },
      prefix: isPersistent ? random.int(1, whole) : whole
    }
    // Only masquerading may change the port.
    const way = random.pick<Forwarding>(["masquerade", "masquerade", "route", "tunnel"])
    const port = isMark ? 0 : way === "masquerade" ? random.int(1, 65_535) : (id as { readonly port: number }).port
    const reals = Array.from({ length: random.int(0, 5) }, () => destination(random, family, way, port))
    const destinations = [...new Map(reals.map((real) => [real.address, real])).values()]
    servers.set(JSON.stringify(id), { ...id, ...options, destinations })
  }
  return [...servers.values()]
}

const letters = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" } as const
const ways: Readonly<Record<Forwarding, string>> = {
  ...{ masquerade: "-m", route: "-g", tunnel: "-i", local: "-l", bypass: "-b" }
}
const at = (address: string, port: number) => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`)

/** Flags of the schedulers `sh` and `mh`, in the order in which ipvsadm prints them. */
const schedulerFlags = ({ scheduler, flags }: ServiceOptions): string => {
  if (scheduler !== "sh" && scheduler !== "mh") return ""
  const named = [
    ...((flags & 0x8) === 0 ? [] : [`${scheduler}-fallback`]),
    ...((flags & 0x10) === 0 ? [] : [`${scheduler}-port`])
  ]
  return named.length === 0 ? "" : ` -b ${named.join(",")}`
}

const maskText = (prefix: number): string => {
  const mask = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join(".")
}

const limitsOf = ({ upper, lower }: Destination): string => (upper === 0 ? "" : ` -x ${upper} -y ${lower}`)
/** What `ipvsadm -S` prints more than it is told. */
const tunnelOf = ({ forwarding }: Destination): string => (forwarding === "tunnel" ? " --tun-type ipip" : "")

/** Lines of `ipvsadm -Sn` of one virtual server, sorted: it prints no limits of connections. */
export const printed = (server: RandomServer): ReadonlyArray<string> => lines(server, tunnelOf).toSorted()

/** Lines for `ipvsadm -R`, in order. */
export const restored = (server: RandomServer): ReadonlyArray<string> => lines(server, limitsOf)

const lines = (server: RandomServer, rest: (real: Destination) => string): ReadonlyArray<string> => {
  const name =
    "mark" in server
      ? `-f ${server.mark}${server.family === "IPv6" ? " -6" : ""}`
      : `${letters[server.protocol]} ${at(server.address, server.port)}`
  const whole = server.family === "IPv4" ? 32 : 128
  const mask =
    server.prefix === whole ? "" : ` -M ${server.family === "IPv4" ? maskText(server.prefix) : server.prefix}`
  const persistence = (server.flags & 1) === 0 ? "" : ` -p ${server.timeout}${mask}`
  return [
    `-A ${name} -s ${server.scheduler}${persistence}${schedulerFlags(server)}`,
    ...server.destinations.map(
      (real) => `-a ${name} -r ${at(real.address, real.port)} ${ways[real.forwarding]} -w ${real.weight}${rest(real)}`
    )
  ]
}
