/**
 * Virtual servers and their real servers as IPVS speaks of them over generic netlink (include/uapi/linux/ip_vs.h,
 * net/netfilter/ipvs/ip_vs_ctl.c). Addresses are text in their usual form, ports numbers, times seconds.
 */

import { addressBytes, addressFamilies, addressText } from "./addresses.ts"
import type { Request } from "./connection.ts"
import { malformed } from "./error.ts"
import { type GenericFamily, genericHeaderBytes, genericRequest } from "./generic.ts"
import { Attributes, type Message, requireBytes } from "./reader.ts"
import type { Writer } from "./writer.ts"

/** IPVS_GENL_NAME */
export const ipvsFamilyName = "IPVS"
/** The family as the kernel numbered it. */
export type IpvsFamily = Pick<GenericFamily, "id" | "version">

/** IPVS_CMD_* */
export const commands = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  setConfig: 12,
  getConfig: 13,
  setInfo: 14,
  getInfo: 15
} as const

/** IPVS_CMD_ATTR_*, IPVS_SVC_ATTR_*, IPVS_DEST_ATTR_*, IPVS_STATS_ATTR_*, IPVS_INFO_ATTR_* */
const top = { service: 1, destination: 2, timeoutTcp: 4, timeoutTcpFin: 5, timeoutUdp: 6 } as const
const ofService = {
  ...{ family: 1, protocol: 2, address: 3, port: 4, mark: 5, scheduler: 6, flags: 7, timeout: 8, netmask: 9 },
  ...{ stats: 10, stats64: 12 }
} as const
const ofDestination = {
  ...{ address: 1, port: 2, forwarding: 3, weight: 4, upper: 5, lower: 6, active: 7, inactive: 8, persistent: 9 },
  ...{ stats: 10, family: 11, stats64: 12 }
} as const
const ofStats = { connections: 1, packetsIn: 2, packetsOut: 3, bytesIn: 4, bytesOut: 5 } as const
const ofInfo = { version: 1, tableSize: 2 } as const

/** IP_VS_SVC_F_*: the three of a scheduler mean other things for each: those of `sh` are fallback and port, of `mh` as well. */
export const serviceFlags = {
  persistent: 0x1,
  hashed: 0x2,
  onePacket: 0x4,
  schedule1: 0x8,
  schedule2: 0x10,
  schedule3: 0x20,
  shFallback: 0x8,
  shPort: 0x10,
  mhFallback: 0x8,
  mhPort: 0x10
} as const

/** IP_VS_CONN_F_FWD_MASK and what stands below it: how packets reach a real server. */
export const forwarding = { masquerade: 0, local: 1, tunnel: 2, route: 3, bypass: 4 } as const
export type Forwarding = keyof typeof forwarding
const forwardingMask = 0x7
const forwardingNames = new Map<number, Forwarding>(
  Object.entries(forwarding).map(([name, value]) => [value, name as Forwarding])
)

export type AddressFamily = "IPv4" | "IPv6"
const familyOf = (number: number): AddressFamily => {
  if (number === addressFamilies.IPv4) return "IPv4"
  if (number === addressFamilies.IPv6) return "IPv6"
  throw malformed(`IPVS names the address family ${number}`)
}

/** IPPROTO_* */
const protocolNumbers = { TCP: 6, UDP: 17, SCTP: 132 } as const
export type TransportProtocol = keyof typeof protocolNumbers
const protocolNames = new Map<number, TransportProtocol>(
  Object.entries(protocolNumbers).map(([name, value]) => [value, name as TransportProtocol])
)

/** What tells a virtual server from others: its address, or a mark that packets have. */
export type ServiceId =
  | {
      readonly family: AddressFamily
      readonly protocol: TransportProtocol
      readonly address: string
      /** 0: all ports, of a persistent one. */
      readonly port: number
    }
  | { readonly family: AddressFamily; readonly mark: number }

export interface ServiceOptions {
  /** `rr`, `wrr`, …; empty: none, and nothing is sent anywhere. */
  readonly scheduler: string
  /** `serviceFlags`. */
  readonly flags: number
  /** Seconds for which clients keep their server, of a persistent one. */
  readonly timeout: number
  /** Bits of a client's address that count for that: 1-32, or 1-128. */
  readonly prefix: number
}

/** Counted since the virtual or real server was made. */
export interface Statistics {
  readonly connections: bigint
  readonly packetsIn: bigint
  readonly packetsOut: bigint
  readonly bytesIn: bigint
  readonly bytesOut: bigint
}

export type VirtualServer = ServiceId & ServiceOptions & { readonly stats?: Statistics }

export interface DestinationId {
  readonly address: string
  readonly port: number
}

export interface Destination extends DestinationId {
  readonly family: AddressFamily
  readonly forwarding: Forwarding
  readonly weight: number
  /** Connections above and below which it takes none, and takes some again; 0: no limit. */
  readonly upper: number
  readonly lower: number
}

/** A real server as the kernel tells of it. */
export interface RealServer extends Destination {
  readonly active: number
  readonly inactive: number
  readonly persistent: number
  readonly stats?: Statistics
}

