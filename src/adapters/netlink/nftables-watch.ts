/** Changes of nf_tables by others, as the kernel tells them to the members of NFNLGRP_NFTABLES. */
import type { Duration, Stream } from "effect"
import type { NetlinkError } from "./error.ts"
import { nfFamilies, nfGroups } from "./nfnetlink.ts"
import { tableOf } from "./nftables.ts"
import type { Table } from "./nftables-messages.ts"
import { type Look, notifications } from "./notifications.ts"
import type { Message } from "./reader.ts"
import { openSocket } from "./socket.ts"
import type { Transport } from "./transport.ts"

export interface TableWatch {
  readonly tables: ReadonlyArray<Table>
  /** Whether a change was asked for through this socket: such changes are no news. The nft program has sockets of its own. */
  readonly isOurs: (portId: number) => boolean
  /** How often it is looked. */
  readonly every: Duration.Duration
  /** Another kernel, in tests. */
  readonly open?: () => Transport
}

/** The tables in which somebody changed something since the last look, each once a message. */
export const tableChanges = ({ tables, isOurs, every, open }: TableWatch): Stream.Stream<Look<Table>, NetlinkError> => {
  const changed = (message: Message): Table | undefined => {
    if (isOurs(message.portId)) return undefined
    const name = tableOf(message)
    if (name === undefined) return undefined
    const family = message.bytes[message.start]
    return tables.find((each) => each.table === name && nfFamilies[each.family] === family)
  }
  return notifications(open ?? (() => openSocket("netfilter")), [nfGroups.nftables], changed, every)
}
