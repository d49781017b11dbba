/**
 * A stream in memory that keeps the same contract as the live one, and a server that can be made to fail: go away, come
 * back empty, lose a message on the way, lose an acknowledgement, refuse credentials, stay silent.
 */
import { Deferred, Effect, Exit, Layer } from "effect"
import { type Answer, makeAckWindows } from "./ack-window.ts"
import {
  EventStream,
  maxWindow,
  type OutgoingMessage,
  type Settled,
  type StoredMessage,
  StreamError,
  type StreamSession,
  type StreamSettings,
  type StreamState
} from "./port.ts"

const server = "memory"

/** What the server does to one message that reaches it: `lose` it, or store it and `lose-ack`. */
export type MessageFault = "none" | "lose" | "lose-ack"

export interface MemoryServer {
  readonly messages: () => ReadonlyArray<StoredMessage>
  readonly state: () => StreamState | undefined
  /** Breaks every session; nobody can connect until `comeBack`. `reason` is what connecting fails with. */
  readonly goAway: (reason?: StreamError["reason"]) => void
  /** `wipe`: without the stream. */
  readonly comeBack: (options?: { readonly wipe?: boolean }) => void
  /** Drops all messages; the last sequence stays. */
  readonly purge: () => void
  readonly remove: (streamSequence: number) => void
  /** What another client writes. */
  readonly write: (subject: string, line: string) => void
  /** Makes the stream as somebody else would have. */
  readonly create: (differences?: ReadonlyArray<string>) => void
  /** Asked once for every message that arrives. */
  readonly setFault: (fault: (message: OutgoingMessage, streamSequence: number) => MessageFault) => void
  /** Forgets which ids were stored, as the duplicate window does after two minutes. */
  readonly forgetDuplicates: () => void
  /** How many sessions are open. */
  readonly sessions: () => number
}

interface Stored {
  createdAt: string
  differences: ReadonlyArray<string>
  first: number
  last: number
  lastId: string | undefined
  readonly messages: Map<number, StoredMessage>
  readonly ids: Map<string, number>
}

