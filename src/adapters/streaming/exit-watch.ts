/**
 * The exit code of a process whose connection is passed through: it goes by in the last frame of the error stream, and is read
 * there without changing a byte. Clients of SPDY open the error stream first (client-go's remotecommand, every version); of
 * WebSocket it is channel 3. Where it is not found the code is not known, and nothing else is wrong.
 */
import { closeCodes, type WebSocketFrame, WebSocketProblem, WebSocketReader } from "./web-socket.ts"

const errorChannel = 3
const firstStream = 1
/** A status is a small JSON text. */
const maxStatusBytes = 64 * 1024
const spdyHead = 8
const websocketText = 1
const websocketBinary = 2

interface Status {
  readonly status?: string
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly causes?: ReadonlyArray<{ readonly reason?: string; readonly message?: string }> }
}

const statusOf = (text: string): Status | undefined => {
  try {
    const status: unknown = JSON.parse(text)
    return typeof status === "object" && status !== null ? (status as Status) : undefined
  } catch {
    return undefined
  }
}

/** Of what an error stream said; undefined where that is not an exit code. */
export const exitCodeIn = (text: string): number | undefined => {
  const status = statusOf(text)
  if (status?.status === "Success") return 0
  const code = status?.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message
  return status?.reason === "NonZeroExitCode" && code !== undefined && /^\d{1,3}$/u.test(code)
    ? Number(code)
    : undefined
}

/** For people: what an error stream said that is no exit code. */
export const messageIn = (text: string): string => statusOf(text)?.message ?? text.trim()

export interface ExitWatch {
  /** What the runtime sends. */
  readonly push: (bytes: Uint8Array) => void
  readonly exitCode: () => number | undefined
}

/** Collects the payload of one stream of SPDY, and skips all others without holding them. */
export const watchSpdy = (): ExitWatch => {
  let head = Buffer.alloc(0)
  let left = 0
  let isStatus = false
  let status = Buffer.alloc(0)
  return {
    push: (bytes) => {
      let at = 0
      while (at < bytes.length) {
        if (left === 0) {
          const piece = bytes.subarray(at, at + spdyHead - head.length)
          head = Buffer.concat([head, piece])
          at += piece.length
          if (head.length < spdyHead) return
          left = head.readUIntBE(5, 3)
          isStatus = head.readUInt32BE(0) === firstStream
          head = Buffer.alloc(0)
          continue
        }
        const piece = bytes.subarray(at, at + left)
        if (isStatus && status.length + piece.length <= maxStatusBytes) status = Buffer.concat([status, piece])
        at += piece.length
        left -= piece.length
      }
    },
    exitCode: () => exitCodeIn(status.toString("utf8"))
  }
}

const statusIn = ({ opcode, payload }: WebSocketFrame): string | undefined => {
  if (opcode === websocketBinary && payload[0] === errorChannel) return payload.toString("utf8", 1)
  // The base64 protocols name the channel by its digit.
  if (opcode === websocketText && payload[0] === 0x30 + errorChannel)
    return Buffer.from(payload.toString("latin1", 1), "base64").toString("utf8")
  return undefined
}

export const watchWebSocket = (): ExitWatch => {
  const reader = new WebSocketReader(false)
  let status = ""
  let isLost = false
  return {
    push: (bytes) => {
      if (isLost) return
      try {
        for (const frame of reader.push(bytes)) {
          const said = statusIn(frame)
          if (said !== undefined && status.length + said.length <= maxStatusBytes) status += said
        }
      } catch (error) {
        if (!(error instanceof WebSocketProblem)) throw error
        // Larger frames than we would take are the client's affair.
        isLost = error.code === closeCodes.tooLarge || error.code === closeCodes.protocol
      }
    },
    exitCode: () => (isLost ? undefined : exitCodeIn(status))
  }
}
