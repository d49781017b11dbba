/** From what the kernel has of a virtual server to what it should have: the changes, and which real servers are to drain. Pure. */

import type { Destination, ServiceId, ServiceOptions } from "../../netlink/ipvs.ts"
import type { IpvsChange } from "../../netlink/ipvs-calls.ts"
import type { Server } from "../port.ts"
import { sameOptions } from "./options.ts"
import type { PlannedServer } from "./plan.ts"

/** What the kernel has of a virtual server, as far as it matters here. */
export interface KnownServer {
  readonly id: AddressedId
  readonly options: ServiceOptions
  /** Weights by `serverKey`. */
  readonly weights: Map<string, KnownDestination>
}
export type AddressedId = Extract<ServiceId, { readonly address: string }>

export interface KnownDestination {
  readonly ip: string
  readonly port: number
  readonly weight: number
  /** Another way of forwarding than ours, or limits: somebody changed it. */
  readonly isForeign?: boolean
}

export const serverKey = (server: Pick<Server, "ip" | "port">): string => `${server.ip} ${server.port}`

/** `pkg/proxy/ipvs/graceful_termination.go`: flows of these have no end to wait for. */
const drains = (id: AddressedId): boolean => id.protocol === "TCP"

/** Full: takes its share of new connections; none: keeps those that it has. */
export const fullWeight = 1

const destination = (id: AddressedId, server: Pick<Server, "ip" | "port">, weight: number): Destination => ({
  ...{ family: id.family, address: server.ip, port: server.port, forwarding: "masquerade", weight, upper: 0, lower: 0 }
})

export interface Steps {
  readonly changes: ReadonlyArray<IpvsChange>
  /** Real servers that get no new connections any more, and go when they have none: those that are so already as well. */
  readonly draining: ReadonlyArray<Pick<Server, "ip" | "port">>
}

const nothing: Steps = { changes: [], draining: [] }

const idOf = (planned: PlannedServer): AddressedId => ({
  ...{ family: planned.family, protocol: planned.protocol, address: planned.address, port: planned.port }
})

const created = (planned: PlannedServer): Steps => {
  const service = idOf(planned)
  return {
    changes: [
      { do: "newService", service, options: planned.options },
      ...planned.servers.map(
        (server): IpvsChange => ({
          do: "newDestination",
          service,
          destination: destination(service, server, fullWeight)
        })
      )
    ],
    draining: []
  }
}

const serverChanges = (planned: PlannedServer, known: KnownServer): ReadonlyArray<IpvsChange> => {
  const service = known.id
  return planned.servers.flatMap((server): ReadonlyArray<IpvsChange> => {
    const there = known.weights.get(serverKey(server))
    if (there?.weight === fullWeight && there.isForeign !== true) return []
    const target = destination(service, server, fullWeight)
    return [{ do: there === undefined ? "newDestination" : "setDestination", service, destination: target }]
  })
}

/** Those that are not wanted any more. */
const leaving = (planned: PlannedServer, known: KnownServer): Steps => {
  if (known.weights.size === 0) return nothing
  const wanted = new Set(planned.servers.map(serverKey))
  const changes: Array<IpvsChange> = []
  const draining: Array<Pick<Server, "ip" | "port">> = []
  for (const [key, there] of known.weights) {
    if (wanted.has(key)) continue
    if (!drains(known.id)) {
      const gone = { address: there.ip, port: there.port }
      changes.push({ do: "deleteDestination", service: known.id, destination: gone })
      continue
    }
    draining.push(there)
    if (there.weight !== 0)
      changes.push({ do: "setDestination", service: known.id, destination: destination(known.id, there, 0) })
  }
  return { changes, draining }
}

/** `known` undefined: the kernel has none; `planned` undefined: it should have none. */
export const stepsFor = (planned: PlannedServer | undefined, known: KnownServer | undefined): Steps => {
  if (planned === undefined)
    return known === undefined ? nothing : { changes: [{ do: "deleteService", service: known.id }], draining: [] }
  if (known === undefined) return created(planned)
  const gone = leaving(planned, known)
  const changes: ReadonlyArray<IpvsChange> = [
    ...(sameOptions(planned.options, known.options)
      ? []
      : [{ do: "setService", service: known.id, options: planned.options } as const]),
    // New ones first: so there is never none in between.
    ...serverChanges(planned, known),
    ...gone.changes
  ]
  return { changes, draining: gone.draining }
}