export const makeMemoryServer = (settings: StreamSettings) => {
  let up: "up" | StreamError["reason"] = "up"
  let created = 0
  let stream: Stored | undefined
  let fault: (message: OutgoingMessage, streamSequence: number) => MessageFault = () => "none"
  const breakers = new Set<(error: StreamError) => void>()

  const failure = (reason: StreamError["reason"], message: string) => new StreamError({ reason, server, message })
  const create = (differences: ReadonlyArray<string>): Stored => {
    stream = {
      createdAt: `creation ${++created}`,
      differences,
      first: 1,
      last: 0,
      lastId: undefined,
      messages: new Map(),
      ids: new Map()
    }
    return stream
  }
  const stateOf = (of: Stored): StreamState => ({
    createdAt: of.createdAt,
    messages: of.messages.size,
    firstSequence: of.first,
    lastSequence: of.last
  })
  const store = (into: Stored, subject: string, line: string, expectedAfter?: number): number => {
    const streamSequence = ++into.last
    into.lastId = undefined
    into.messages.set(streamSequence, { streamSequence, subject, line, expectedAfter })
    return streamSequence
  }
  /** As the server does it: duplicate first, then what is expected. */
  const receive = (message: OutgoingMessage, expected: number, expectedId: string | undefined): Answer | undefined => {
    if (stream === undefined)
      return { _tag: "Refused", error: failure("StreamAbsent", "no stream listens to the subject") }
    const effect = fault(message, expected + 1)
    if (effect === "lose") return undefined
    const earlier = stream.ids.get(message.id)
    if (earlier !== undefined) return { _tag: "Stored", sequence: earlier, duplicate: true }
    if (stream.last !== expected || (expectedId !== undefined && expectedId !== stream.lastId)) {
      return {
        _tag: "Refused",
        error: failure("WrongLastSequence", "another message stands where the next one should")
      }
    }
    const sequence = store(stream, message.subject, message.line, expected)
    stream.ids.set(message.id, sequence)
    stream.lastId = message.id
    return effect === "lose-ack" ? undefined : { _tag: "Stored", sequence, duplicate: false }
  }

  const open = (): { readonly session: StreamSession; readonly close: () => void } => {
    const windows = makeAckWindows(server)
    const broken = Deferred.makeUnsafe<never, StreamError>()
    let end: StreamError | undefined
    const close = (error: StreamError) => {
      if (end !== undefined) return
      end = error
      breakers.delete(close)
      windows.abort(error)
      Deferred.doneUnsafe(broken, Exit.fail(error))
    }
    breakers.add(close)
    const call = <A>(answer: () => A | StreamError): Effect.Effect<A, StreamError> =>
      Effect.suspend(() => {
        if (end !== undefined) return Effect.fail(end)
        const result = answer()
        return result instanceof StreamError ? Effect.fail(result) : Effect.succeed(result)
      })
    const absent = () => failure("StreamAbsent", `stream ${settings.name} does not exist`)
    const session: StreamSession = {
      server,
      serverVersion: "2.9.0",
      broken: Deferred.await(broken),
      ensure: call(() => {
        const existed = stream !== undefined
        const present = stream ?? create([])
        return { created: !existed, differences: present.differences, state: stateOf(present) }
      }),
      state: call(() => (stream === undefined ? absent() : stateOf(stream))),
      message: (streamSequence) => call(() => (stream === undefined ? absent() : stream.messages.get(streamSequence))),
      publish: (messages, behind) =>
        Effect.suspend(() => {
          if (messages.length > maxWindow) return Effect.die(new Error(`a window holds at most ${maxWindow} messages`))
          if (messages.length === 0)
            return Effect.succeed(Effect.succeed({ messages: 0, lastSequence: behind.sequence }))
          const settled = Deferred.makeUnsafe<Settled, StreamError>()
          const first = windows.open(messages.length, behind.sequence, (outcome) => {
            Deferred.doneUnsafe(settled, "error" in outcome ? Exit.fail(outcome.error) : Exit.succeed(outcome.settled))
          })
          if (end !== undefined) windows.abort(end)
          let silent = false
          // Stored at once, answered later: two windows can be under way.
          const answers = messages.map((message, index) => {
            const afterId = messages[index - 1]?.id ?? behind.messageId
            const answer = end === undefined ? receive(message, behind.sequence + index, afterId) : undefined
            if (answer === undefined) silent = true
            return answer
          })
          setTimeout(() => {
            for (const [index, answer] of answers.entries()) {
              if (answer !== undefined) windows.answer(first + index, answer)
            }
            if (silent) close(failure("TimedOut", "no acknowledgement from the server"))
          })
          return Effect.succeed(Deferred.await(settled))
        })
    }
    return { session, close: () => close(failure("Unavailable", "the connection is closed")) }
  }

  const handle: MemoryServer = {
    messages: () => (stream === undefined ? [] : [...stream.messages.values()]),
    state: () => (stream === undefined ? undefined : stateOf(stream)),
    goAway: (reason = "Unavailable") => {
      up = reason
      for (const close of [...breakers]) close(failure("Unavailable", "the connection broke"))
    },
    comeBack: (options = {}) => {
      if (options.wipe === true) stream = undefined
      up = "up"
    },
    purge: () => {
      if (stream === undefined) return
      stream.messages.clear()
      stream.first = stream.last + 1
    },
    remove: (streamSequence) => void stream?.messages.delete(streamSequence),
    write: (subject, line) => void store(stream ?? create([]), subject, line),
    create: (differences = []) => void create(differences),
    setFault: (next) => {
      fault = next
    },
    forgetDuplicates: () => stream?.ids.clear(),
    sessions: () => breakers.size
  }
  const layer: Layer.Layer<EventStream> = Layer.succeed(
    EventStream,
    EventStream.of({
      settings,
      target: server,
      connect: Effect.acquireRelease(
        Effect.suspend(() => (up === "up" ? Effect.succeed(open()) : Effect.fail(failure(up, "connection refused")))),
        ({ close }) => Effect.sync(close)
      ).pipe(Effect.map(({ session }) => session))
    })
  )
  return { server: handle, layer }
}