/** Seconds until an idle connection is forgotten; what stays undefined is left as it is. */
export interface Timeouts {
  readonly tcp?: number
  readonly tcpFin?: number
  readonly udp?: number
}

export interface Info {
  /** `1.2.1` */
  readonly version: string
  /** Buckets of the table of connections. */
  readonly tableSize: number
}

const writeServiceId = (writer: Writer, id: ServiceId): void => {
  writer.attributeU16(ofService.family, addressFamilies[id.family])
  if ("mark" in id) {
    writer.attributeU32(ofService.mark, id.mark)
    return
  }
  writer.attributeU16(ofService.protocol, protocolNumbers[id.protocol])
  writer.attributeBytes(ofService.address, addressBytes(id.address))
  writer.attributeU16BE(ofService.port, id.port)
}

/** The netmask of `prefix` bits; 0 only for none: IPv4 alone has it as a mask. */
const maskOf = (prefix: number): number => (prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0)

const writeServiceOptions = (writer: Writer, family: AddressFamily, options: ServiceOptions): void => {
  writer.attributeString(ofService.scheduler, options.scheduler)
  // struct ip_vs_flags: the flags, and which of them are meant.
  const at = writer.beginAttribute(ofService.flags)
  writer.u32(options.flags)
  writer.u32(0xffff_ffff)
  writer.endAttribute(at)
  writer.attributeU32(ofService.timeout, options.timeout)
  if (family === "IPv4") writer.attributeU32BE(ofService.netmask, maskOf(options.prefix))
  else writer.attributeU32(ofService.netmask, options.prefix)
}

const writeService = (writer: Writer, id: ServiceId, options?: ServiceOptions): void => {
  const at = writer.beginNested(top.service)
  writeServiceId(writer, id)
  if (options !== undefined) writeServiceOptions(writer, id.family, options)
  writer.endAttribute(at)
}

/** A request about a virtual server: its name alone, or with what it shall be. */
export const serviceRequest = (family: IpvsFamily, command: number, id: ServiceId, options?: ServiceOptions): Request =>
  genericRequest(family, command, (writer) => writeService(writer, id, options))

/** A request about a real server of a virtual one: its name alone, or with what it shall be. */
export const destinationRequest = (
  family: IpvsFamily,
  command: number,
  service: ServiceId,
  destination: DestinationId | Destination
): Request =>
  genericRequest(family, command, (writer) => {
    writeService(writer, service)
    const at = writer.beginNested(top.destination)
    writer.attributeBytes(ofDestination.address, addressBytes(destination.address))
    writer.attributeU16BE(ofDestination.port, destination.port)
    if ("weight" in destination) {
      writer.attributeU16(ofDestination.family, addressFamilies[destination.family])
      writer.attributeU32(ofDestination.forwarding, forwarding[destination.forwarding])
      writer.attributeU32(ofDestination.weight, destination.weight)
      writer.attributeU32(ofDestination.upper, destination.upper)
      writer.attributeU32(ofDestination.lower, destination.lower)
    }
    writer.endAttribute(at)
  })

export const timeoutsRequest = (family: IpvsFamily, timeouts: Timeouts): Request =>
  genericRequest(family, commands.setConfig, (writer) => {
    if (timeouts.tcp !== undefined) writer.attributeU32(top.timeoutTcp, timeouts.tcp)
    if (timeouts.tcpFin !== undefined) writer.attributeU32(top.timeoutTcpFin, timeouts.tcpFin)
    if (timeouts.udp !== undefined) writer.attributeU32(top.timeoutUdp, timeouts.udp)
  })

const attributesOf = (message: Message): Attributes => {
  requireBytes(message, genericHeaderBytes, "a generic netlink message")
  return Attributes.of(message, genericHeaderBytes)
}

const number = (attributes: Attributes): bigint => (attributes.length >= 8 ? attributes.u64 : BigInt(attributes.u32))

const readStats = (attributes: Attributes): Statistics => {
  let [connections, packetsIn, packetsOut, bytesIn, bytesOut] = [0n, 0n, 0n, 0n, 0n]
  while (attributes.next()) {
    if (attributes.type === ofStats.connections) connections = number(attributes)
    else if (attributes.type === ofStats.packetsIn) packetsIn = number(attributes)
    else if (attributes.type === ofStats.packetsOut) packetsOut = number(attributes)
    else if (attributes.type === ofStats.bytesIn) bytesIn = number(attributes)
    else if (attributes.type === ofStats.bytesOut) bytesOut = number(attributes)
  }
  return { connections, packetsIn, packetsOut, bytesIn, bytesOut }
}

/** Addresses come as a union of 16 bytes, of which IPv4 has the first four. */
const addressOf = (raw: Uint8Array, family: AddressFamily): string => {
  const size = family === "IPv4" ? 4 : 16
  if (raw.length < size) throw malformed(`an ${family} address of ${raw.length} bytes`)
  return addressText(raw.subarray(0, size))
}

/** Bits of an IPv4 mask. The kernel takes masks with holes too; they are told by what they have in front. */
const prefixOf = (mask: number): number => Math.clz32(~mask)

