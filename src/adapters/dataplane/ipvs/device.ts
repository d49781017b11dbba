/** The device that has the Services' addresses: so the node takes packets for them as its own, and IPVS sees them. */
import type { Connection } from "../../netlink/connection.ts"
import { NetlinkError } from "../../netlink/error.ts"
import {
  addAddresses,
  addLink,
  deleteAddresses,
  deleteLink,
  findLink,
  listAddresses,
  setLinkUp
} from "../../netlink/route.ts"
import { deviceName } from "./names.ts"

const kind = "dummy"
/** RT_SCOPE_LINK: the address that every IPv6 device gives itself. */
const ofLink = 253

export interface Device {
  readonly name: string
  /** 0: it is not known of any. */
  readonly index: () => number
  /** Makes it, and sets it up; false: it was there and up. */
  readonly ensure: () => boolean
  /** Addresses of all devices: those on it, and all others'. */
  readonly addresses: () => { readonly own: ReadonlySet<string>; readonly others: ReadonlySet<string> }
  /** Failures by address. */
  readonly add: (addresses: ReadonlyArray<string>) => ReadonlyMap<string, NetlinkError>
  readonly remove: (addresses: ReadonlyArray<string>) => ReadonlyMap<string, NetlinkError>
  /** False: there was none. */
  readonly destroy: () => boolean
  readonly close: () => void
}

export const openDevice = (settingsName: string, connection: Connection): Device => {
  const name = deviceName(settingsName)
  let index = 0
  const find = () => {
    const link = findLink(connection, name)
    if (link !== undefined && link.kind !== kind)
      throw new NetlinkError({
        reason: "Refused",
        operation: `find device ${name}`,
        message: `the device ${name} is there and is of the kind ${link.kind ?? "hardware"}: remove or rename it`
      })
    index = link?.index ?? 0
    return link
  }
  const named = (addresses: ReadonlyArray<string>, failures: ReadonlyMap<number, NetlinkError>) =>
    new Map([...failures].map(([i, error]) => [addresses[i]!, error]))
  return {
    name,
    index: () => index,
    ensure: () => {
      const before = find()
      if (before?.isUp === true) return false
      if (before === undefined) addLink(connection, { name, kind })
      const link = before ?? find()
      setLinkUp(connection, link!.index)
      return true
    },
    addresses: () => {
      const own = new Set<string>()
      const others = new Set<string>()
      for (const one of listAddresses(connection)) {
        if (one.index !== index) others.add(one.address)
        else if (one.scope !== ofLink) own.add(one.address)
      }
      return { own, others }
    },
    add: (addresses) =>
      named(
        addresses,
        addAddresses(
          connection,
          index,
          addresses.map((address) => ({ address }))
        )
      ),
    remove: (addresses) =>
      named(
        addresses,
        deleteAddresses(
          connection,
          index,
          addresses.map((address) => ({ address }))
        )
      ),
    destroy: () => find() !== undefined && deleteLink(connection, name),
    close: () => connection.transport.close()
  }
}
