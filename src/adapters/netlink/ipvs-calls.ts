/** What is asked of IPVS over a connection of the kind `generic`. All throw NetlinkError. */
import { ask, askMany, type Connection, dump, type Request } from "./connection.ts"
import { ENOENT, ESRCH } from "./errno.ts"
import { NetlinkError } from "./error.ts"
import { findFamily, genericRequest } from "./generic.ts"
import {
  commands,
  type Destination,
  type DestinationId,
  destinationRequest,
  type Info,
  type IpvsFamily,
  ipvsFamilyName,
  type RealServer,
  readDestination,
  readInfo,
  readService,
  readTimeouts,
  type ServiceId,
  type ServiceOptions,
  serviceRequest,
  type Timeouts,
  timeoutsRequest,
  type VirtualServer
} from "./ipvs.ts"

/** One change of the kernel's table. */
export type IpvsChange =
  | { readonly do: "newService" | "setService"; readonly service: ServiceId; readonly options: ServiceOptions }
  | { readonly do: "deleteService"; readonly service: ServiceId }
  | { readonly do: "newDestination" | "setDestination"; readonly service: ServiceId; readonly destination: Destination }
  | { readonly do: "deleteDestination"; readonly service: ServiceId; readonly destination: DestinationId }

const named = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`

/** As people and ipvsadm name it: `10.96.0.1:80/TCP`, `mark 7`. */
export const serviceName = (id: ServiceId): string =>
  "mark" in id ? `mark ${id.mark}` : `${named(id.address, id.port)}/${id.protocol}`

export const destinationName = (id: DestinationId): string => named(id.address, id.port)

const requestOf = (family: IpvsFamily, change: IpvsChange): Request => {
  switch (change.do) {
    case "newService":
    case "setService":
      return serviceRequest(family, commands[change.do], change.service, change.options)
    case "deleteService":
      return serviceRequest(family, commands.deleteService, change.service)
    case "newDestination":
    case "setDestination":
    case "deleteDestination":
      return destinationRequest(family, commands[change.do], change.service, change.destination)
  }
}

export interface Ipvs {
  readonly info: () => Info
  readonly timeouts: () => Timeouts
  readonly setTimeouts: (timeouts: Timeouts) => void
  /** All virtual servers of this network namespace. */
  readonly services: () => ReadonlyArray<VirtualServer>
  /** One of them; undefined: there is none. */
  readonly service: (id: ServiceId) => VirtualServer | undefined
  /** Real servers of one; none where there is no such virtual server. */
  readonly destinations: (id: ServiceId) => ReadonlyArray<RealServer>
  /** Many changes at once, in order. Answers the failures by the change's number: all others are in force. */
  readonly change: (changes: ReadonlyArray<IpvsChange>) => ReadonlyMap<number, NetlinkError>
  readonly close: () => void
}

const absent = (error: unknown): boolean =>
  error instanceof NetlinkError && (error.errno === ESRCH || error.errno === ENOENT)

/** Asks the kernel for the family, which loads the module where there is one; `Unsupported` where there is none. */
export const openIpvs = (connection: Connection): Ipvs => {
  const family = findFamily(connection, ipvsFamilyName)
  const get = <A>(operation: string, command: number, read: (message: Parameters<typeof readInfo>[0]) => A): A => {
    const [answer] = ask(connection, operation, genericRequest(family, command), read)
    if (answer !== undefined) return answer
    throw new NetlinkError({ reason: "Malformed", operation, message: `the kernel gave no answer to: ${operation}` })
  }
  return {
    info: () => get("read the version of IPVS", commands.getInfo, readInfo),
    timeouts: () => get("read the timeouts of IPVS", commands.getConfig, readTimeouts),
    setTimeouts: (timeouts) => void ask(connection, "set the timeouts of IPVS", timeoutsRequest(family, timeouts)),
    services: () => dump(connection, "list virtual servers", genericRequest(family, commands.getService), readService),
    service: (id) => {
      try {
        const request = serviceRequest(family, commands.getService, id)
        return ask(connection, `read virtual server ${serviceName(id)}`, request, readService)[0]
      } catch (error) {
        if (absent(error)) return undefined
        throw error
      }
    },
    destinations: (id) =>
      dump(
        connection,
        `list real servers of ${serviceName(id)}`,
        serviceRequest(family, commands.getDestination, id),
        (message) => readDestination(message, id.family)
      ),
    change: (changes) =>
      askMany(
        connection,
        "change virtual servers",
        changes.map((change) => requestOf(family, change))
      ),
    close: () => connection.transport.close()
  }
}