const serviceIn = (attributes: Attributes): VirtualServer => {
  let [family, protocol, port, mark, netmask]: Array<number | undefined> = []
  let [scheduler, flags, timeout] = ["", 0, 0]
  let raw: Uint8Array | undefined
  let stats: Statistics | undefined
  while (attributes.next()) {
    switch (attributes.type) {
      case ofService.family:
        family = attributes.u16
        break
      case ofService.protocol:
        protocol = attributes.u16
        break
      case ofService.address:
        raw = attributes.raw
        break
      case ofService.port:
        port = attributes.u16BE
        break
      case ofService.mark:
        mark = attributes.u32
        break
      case ofService.scheduler:
        scheduler = attributes.text
        break
      case ofService.flags:
        flags = attributes.u32
        break
      case ofService.timeout:
        timeout = attributes.u32
        break
      case ofService.netmask:
        netmask = family === addressFamilies.IPv6 ? attributes.u32 : prefixOf(attributes.u32BE)
        break
      case ofService.stats:
        stats ??= readStats(attributes.nested())
        break
      case ofService.stats64:
        stats = readStats(attributes.nested())
        break
    }
  }
  if (family === undefined) throw malformed("a virtual server without a family")
  const name = familyOf(family)
  const rest = { scheduler, flags, timeout, prefix: netmask ?? 0, ...(stats === undefined ? {} : { stats }) }
  if (mark !== undefined) return { family: name, mark, ...rest }
  const transport = protocolNames.get(protocol ?? 0)
  if (raw === undefined || port === undefined || transport === undefined)
    throw malformed("a virtual server without an address, a port or a protocol that is known")
  return { family: name, protocol: transport, address: addressOf(raw, name), port, ...rest }
}

/** A virtual server of a listing. Undefined: the message tells of something else. Throws NetlinkError `Malformed`. */
export const readService = (message: Message): VirtualServer | undefined => {
  const attributes = attributesOf(message)
  while (attributes.next()) if (attributes.type === top.service) return serviceIn(attributes.nested())
  return undefined
}

const destinationIn = (attributes: Attributes, ofFamily: AddressFamily): RealServer => {
  let family = ofFamily
  let raw: Uint8Array | undefined
  let port: number | undefined
  let [way, weight, upper, lower, active, inactive, persistent] = [0, 0, 0, 0, 0, 0, 0]
  let stats: Statistics | undefined
  while (attributes.next()) {
    switch (attributes.type) {
      case ofDestination.address:
        raw = attributes.raw
        break
      case ofDestination.port:
        port = attributes.u16BE
        break
      case ofDestination.forwarding:
        way = attributes.u32 & forwardingMask
        break
      case ofDestination.weight:
        weight = attributes.i32
        break
      case ofDestination.upper:
        upper = attributes.u32
        break
      case ofDestination.lower:
        lower = attributes.u32
        break
      case ofDestination.active:
        active = attributes.u32
        break
      case ofDestination.inactive:
        inactive = attributes.u32
        break
      case ofDestination.persistent:
        persistent = attributes.u32
        break
      case ofDestination.family:
        family = familyOf(attributes.u16)
        break
      case ofDestination.stats:
        stats ??= readStats(attributes.nested())
        break
      case ofDestination.stats64:
        stats = readStats(attributes.nested())
        break
    }
  }
  const named = forwardingNames.get(way)
  if (raw === undefined || port === undefined || named === undefined)
    throw malformed("a real server without an address, a port or a way of forwarding that is known")
  return {
    ...{ family, address: addressOf(raw, family), port, forwarding: named, weight, upper, lower },
    ...{ active, inactive, persistent, ...(stats === undefined ? {} : { stats }) }
  }
}

/** A real server of a listing; `family`: of its virtual server, for kernels before 3.18, which tell none. */
export const readDestination = (message: Message, family: AddressFamily): RealServer | undefined => {
  const attributes = attributesOf(message)
  while (attributes.next()) {
    if (attributes.type === top.destination) return destinationIn(attributes.nested(), family)
  }
  return undefined
}

export const readTimeouts = (message: Message): Timeouts => {
  const attributes = attributesOf(message)
  let timeouts: Timeouts = {}
  while (attributes.next()) {
    if (attributes.type === top.timeoutTcp) timeouts = { ...timeouts, tcp: attributes.u32 }
    else if (attributes.type === top.timeoutTcpFin) timeouts = { ...timeouts, tcpFin: attributes.u32 }
    else if (attributes.type === top.timeoutUdp) timeouts = { ...timeouts, udp: attributes.u32 }
  }
  return timeouts
}

export const readInfo = (message: Message): Info => {
  const attributes = attributesOf(message)
  let [version, tableSize] = [0, 0]
  while (attributes.next()) {
    if (attributes.type === ofInfo.version) version = attributes.u32
    else if (attributes.type === ofInfo.tableSize) tableSize = attributes.u32
  }
  return { version: [version >> 16, (version >> 8) & 0xff, version & 0xff].join("."), tableSize }
}
