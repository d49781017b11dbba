/** Devices and their addresses: rtnetlink (include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h). */
import type { IpFamily } from "../../events/service-shape.ts"
import { addressBytes, addressFamilies, addressText } from "./addresses.ts"
import { ask, askMany, type Connection, dump, type Request } from "./connection.ts"
import { EADDRNOTAVAIL, EEXIST, ENODEV } from "./errno.ts"
import { malformed, NetlinkError } from "./error.ts"
import { Attributes, flags, type Message, requireBytes } from "./reader.ts"
import { littleEndian, type Writer } from "./writer.ts"

/** RTM_* */
const messages = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22
} as const
/** RTNLGRP_*: multicast groups. */
export const routeGroups = { link: 1, address4: 5, address6: 9 } as const

/** struct ifinfomsg, struct ifaddrmsg */
const linkHeaderBytes = 16
const addressHeaderBytes = 8
const linkAttributes = { hardwareAddress: 1, name: 3, mtu: 4, master: 10, info: 18 } as const
const infoAttributes = { kind: 1 } as const
const addressAttributes = { address: 1, local: 2, flags: 8 } as const
/** IFF_UP */
const up = 1
/** IFA_F_NODAD: an IPv6 address is used at once, without asking whether others have it. */
const withoutDetection = 0x02
/** IFA_F_* of addresses that may not be used (yet): 0x08 detection failed, 0x40 detection goes on. */
const unusable = 0x48

export interface Link {
  readonly index: number
  readonly name: string
  readonly isUp: boolean
  readonly mtu: number
  /** `dummy`, `bridge`, `veth`; absent for what is no software device. */
  readonly kind?: string
  /** Index of the bridge that it is a port of. */
  readonly master?: number
}

export interface LinkAddress {
  /** Of its device. */
  readonly index: number
  readonly family: IpFamily
  readonly address: string
  readonly prefixLength: number
  /** RT_SCOPE_*: 0 everywhere, 253 this link, 254 this host. */
  readonly scope: number
  /** False while or after it turns out whether others have it too. */
  readonly isUsable: boolean
}

const writeLinkHeader = (writer: Writer, index: number, set = 0, change = 0): void => {
  writer.u32(0)
  writer.i32(index)
  writer.u32(set)
  writer.u32(change)
}

const linkRequest = (
  type: number,
  index: number,
  write: (writer: Writer) => void = () => undefined,
  more = 0
): Request => ({
  type,
  flags: more,
  write: (writer) => {
    writeLinkHeader(writer, index)
    write(writer)
  }
})

const readLink = (found: Message): Link | undefined => {
  if (found.type !== messages.newLink) return undefined
  requireBytes(found, linkHeaderBytes, "a device")
  const link: { -readonly [K in keyof Link]: Link[K] } = {
    index: found.view.getInt32(found.start + 4, littleEndian),
    name: "",
    isUp: (found.view.getUint32(found.start + 8, littleEndian) & up) !== 0,
    mtu: 0
  }
  const each = Attributes.of(found, linkHeaderBytes)
  while (each.next()) {
    if (each.type === linkAttributes.name) link.name = each.text
    else if (each.type === linkAttributes.mtu) link.mtu = each.u32
    else if (each.type === linkAttributes.master) link.master = each.i32
    else if (each.type === linkAttributes.info) {
      const info = each.nested()
      while (info.next()) if (info.type === infoAttributes.kind) link.kind = info.text
    }
  }
  return link
}

/** All devices of this network namespace. */
export const listLinks = (connection: Connection): ReadonlyArray<Link> =>
  dump(connection, "list devices", linkRequest(messages.getLink, 0), readLink)

/** The device of a name; undefined: there is none. */
export const findLink = (connection: Connection, name: string): Link | undefined => {
  try {
    const [link] = ask(
      connection,
      `find device ${name}`,
      linkRequest(messages.getLink, 0, (writer) => writer.attributeString(linkAttributes.name, name)),
      readLink
    )
    return link
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === ENODEV) return undefined
    throw error
  }
}

/** Makes a device of a kind that needs no more said, such as `dummy`. EEXIST where there is one of that name. */
export const addLink = (
  connection: Connection,
  { name, kind }: { readonly name: string; readonly kind: string }
): void => {
  const write = (writer: Writer) => {
    writer.attributeString(linkAttributes.name, name)
    const info = writer.beginNested(linkAttributes.info)
    writer.attributeString(infoAttributes.kind, kind)
    writer.endAttribute(info)
  }
  const request = linkRequest(messages.newLink, 0, write, flags.create | flags.exclusive)
  ask(connection, `make device ${name} (${kind})`, request)
}

/** Removes a device with all its addresses; false: there was none. */
export const deleteLink = (connection: Connection, name: string): boolean => {
  const link = findLink(connection, name)
  if (link === undefined) return false
  ask(connection, `remove device ${name}`, linkRequest(messages.deleteLink, link.index))
  return true
}

export const setLinkUp = (connection: Connection, index: number): void => {
  ask(connection, `set device ${index} up`, {
    type: messages.newLink,
    write: (writer) => writeLinkHeader(writer, index, up, up)
  })
}

