/** What can go wrong between us and the kernel. */
import { Data } from "effect"
import {
  EACCES,
  EAFNOSUPPORT,
  EAGAIN,
  EBUSY,
  EINTR,
  EMSGSIZE,
  ENOBUFS,
  EOPNOTSUPP,
  EPERM,
  EPROTONOSUPPORT,
  ERESTART,
  errnoName
} from "./errno.ts"

/**
 * - `Refused`: the kernel did not do it, and says why by its errno
 * - `Busy`: it did not do it, and may do it if asked again (EBUSY, EAGAIN, EINTR, ERESTART, ENOBUFS)
 * - `NoPermission`: needs CAP_NET_ADMIN in this network namespace
 * - `Unsupported`: this kernel, or this machine, has no such thing
 * - `Overrun`: answers were lost for want of room; whether all was done is not known
 * - `TooLarge`: does not fit into one send; nothing was sent
 * - `Timeout`: no answer came in time; whether it was done is not known
 * - `Malformed`: what came is no netlink message, or lacks what it must have
 * - `Interrupted`: what is listed changed during each attempt to list it
 * - `Closed`: the socket was closed before
 */
export type NetlinkReason =
  | "Refused"
  | "Busy"
  | "NoPermission"
  | "Unsupported"
  | "Overrun"
  | "TooLarge"
  | "Timeout"
  | "Malformed"
  | "Interrupted"
  | "Closed"

export class NetlinkError extends Data.TaggedError("NetlinkError")<{
  readonly reason: NetlinkReason
  /** What was asked for: `add address 10.96.0.1/32 to lo`. */
  readonly operation: string
  readonly message: string
  /** Positive, as in errno(3); absent where no number was given. */
  readonly errno?: number
  readonly errnoName?: string
  /** Where in the request the kernel saw the fault: bytes from the start of its message (extended acknowledgement). */
  readonly offset?: number
  /** Of many requests the first that failed, 0-based. */
  readonly index?: number
  /** Of that step's elements the one that was refused, 0-based, where the kernel says so (since 5.18). */
  readonly element?: number
}> {}

const reasonOf = (errno: number): NetlinkReason => {
  switch (errno) {
    case EPERM:
    case EACCES:
      return "NoPermission"
    case EBUSY:
    case EAGAIN:
    case EINTR:
    case ERESTART:
    case ENOBUFS:
      return "Busy"
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT:
      return "Unsupported"
    case EMSGSIZE:
      return "TooLarge"
    default:
      return "Refused"
  }
}

export interface Fault {
  /** Positive. */
  readonly errno: number
  /** The kernel's own words, where it had some. */
  readonly text?: string
  readonly offset?: number
  readonly index?: number
}

/** The error of an errno; `reason` where the number alone would say too little. */
export const errnoError = (operation: string, fault: Fault, reason?: NetlinkReason): NetlinkError => {
  const name = errnoName(fault.errno)
  const why = reason ?? reasonOf(fault.errno)
  const remedy = why === "NoPermission" ? "; root may, or who has CAP_NET_ADMIN in this network namespace" : ""
  const words = `${fault.text === undefined || fault.text === "" ? name : `${fault.text} (${name})`}${remedy}`
  return new NetlinkError({
    reason: why,
    operation,
    message: `cannot ${operation}: ${words}`,
    errno: fault.errno,
    errnoName: name,
    ...(fault.offset === undefined ? {} : { offset: fault.offset }),
    ...(fault.index === undefined ? {} : { index: fault.index })
  })
}

export const malformed = (what: string): NetlinkError =>
  new NetlinkError({ reason: "Malformed", operation: "read what the kernel sent", message: what })

/** The kernel had more to say than there was room for. */
export const answersLost = (operation: string): NetlinkError =>
  errnoError(operation, { errno: ENOBUFS, text: "answers of the kernel were lost" }, "Overrun")
