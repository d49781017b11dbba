/** An answer of HTTP to a client that asked for another protocol and does not get it. */
import { STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"

/** For the client to read why, and go; milliseconds. */
const lingerTimeout = 1_000

/** Says why, and ends the connection; a client that does not go is cut off. */
export const refuseUpgrade = (socket: Duplex, status: number, message: string): void => {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = Buffer.from(`${message.trimEnd()}\n`)
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}`,
    "Content-Type: text/plain; charset=utf-8",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${body.length}`,
    "Connection: close"
  ]
  socket.end(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]))
  // What comes yet is not listened to.
  socket.resume()
  const late = setTimeout(() => socket.destroy(), lingerTimeout)
  socket.once("close", () => clearTimeout(late))
}
