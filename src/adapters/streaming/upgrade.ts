/** The beginning of a connection to a runtime's streaming server: a request that asks for another protocol, and its answer's head. */
import { connect, type Socket } from "node:net"
import { connect as connectSecurely } from "node:tls"
import { Effect } from "effect"
import { StreamingError } from "./port.ts"

/** Milliseconds until the server must have answered the upgrade. */
const upgradeTimeout = 10_000
/** Bytes of an answer's head, and of a refusal's text. */
export const maxHeadBytes = 16 * 1024
export const headEnd = "\r\n\r\n"

export interface Upgraded {
  readonly socket: Socket
  /** Without the empty line that ends it. */
  readonly head: string
  /** What came behind the head. */
  readonly rest: Buffer
}

/** Whether the server has taken the other protocol. */
export const isSwitched = (head: string): boolean => /^HTTP\/1\.1 101 /u.test(head)

/**
 * Sends the lines of a request and waits for the answer's head, whatever it says. The socket is the caller's then.
 *
 * @param lines the request's line and headers
 */
export const requestUpgrade = (url: URL, lines: ReadonlyArray<string>): Effect.Effect<Upgraded, StreamingError> =>
  Effect.callback((resume) => {
    const isSecure = url.protocol === "https:"
    const host = url.hostname.replace(/^\[|\]$/gu, "")
    const port = Number(url.port) || (isSecure ? 443 : 80)
    const socket = isSecure ? connectSecurely({ host, port }) : connect({ host, port, allowHalfOpen: true })
    let answer = Buffer.alloc(0)
    const fail = (reason: "Broken" | "Refused", message: string): void => {
      clearTimeout(late)
      socket.destroy()
      resume(Effect.fail(new StreamingError({ reason, message })))
    }
    const late = setTimeout(() => fail("Broken", `the streaming server at ${url.host} does not answer`), upgradeTimeout)
    const onError = (error: Error): void => fail("Broken", `the streaming server at ${url.host}: ${error.message}`)
    const onEnd = (): void => fail("Refused", `the runtime's streaming server ended the connection at once`)
    const onData = (bytes: Uint8Array): void => {
      answer = Buffer.concat([answer, bytes])
      const end = answer.indexOf(headEnd)
      if (end < 0) {
        if (answer.length > maxHeadBytes) fail("Refused", `what answers at ${url.host} is no streaming server`)
        return
      }
      clearTimeout(late)
      socket.off("error", onError).off("end", onEnd).off("data", onData)
      socket.pause()
      // Until the next owner listens: what goes wrong is followed by the close.
      socket.on("error", () => {})
      socket.setNoDelay(true)
      resume(
        Effect.succeed({
          socket,
          head: answer.toString("latin1", 0, end),
          rest: answer.subarray(end + headEnd.length)
        })
      )
    }
    socket.on("error", onError).on("end", onEnd).on("data", onData)
    socket.once(isSecure ? "secureConnect" : "connect", () => socket.write(`${lines.join("\r\n")}${headEnd}`))
    return Effect.sync(() => {
      clearTimeout(late)
      socket.destroy()
    })
  })
