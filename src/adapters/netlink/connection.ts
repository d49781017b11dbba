/**
 * Requests and their answers over one socket: acknowledgements, listings in several parts, and many requests in one send,
 * all matched by sequence number. What answers another's request, or one that was given up, is passed over.
 *
 * Calls are synchronous: the kernel answers netlink requests before `send` returns, in all families that are spoken here.
 * The limit of time is for kernels and drivers that do not.
 */
import { Answers, checkEnd, faultOf, type Progress } from "./answers.ts"
import { EBUSY, EINTR } from "./errno.ts"
import { answersLost, errnoError, type Fault, NetlinkError } from "./error.ts"
import { flags, type Message, messageTypes } from "./reader.ts"
import type { Transport } from "./transport.ts"
import { Writer } from "./writer.ts"

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
/** Datagrams of requests that were given up, taken in before a listing begins anew. */
const maxDrained = 100_000
/** Sequence numbers begin anew behind it. */
const maxSequence = 0x7fff_ffff

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

const answersTo = (
  { transport, answerMillis: millis }: Connection,
  operation: string,
  range: readonly [number, number],
  onMessage: (message: Message) => Progress
): Answers => new Answers(transport, operation, range, millis, onMessage)

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
  const found: Array<A> = []
  answersTo(connection, operation, [sequence, sequence], (message) => {
    if (message.type === messageTypes.error) {
      const fault = faultOf(message)
      if (fault !== undefined) throw errnoError(operation, fault)
      return true
    }
    const answer = decode(message)
    if (answer !== undefined) found.push(answer)
    return false
  }).all()
  return found
}

/** A listing that is taken in part by part. */
export interface Listing<A> {
  /** Takes in the next part; undefined: there is more. Throws NetlinkError. */
  readonly next: () => ReadonlyArray<A> | undefined
}

/** Begins to list; nothing else may be asked of the connection until the listing is at its end. Throws NetlinkError. */
export const beginDump = <A>(
  connection: Connection,
  operation: string,
  request: Request,
  decode: (message: Message) => A | undefined
): Listing<A> => {
  let attempt = 1
  let pass = beginPass(connection, operation, request, decode)
  const again = () => {
    attempt += 1
    pass = beginPass(connection, operation, request, decode)
    return undefined
  }
  return {
    next: () => {
      try {
        if (!pass.answers.next()) return undefined
      } catch (error) {
        // EINTR is what nf_tables answers where it sees the change itself; EBUSY: a listing of before was left unfinished.
        const isTransient = error instanceof NetlinkError && (error.errno === EINTR || error.errno === EBUSY)
        if (!isTransient || attempt === maxDumpAttempts) throw error
        drain(connection, operation)
        return again()
      }
      if (pass.failure() !== undefined) throw pass.failure()
      if (pass.isWhole()) return pass.found
      if (attempt < maxDumpAttempts) return again()
      throw interrupted(operation)
    }
  }
}

/** What is listed changed each time that it was listed. */
export const interrupted = (operation: string): NetlinkError =>
  new NetlinkError({
    reason: "Interrupted",
    operation,
    message: `cannot ${operation}: it changed during each of ${maxDumpAttempts} attempts`
  })

/** Takes in what is left of requests that were given up. */
const drain = (connection: Connection, operation: string): void => {
  for (let datagrams = 0; datagrams < maxDrained; datagrams++) {
    try {
      if (connection.transport.receive(operation, 0) === undefined) return
    } catch (error) {
      if (!(error instanceof NetlinkError) || error.reason !== "Overrun") throw error
    }
  }
}

/** One attempt to list. */
const beginPass = <A>(
  connection: Connection,
  operation: string,
  request: Request,
  decode: (message: Message) => A | undefined
) => {
  connection.writer.reset()
  const sequence = writeRequest(connection, request, flags.dump)
  connection.transport.send(operation, connection.writer.written)
  const found: Array<A> = []
  let isWhole = true
  let failure: unknown
  const take = (message: Message) => {
    // To the end even so: the kernel begins no other listing on this socket before.
    if (failure !== undefined) return
    try {
      const one = decode(message)
      if (one !== undefined) found.push(one)
    } catch (error) {
      failure = error
    }
  }
  const answers = answersTo(connection, operation, [sequence, sequence], (message) => {
    if ((message.flags & flags.dumpInterrupted) !== 0) isWhole = false
    if (message.type === messageTypes.done) {
      checkEnd(operation, message)
      return true
    }
    if (message.type === messageTypes.error) {
      const fault = faultOf(message)
      if (fault !== undefined) throw errnoError(operation, fault)
      return true
    }
    take(message)
    return false
  })
  return { answers, found, isWhole: () => isWhole, failure: () => failure }
}

/** Everything that a listing tells, where `decode` gives something of it. Throws NetlinkError. */
export const dump = <A>(
  connection: Connection,
  operation: string,
  request: Request,
  decode: (message: Message) => A | undefined
): ReadonlyArray<A> => {
  const listing = beginDump(connection, operation, request, decode)
  for (;;) {
    const found = listing.next()
    if (found !== undefined) return found
  }
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
    answersTo(connection, operation, [begin, last], note).all()
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
    answersTo({ ...connection, answerMillis: 0 }, operation, [begin, last], note).all()
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
