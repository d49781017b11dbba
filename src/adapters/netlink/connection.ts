/**
 * Requests and their answers over one socket: acknowledgements, listings in several parts, and many requests in one send,
 * all matched by sequence number. What answers another's request, or one that was given up, is passed over.
 *
 * Calls are synchronous: the kernel answers netlink requests before `send` returns, in all families that are spoken here.
 * The limit of time is for kernels and drivers that do not.
 */
import { EBUSY, EINTR } from "./errno.ts"
import { answersLost, errnoError, type Fault, malformed, NetlinkError } from "./error.ts"
import { Attributes, flags, forEachMessage, type Message, messageTypes, requireBytes } from "./reader.ts"
import type { Transport } from "./transport.ts"
import { littleEndian, messageHeaderBytes, Writer } from "./writer.ts"

export interface Request {
  readonly type: number
  /** Beside NLM_F_REQUEST: those of the kind of change. */
  readonly flags?: number
  /** Writes what stands behind the header. */
  readonly write: (writer: Writer) => void
}

export interface Connection {
  readonly transport: Transport
  readonly writer: Writer
  /** Numbers for so many requests, one after the other; answers the first. */
  readonly sequences: (count: number) => number
  /** Milliseconds that an answer may take. */
  readonly answerMillis: number
}

/** Beyond this a request counts as lost: the longest that the kernel took for 30,000 set elements was under a second. */
export const answerMillis = 10_000
/** A listing that changed while it was taken is taken anew, so often at most. */
export const maxDumpAttempts = 8
/** Requests in one send: even if each of them fails, all answers fit into the socket's receive buffer. */
export const maxRequestsPerSend = 1024
/** Bytes in one send of independent requests. */
const maxSendBytes = 128 * 1024
/** Sequence numbers begin anew behind it. */
const maxSequence = 0x7fff_ffff
/** Datagrams that are read in search of one answer. */
const maxDatagrams = 1_000_000

export const connect = (transport: Transport, limits: { readonly answerMillis?: number } = {}): Connection => {
  let next = 1
  return {
    transport,
    writer: new Writer(),
    sequences: (count) => {
      const first = next + count > maxSequence ? 1 : next
      next = first + count
      return first
    },
    answerMillis: limits.answerMillis ?? answerMillis
  }
}

/** Attributes of an extended acknowledgement (NLMSGERR_ATTR_*). */
const ackAttributes = { message: 1, offset: 2 } as const

/** What an acknowledgement says; undefined: it was done. */
export const faultOf = (message: Message): Fault | undefined => {
  requireBytes(message, 4 + messageHeaderBytes, "an acknowledgement")
  const errno = -message.view.getInt32(message.start, littleEndian)
  if (errno === 0) return undefined
  if (errno < 0) throw malformed(`an acknowledgement with the positive error ${-errno}`)
  if ((message.flags & flags.extendedAck) === 0) return { errno }
  // Behind the errno stands the request's header, and unless it is capped all of the request.
  const requestBytes =
    (message.flags & flags.capped) === 0 ? message.view.getUint32(message.start + 4, littleEndian) : messageHeaderBytes
  return { errno, ...words(Attributes.of(message, 4 + Math.max(requestBytes, messageHeaderBytes))) }
}

const words = (attributes: Attributes): Omit<Fault, "errno"> => {
  let text: string | undefined
  let offset: number | undefined
  while (attributes.next()) {
    if (attributes.type === ackAttributes.message) text = attributes.text
    else if (attributes.type === ackAttributes.offset) offset = attributes.u32
  }
  return { ...(text === undefined ? {} : { text }), ...(offset === undefined ? {} : { offset }) }
}

const timedOut = (operation: string, millis: number): NetlinkError =>
  new NetlinkError({ reason: "Timeout", operation, message: `cannot ${operation}: no answer within ${millis} ms` })

/** Whether answers are complete; `rest`: what is still to come is there already, or never comes. */
type Progress = boolean | "rest"