/** An address that a message tells of: an answer, or a notification. */
export const readAddress = (found: Message): LinkAddress | undefined => {
  if (found.type !== messages.newAddress) return undefined
  requireBytes(found, addressHeaderBytes, "an address")
  const number = found.bytes[found.start]!
  const family = number === addressFamilies.IPv4 ? "IPv4" : number === addressFamilies.IPv6 ? "IPv6" : undefined
  if (family === undefined) return undefined
  // Of a link to one peer IFA_ADDRESS is the peer's; IFA_LOCAL is ours wherever it is there.
  let ours: string | undefined
  let other: string | undefined
  let bits = found.bytes[found.start + 2]!
  const each = Attributes.of(found, addressHeaderBytes)
  while (each.next()) {
    if (each.type === addressAttributes.local) ours = addressText(each.raw)
    else if (each.type === addressAttributes.address) other = addressText(each.raw)
    else if (each.type === addressAttributes.flags) bits = each.u32
  }
  const address = ours ?? other
  if (address === undefined) throw malformed("an address of a device without the address")
  return {
    index: found.view.getUint32(found.start + 4, littleEndian),
    family,
    address,
    prefixLength: found.bytes[found.start + 1]!,
    scope: found.bytes[found.start + 3]!,
    isUsable: (bits & unusable) === 0
  }
}

/**
 * Lists addresses of one family. Asked for both at once the kernel does not say that they changed meanwhile
 * (`rtnl_dump_all` forgets it).
 */
export const addressesRequest = (family: IpFamily): Request => ({
  type: messages.getAddress,
  write: (writer) => {
    writer.u8(addressFamilies[family])
    writer.zeros(3)
    writer.u32(0)
  }
})

/** Addresses of all devices, or of one; IPv4 before IPv6. */
export const listAddresses = (
  connection: Connection,
  only: { readonly family?: IpFamily; readonly index?: number } = {}
): ReadonlyArray<LinkAddress> =>
  (only.family === undefined ? (["IPv4", "IPv6"] as const) : [only.family]).flatMap((family) =>
    dump(connection, `list ${family} addresses`, addressesRequest(family), (found) => {
      const address = readAddress(found)
      return only.index === undefined || address?.index === only.index ? address : undefined
    })
  )

export interface NewAddress {
  readonly address: string
  /** Without it: this address alone, /32 or /128. */
  readonly prefixLength?: number
}

const addressRequest = (type: number, index: number, { address, prefixLength }: NewAddress, more: number): Request => {
  const bytes = addressBytes(address)
  return {
    type,
    flags: more,
    write: (writer) => {
      writer.u8(bytes.length === 4 ? addressFamilies.IPv4 : addressFamilies.IPv6)
      writer.u8(prefixLength ?? bytes.length * 8)
      writer.u8(bytes.length === 4 ? 0 : withoutDetection)
      writer.u8(0)
      writer.u32(index)
      writer.attributeBytes(addressAttributes.local, bytes)
      writer.attributeBytes(addressAttributes.address, bytes)
    }
  }
}

/** Failures by the address's number, but for those that say that it is as it should be. */
const changeAddresses = (
  connection: Connection,
  operation: string,
  requests: ReadonlyArray<Request>,
  done: number
): ReadonlyMap<number, NetlinkError> =>
  new Map([...askMany(connection, operation, requests)].filter(([, error]) => error.errno !== done))

/**
 * Gives a device addresses, as many as need be in few sends; those that it has count as given. Answers the failures by the
 * address's number. Throws NetlinkError where none can be given or it cannot be known.
 */
export const addAddresses = (
  connection: Connection,
  index: number,
  addresses: ReadonlyArray<NewAddress>
): ReadonlyMap<number, NetlinkError> =>
  changeAddresses(
    connection,
    `add addresses to device ${index}`,
    addresses.map((each) => addressRequest(messages.newAddress, index, each, flags.create | flags.exclusive)),
    EEXIST
  )

/** Takes addresses from a device; those that it does not have count as taken. Otherwise as `addAddresses`. */
export const deleteAddresses = (
  connection: Connection,
  index: number,
  addresses: ReadonlyArray<NewAddress>
): ReadonlyMap<number, NetlinkError> =>
  changeAddresses(
    connection,
    `remove addresses from device ${index}`,
    addresses.map((each) => addressRequest(messages.deleteAddress, index, each, 0)),
    EADDRNOTAVAIL
  )

const aboutDevices: ReadonlySet<number> = new Set([
  messages.newLink,
  messages.deleteLink,
  messages.newAddress,
  messages.deleteAddress
])

/** The device that a notification is about, or whose address it is about: its index; undefined: about something else. */
export const deviceOf = (found: Message): number | undefined => {
  if (!aboutDevices.has(found.type)) return undefined
  // struct ifinfomsg and struct ifaddrmsg have it at the same place.
  requireBytes(found, addressHeaderBytes, "a notification about a device")
  return found.view.getInt32(found.start + 4, littleEndian)
}
