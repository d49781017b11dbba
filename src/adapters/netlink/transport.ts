/** A netlink socket as the codecs see it: the kernel's (socket.ts), or one of a test (memory.ts). Calls do not wait, but for `receive`. */

/** `nlmsg` families (include/uapi/linux/netlink.h, NETLINK_*). */
export const protocols = { route: 0, netfilter: 12, generic: 16 } as const
export type Protocol = keyof typeof protocols

export interface Transport {
  /** The socket's address: notifications of changes that were asked for through it carry it too. */
  readonly portId: number
  /** Sends these bytes as one datagram, however many messages they are. Throws NetlinkError. */
  readonly send: (operation: string, bytes: Uint8Array) => void
  /**
   * The next datagram of the kernel, valid until the next `receive`; undefined: none came in so many milliseconds (0: only
   * looks). Throws NetlinkError; `Overrun` says that some were lost before those that are still there.
   */
  readonly receive: (operation: string, waitMillis: number) => Uint8Array | undefined
  /** Becomes a member of a multicast group, by number. */
  readonly join: (group: number) => void
  /** Makes room for one send of so many bytes; throws `TooLarge` where it may not be that much. */
  readonly reserveSend: (operation: string, bytes: number) => void
  readonly close: () => void
}
