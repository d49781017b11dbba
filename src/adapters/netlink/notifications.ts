/** What the kernel tells without being asked: members of a multicast group look for it from time to time. */
import { type Duration, Effect, Schedule, Stream } from "effect"
import { attempt } from "./effects.ts"
import type { NetlinkError } from "./error.ts"
import { forEachMessage, type Message } from "./reader.ts"
import type { Transport } from "./transport.ts"

/** Datagrams that one look takes in; the next look takes in the others. */
const maxDatagramsPerLook = 4096

/** What one look found. */
export interface Look<A> {
  readonly found: ReadonlyArray<A>
  /** There was more than the socket had room for: of that nothing is known. */
  readonly isOverrun: boolean
}

/** Takes in what came since the last look, without waiting. Throws NetlinkError. */
export const look = <A>(transport: Transport, decode: (message: Message) => A | undefined): Look<A> => {
  const found: Array<A> = []
  let isOverrun = false
  for (let datagrams = 0; datagrams < maxDatagramsPerLook; datagrams++) {
    const received = receiveOrOverrun(transport)
    if (received === "overrun") {
      isOverrun = true
      continue
    }
    if (received === undefined) break
    forEachMessage(received, (message) => {
      const one = decode(message)
      if (one !== undefined) found.push(one)
    })
  }
  return { found, isOverrun }
}

const receiveOrOverrun = (transport: Transport): Uint8Array | undefined | "overrun" => {
  try {
    return transport.receive("read notifications", 0)
  } catch (error) {
    if ((error as NetlinkError).reason === "Overrun") return "overrun"
    throw error
  }
}

/**
 * Looks at this pace, and tells what each look found if it found anything. The socket is opened with the stream and closed with
 * it. Fails where it cannot be opened, or says what is no message.
 */
export const notifications = <A>(
  open: () => Transport,
  groups: ReadonlyArray<number>,
  decode: (message: Message) => A | undefined,
  every: Duration.Duration
): Stream.Stream<Look<A>, NetlinkError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const transport = yield* Effect.acquireRelease(
        attempt(() => {
          const socket = open()
          try {
            for (const group of groups) socket.join(group)
            return socket
          } catch (error) {
            socket.close()
            throw error
          }
        }),
        (socket) => Effect.sync(() => socket.close())
      )
      return Stream.fromSchedule(Schedule.spaced(every)).pipe(
        Stream.mapEffect(() => attempt(() => look(transport, decode))),
        Stream.filter(({ found, isOverrun }) => found.length > 0 || isOverrun)
      )
    })
  )
