/**
 * Whether somebody else changed what is ours: the kernel tells of devices, addresses and nftables. Of virtual servers it does
 * not; changes of these are found by comparing.
 */
import { nfGroups } from "../../netlink/nfnetlink.ts"
import { tableOf } from "../../netlink/nftables.ts"
import { look } from "../../netlink/notifications.ts"
import { deviceOf, routeGroups } from "../../netlink/route.ts"
import { openSocket } from "../../netlink/socket.ts"

export interface Watch {
  /** Whether anything that is ours was changed since this was asked before. Throws NetlinkError. */
  readonly isDisturbed: () => boolean
  readonly close: () => void
}

export interface Watched {
  readonly table: string
  /** Of the device; it is another one after it was made anew. */
  readonly device: () => number
}

/** Throws NetlinkError. */
export const openWatch = (watched: Watched): Watch => {
  const route = openSocket("route")
  const netfilter = openSocket("netfilter")
  for (const group of Object.values(routeGroups)) route.join(group)
  netfilter.join(nfGroups.nftables)
  return {
    isDisturbed: () => {
      const devices = look(route, (message) => (deviceOf(message) === watched.device() ? true : undefined))
      const tables = look(netfilter, (message) => (tableOf(message) === watched.table ? true : undefined))
      // What was lost could have been about ours.
      return [devices, tables].some(({ found, isOverrun }) => found.length > 0 || isOverrun)
    },
    close: () => {
      route.close()
      netfilter.close()
    }
  }
}
