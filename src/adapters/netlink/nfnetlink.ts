/** What all subsystems of netfilter share on netlink, and the batches of nf_tables (include/uapi/linux/netfilter/nfnetlink.h). */
import { type Connection, collectFaults, type Request } from "./connection.ts"
import { answersLost, errnoError, type NetlinkError } from "./error.ts"
import { flags } from "./reader.ts"
import type { Writer } from "./writer.ts"

/** struct nfgenmsg: family, version, resource id (network byte order). */
export const nfHeaderBytes = 4

/** NFNL_SUBSYS_*: the upper byte of a message's type. */
export const subsystems = { conntrack: 1, nftables: 10 } as const

/** NFPROTO_*; the families of addresses of conntrack are AF_INET and AF_INET6, which have the same numbers. */
export const nfFamilies = { unspec: 0, inet: 1, ip: 2, arp: 3, bridge: 7, ip6: 10 } as const
export type NfFamily = keyof typeof nfFamilies

/** NFNLGRP_*: multicast groups. */
export const nfGroups = { conntrackNew: 1, conntrackUpdate: 2, conntrackDestroy: 3, nftables: 7 } as const

const batchBegin = 16
const batchEnd = 17
/** NFNL_BATCH_GENID */
const generationAttribute = 1

export const nfType = (subsystem: number, command: number): number => (subsystem << 8) | command

export const writeNfHeader = (writer: Writer, family: number, resource = 0): void => {
  writer.u8(family)
  writer.u8(0)
  writer.u16BE(resource)
}

/**
 * Messages that are done all or none, in one send. The error names the first that the kernel refused by `index`; it has done
 * none of them then, unless the reason is `Overrun` or `Timeout`. `generation`: refuse with ERESTART (`Busy`) when the rule
 * set changed since. Throws NetlinkError.
 */
export const sendBatch = (
  connection: Connection,
  operation: string,
  requests: ReadonlyArray<Request>,
  options: { readonly generation?: number } = {}
): void => {
  if (requests.length === 0) return
  const { transport, writer } = connection
  const begin = connection.sequences(requests.length + 2)
  const first = begin + 1
  const last = begin + requests.length
  writer.reset()
  const beginAt = writer.beginMessage(batchBegin, flags.request, begin)
  writeNfHeader(writer, nfFamilies.unspec, subsystems.nftables)
  if (options.generation !== undefined) writer.attributeU32BE(generationAttribute, options.generation)
  writer.endMessage(beginAt)
  let lastAt = beginAt
  requests.forEach((request, index) => {
    lastAt = writer.beginMessage(request.type, flags.request | (request.flags ?? 0), first + index)
    request.write(writer)
    writer.endMessage(lastAt)
  })
  writer.addFlags(lastAt, flags.ack)
  const endAt = writer.beginMessage(batchEnd, flags.request, last + 1)
  writeNfHeader(writer, nfFamilies.unspec, subsystems.nftables)
  writer.endMessage(endAt)
  transport.send(operation, writer.written)
  const { faults, isOverrun } = collectFaults(connection, operation, { begin, first, last })
  // A failure of the batch itself (index -1) tells less than that of a message in it.
  const positions = [...faults.keys()].sort((a, b) => a - b)
  const position = positions.find((each) => each >= 0) ?? positions[0]
  if (position !== undefined) {
    throw errnoError(operation, { ...faults.get(position)!, ...(position < 0 ? {} : { index: position }) })
  }
  if (isOverrun) throw answersLost(operation)
}

/** Whether an error says that nothing of a batch was done. */
export const isNothingDone = (error: NetlinkError): boolean =>
  error.reason !== "Overrun" && error.reason !== "Timeout" && error.reason !== "Malformed"