/** Answers to requests `first` … `last` until `onMessage` says that it has all. Each may take `answerMillis`. */
const converse = (
  connection: Connection,
  operation: string,
  [first, last]: readonly [number, number],
  onMessage: (message: Message) => Progress
): void => {
  let deadline = performance.now() + connection.answerMillis
  for (let datagrams = 0; datagrams < maxDatagrams; datagrams++) {
    const left = Math.max(0, deadline - performance.now())
    const datagram = connection.transport.receive(operation, left)
    if (datagram === undefined) break
    let isOurs = false
    let progress = false as Progress
    forEachMessage(datagram, (message) => {
      if (
        progress === true ||
        message.sequence < first ||
        message.sequence > last ||
        message.type === messageTypes.noop
      )
        return
      isOurs = true
      progress = onMessage(message)
    })
    if (progress === true) return
    if (progress === "rest") deadline = 0
    else if (isOurs && deadline > 0) deadline = performance.now() + connection.answerMillis
  }
  throw timedOut(operation, connection.answerMillis)
}

/** Writes one request as all that the writer holds; answers its sequence number. */
const writeRequest = (connection: Connection, request: Request, moreFlags: number): number => {
  const { writer } = connection
  const sequence = connection.sequences(1)
  const at = writer.beginMessage(request.type, flags.request | moreFlags | (request.flags ?? 0), sequence)
  request.write(writer)
  writer.endMessage(at)
  return sequence
}

/**
 * One request that is acknowledged. What comes before the acknowledgement goes through `decode`, and is kept where that
 * gives something. Throws NetlinkError.
 */
export const ask = <A = never>(
  connection: Connection,
  operation: string,
  request: Request,
  decode: (message: Message) => A | undefined = () => undefined
): ReadonlyArray<A> => {
  connection.writer.reset()
  const sequence = writeRequest(connection, request, flags.ack)
  connection.transport.send(operation, connection.writer.written)
  const answers: Array<A> = []
  converse(connection, operation, [sequence, sequence], (message) => {
    if (message.type === messageTypes.error) {
      const fault = faultOf(message)
      if (fault !== undefined) throw errnoError(operation, fault)
      return true
    }
    const answer = decode(message)
    if (answer !== undefined) answers.push(answer)
    return false
  })
  return answers
}

/** An error that the kernel tells at the end of a listing (`netlink_dump_done`). */
const endOfDump = (operation: string, message: Message): void => {
  if (message.end - message.start < 4) return
  const errno = -message.view.getInt32(message.start, littleEndian)
  if (errno > 0) throw errnoError(operation, { errno, ...words(Attributes.of(message, 4)) })
}

/** Everything that a listing tells, where `decode` gives something of it. Throws NetlinkError. */
export const dump = <A>(
  connection: Connection,
  operation: string,
  request: Request,
  decode: (message: Message) => A | undefined
): ReadonlyArray<A> => {
  for (let attempt = 1; attempt <= maxDumpAttempts; attempt++) {
    const found: Array<A> = []
    try {
      if (
        dumpOnce(connection, operation, request, (message) => {
          const one = decode(message)
          if (one !== undefined) found.push(one)
        })
      )
        return found
    } catch (error) {
      // EINTR is what nf_tables answers where it sees the change itself; EBUSY: another listing of this socket goes on.
      const isTransient = error instanceof NetlinkError && (error.errno === EINTR || error.errno === EBUSY)
      if (!isTransient || attempt === maxDumpAttempts) throw error
    }
  }
  throw new NetlinkError({
    reason: "Interrupted",
    operation,
    message: `cannot ${operation}: it changed during each of ${maxDumpAttempts} attempts`
  })
}

