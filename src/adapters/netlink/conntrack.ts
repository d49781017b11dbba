/** Connections that the kernel tracks: ctnetlink (include/uapi/linux/netfilter/nfnetlink_conntrack.h). */
import type { IpFamily, Protocol } from "../../events/service-shape.ts"
import { addressBytes, addressFamilies, addressText } from "./addresses.ts"
import { askMany, type Connection, type Request } from "./connection.ts"
import { ENOENT } from "./errno.ts"
import type { NetlinkError } from "./error.ts"
import { nfHeaderBytes, nfType, subsystems, writeNfHeader } from "./nfnetlink.ts"
import { Attributes, type Message } from "./reader.ts"
import type { Writer } from "./writer.ts"

/** IPCTNL_MSG_CT_* */
const messages = { new: 0, get: 1, delete: 2 } as const
const flowAttributes = { original: 1, reply: 2, zone: 18, filter: 25 } as const
const tupleAttributes = { ip: 1, protocol: 2, zone: 3 } as const
const ipAttributes = { source4: 1, destination4: 2, source6: 3, destination6: 4 } as const
const protocolAttributes = { number: 1, sourcePort: 2, destinationPort: 3 } as const
/** CTA_FILTER_ORIG_FLAGS; CTA_FILTER_F_CTA_PROTO_NUM: of the tuple that is given only the protocol counts. */
const filterAttributes = { originalFlags: 1 } as const
const byProtocol = 1 << 3

/** IPPROTO_* */
export const protocolNumbers: Readonly<Record<Protocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 }

export interface Tuple {
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
}

export interface TrackedFlow {
  readonly family: IpFamily
  readonly protocol: Protocol
  readonly original: Tuple
  readonly reply: Tuple
}

const writeTuple = (writer: Writer, type: number, protocol: number, tuple: Tuple): void => {
  const outer = writer.beginNested(type)
  const ip = writer.beginNested(tupleAttributes.ip)
  const source = addressBytes(tuple.source)
  const isV4 = source.length === 4
  writer.attributeBytes(isV4 ? ipAttributes.source4 : ipAttributes.source6, source)
  writer.attributeBytes(isV4 ? ipAttributes.destination4 : ipAttributes.destination6, addressBytes(tuple.destination))
  writer.endAttribute(ip)
  const ports = writer.beginNested(tupleAttributes.protocol)
  writer.attributeU8(protocolAttributes.number, protocol)
  writer.attributeU16BE(protocolAttributes.sourcePort, tuple.sourcePort)
  writer.attributeU16BE(protocolAttributes.destinationPort, tuple.destinationPort)
  writer.endAttribute(ports)
  writer.endAttribute(outer)
}

const readAddresses = (each: Attributes, tuple: { source: string; destination: string }): void => {
  while (each.next()) {
    if (each.type === ipAttributes.source4 || each.type === ipAttributes.source6) tuple.source = addressText(each.raw)
    else if (each.type === ipAttributes.destination4 || each.type === ipAttributes.destination6)
      tuple.destination = addressText(each.raw)
  }
}

/** The tuple, and the number of its protocol. */
const readTuple = (each: Attributes): { readonly tuple: Tuple; readonly protocol: number; readonly zone: number } => {
  const tuple = { source: "", destination: "", sourcePort: 0, destinationPort: 0 }
  let protocol = 0
  let zone = 0
  while (each.next()) {
    if (each.type === tupleAttributes.ip) readAddresses(each.nested(), tuple)
    else if (each.type === tupleAttributes.zone) zone = each.u16BE
    else if (each.type === tupleAttributes.protocol) {
      const ports = each.nested()
      while (ports.next()) {
        if (ports.type === protocolAttributes.number) protocol = ports.u8
        else if (ports.type === protocolAttributes.sourcePort) tuple.sourcePort = ports.u16BE
        else if (ports.type === protocolAttributes.destinationPort) tuple.destinationPort = ports.u16BE
      }
    }
  }
  return { tuple, protocol, zone }
}

/** A flow that a message tells of; undefined: of another family, protocol or zone than asked for. Zones are others'. */
export const readFlow = (found: Message, family: IpFamily, protocol: Protocol): TrackedFlow | undefined => {
  if (found.type !== nfType(subsystems.conntrack, messages.new)) return undefined
  if (found.bytes[found.start] !== addressFamilies[family]) return undefined
  let original: Tuple | undefined
  let reply: Tuple | undefined
  const each = Attributes.of(found, nfHeaderBytes)
  while (each.next()) {
    if (each.type === flowAttributes.zone && each.u16BE !== 0) return undefined
    if (each.type !== flowAttributes.original && each.type !== flowAttributes.reply) continue
    const read = readTuple(each.nested())
    if (read.protocol !== protocolNumbers[protocol] || read.zone !== 0) return undefined
    if (each.type === flowAttributes.original) original = read.tuple
    else reply = read.tuple
  }
  return original === undefined || reply === undefined ? undefined : { family, protocol, original, reply }
}

/** Lists flows of a family and protocol. Kernels before 5.8 send those of other protocols too; `readFlow` leaves them out. */
export const flowsRequest = (family: IpFamily, protocol: Protocol): Request => ({
  type: nfType(subsystems.conntrack, messages.get),
  write: (writer) => {
    writeNfHeader(writer, addressFamilies[family])
    const outer = writer.beginNested(flowAttributes.original)
    const ports = writer.beginNested(tupleAttributes.protocol)
    writer.attributeU8(protocolAttributes.number, protocolNumbers[protocol])
    writer.endAttribute(ports)
    writer.endAttribute(outer)
    const filter = writer.beginNested(flowAttributes.filter)
    writer.attributeU32(filterAttributes.originalFlags, byProtocol)
    writer.endAttribute(filter)
  }
})

/** The kernel removes all flows where no tuple is given: this always gives one. */
const deleteRequest = ({ family, protocol, original }: TrackedFlow): Request => ({
  type: nfType(subsystems.conntrack, messages.delete),
  write: (writer) => {
    writeNfHeader(writer, addressFamilies[family])
    writeTuple(writer, flowAttributes.original, protocolNumbers[protocol], original)
  }
})

export interface FlowsDeleted {
  readonly deleted: number
  /** The first flow that could not be deleted, other than for being gone already. */
  readonly failure?: NetlinkError
}

/** Deletes flows by how they began; those that are gone count as deleted. Throws NetlinkError where it cannot be known. */
export const deleteFlows = (connection: Connection, flows: ReadonlyArray<TrackedFlow>): FlowsDeleted => {
  const failures = [...askMany(connection, "delete connections", flows.map(deleteRequest)).values()]
  const failed = failures.filter((each) => each.errno !== ENOENT)
  const first = failed[0]
  return { deleted: flows.length - failed.length, ...(first === undefined ? {} : { failure: first }) }
}
