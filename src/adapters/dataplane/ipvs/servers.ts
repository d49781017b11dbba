/** Virtual servers in the kernel: ours are read, others' are known by name only, changes are sent many at once. */
import { ENOENT } from "../../netlink/errno.ts"
import type { NetlinkError } from "../../netlink/error.ts"
import type { RealServer, VirtualServer } from "../../netlink/ipvs.ts"
import { destinationName, type Ipvs, type IpvsChange, serviceName } from "../../netlink/ipvs-calls.ts"
import { isOwnedBy } from "./names.ts"
import { type PlannedServer, virtualKey } from "./plan.ts"
import { type AddressedId, fullWeight, type KnownDestination, type KnownServer, serverKey } from "./steps.ts"

/** A virtual server that is told by its address, not by a mark. */
export type AddressedServer = Extract<VirtualServer, AddressedId>

const isPlain = (real: RealServer): boolean => real.forwarding === "masquerade" && real.upper === 0 && real.lower === 0

const destinationsOf = (reals: ReadonlyArray<RealServer>): Map<string, KnownDestination> =>
  new Map(
    reals.map((real) => {
      const known = { ip: real.address, port: real.port, weight: real.weight }
      return [serverKey(known), isPlain(real) ? known : { ...known, isForeign: true }]
    })
  )

/** With its real servers as they are now. Throws NetlinkError. */
export const knownOf = (ipvs: Ipvs, server: AddressedServer): KnownServer => {
  const { family, protocol, address, port } = server
  const id = { family, protocol, address, port }
  return { id, options: server, weights: destinationsOf(ipvs.destinations(id)) }
}

/** By what it is known whose a virtual server is. */
export interface Ownership {
  readonly mark: number
  /** Addresses that are never looked at, whatever stands there. */
  readonly isOthers: (address: string) => boolean
  /** Keys that our own table names: `ipvsadm -E` takes the mark away. */
  readonly recorded: { readonly has: (key: string) => boolean }
}

const isOurs = (key: string, server: AddressedServer, by: Ownership): boolean =>
  !by.isOthers(server.address) && (isOwnedBy(by.mark, server.flags) || by.recorded.has(key))

/** Ours without their real servers, and the keys of others'. Throws NetlinkError. */
export const listServers = (
  ipvs: Ipvs,
  by: Ownership
): { readonly ours: ReadonlyMap<string, AddressedServer>; readonly foreign: ReadonlySet<string> } => {
  const ours = new Map<string, AddressedServer>()
  const foreign = new Set<string>()
  for (const server of ipvs.services()) {
    if ("mark" in server) continue
    const key = virtualKey(server.protocol, server.address, server.port)
    if (isOurs(key, server, by)) ours.set(key, server)
    else foreign.add(key)
  }
  return { ours, foreign }
}

/** One of them as it is now. */
export const readServer = (ipvs: Ipvs, by: Ownership, id: AddressedId): KnownServer | "foreign" | undefined => {
  const server = ipvs.service(id)
  if (server === undefined || "mark" in server) return undefined
  const key = virtualKey(server.protocol, server.address, server.port)
  return isOurs(key, server, by) ? knownOf(ipvs, server) : "foreign"
}

/** What the kernel has after all changes for a plan were done. */
export const afterwards = (
  planned: PlannedServer,
  draining: ReadonlyArray<Pick<KnownDestination, "ip" | "port">>
): KnownServer => {
  const { family, protocol, address, port } = planned
  const weights = new Map<string, KnownDestination>()
  for (const server of planned.servers) {
    weights.set(serverKey(server), { ip: server.ip, port: server.port, weight: fullWeight })
  }
  for (const { ip, port: of } of draining) weights.set(serverKey({ ip, port: of }), { ip, port: of, weight: 0 })
  return { id: { family, protocol, address, port }, options: planned.options, weights }
}

/** As people name it: `real server 10.0.0.1:80 of 10.96.0.1:80/TCP`. */
export const changeName = (change: IpvsChange): string =>
  "destination" in change
    ? `real server ${destinationName(change.destination)} of ${serviceName(change.service)}`
    : `virtual server ${serviceName(change.service)}`

/** Why it could not be done; ENOENT of a virtual server itself is its scheduler's (ip_vs_add_service). */
export const failureText = (change: IpvsChange, error: NetlinkError): string =>
  (change.do === "newService" || change.do === "setService") && error.errno === ENOENT
    ? `${changeName(change)}: the kernel has no scheduler ${change.options.scheduler}: load the module ip_vs_${change.options.scheduler}, or choose another`
    : `${changeName(change)}: ${error.message}`