/** One pass of a listing; false: what is listed changed meanwhile. */
const dumpOnce = (
  connection: Connection,
  operation: string,
  request: Request,
  onMessage: (message: Message) => void
): boolean => {
  connection.writer.reset()
  const sequence = writeRequest(connection, request, flags.dump)
  connection.transport.send(operation, connection.writer.written)
  let isWhole = true
  let failure: unknown
  converse(connection, operation, [sequence, sequence], (message) => {
    if ((message.flags & flags.dumpInterrupted) !== 0) isWhole = false
    if (message.type === messageTypes.done) {
      endOfDump(operation, message)
      return true
    }
    if (message.type === messageTypes.error) {
      const fault = faultOf(message)
      if (fault !== undefined) throw errnoError(operation, fault)
      return true
    }
    // To the end even so: the kernel begins no other listing on this socket before.
    if (failure === undefined) {
      try {
        onMessage(message)
      } catch (error) {
        failure = error
      }
    }
    return false
  })
  if (failure !== undefined) throw failure
  return isWhole
}

/** What came of many requests that were sent at once. */
export interface Faults {
  /** By the number of the request, 0-based. Those that are not in it were done, unless answers were lost. */
  readonly faults: ReadonlyMap<number, Fault>
  /** Answers were lost for want of room. */
  readonly isOverrun: boolean
}

/**
 * Reads the answers of a send of requests `first` … `last`, of which only the last asked for an acknowledgement: the kernel
 * tells failures in any case. `begin`: a further request before them whose failure is that of all (batches of nfnetlink).
 */
export const collectFaults = (
  connection: Connection,
  operation: string,
  range: { readonly first: number; readonly last: number; readonly begin?: number }
): Faults => {
  const { first, last, begin = first } = range
  const faults = new Map<number, Fault>()
  const note = (message: Message): Progress => {
    if (message.type !== messageTypes.error) return false
    const fault = faultOf(message)
    const position = message.sequence - first
    if (fault !== undefined && !faults.has(position)) faults.set(position, fault)
    if (message.sequence === last) return true
    return message.sequence < first ? "rest" : false
  }
  try {
    converse(connection, operation, [begin, last], note)
    return { faults, isOverrun: false }
  } catch (error) {
    const isOverrun = error instanceof NetlinkError && error.reason === "Overrun"
    const isSilent = error instanceof NetlinkError && error.reason === "Timeout"
    // A batch that failed as a whole has no other answer.
    if (isSilent && faults.size > 0) return { faults, isOverrun: false }
    if (!isOverrun) throw error
  }
  // What was not lost is still there.
  try {
    converse({ ...connection, answerMillis: 0 }, operation, [begin, last], note)
  } catch (error) {
    if (!(error instanceof NetlinkError) || (error.reason !== "Overrun" && error.reason !== "Timeout")) throw error
  }
  return { faults, isOverrun: true }
}

/**
 * Requests that are independent of each other, as many in one send as fit. Answers the failures by the request's number;
 * all others were done. Throws NetlinkError where it cannot be known: what was sent before may be in force.
 */
export const askMany = (
  connection: Connection,
  operation: string,
  requests: ReadonlyArray<Request>
): ReadonlyMap<number, NetlinkError> => {
  const { transport, writer } = connection
  const failures = new Map<number, NetlinkError>()
  for (let done = 0; done < requests.length; ) {
    writer.reset()
    const limit = Math.min(requests.length, done + maxRequestsPerSend)
    const first = connection.sequences(limit - done)
    let next = done
    let lastAt = 0
    for (; next < limit && writer.length < maxSendBytes; next++) {
      const request = requests[next]!
      lastAt = writer.beginMessage(request.type, flags.request | (request.flags ?? 0), first + next - done)
      request.write(writer)
      writer.endMessage(lastAt)
    }
    writer.addFlags(lastAt, flags.ack)
    transport.send(operation, writer.written)
    const { faults, isOverrun } = collectFaults(connection, operation, { first, last: first + next - 1 - done })
    if (isOverrun) throw answersLost(operation)
    for (const [position, fault] of faults) {
      const index = done + position
      failures.set(index, errnoError(operation, { ...fault, index }))
    }
    done = next
  }
  return failures
}
