/** Two connections made into one: bytes go through as they are, each side as fast as the other takes them. */
import type { Duplex } from "node:stream"
import { Effect } from "effect"
import { watchIdle } from "./idle.ts"

/** Milliseconds that the second side has to end after the first one is gone: what is on its way still arrives. */
const lingerTimeout = 5_000

export interface SpliceOptions {
  /** Milliseconds without a byte in either direction; 0: for ever. */
  readonly idleTimeout: number
  /** Sees what goes to the client. */
  readonly watch?: (bytes: Uint8Array) => void
}

export interface Spliced {
  readonly outcome: "completed" | "idle"
  readonly bytesIn: number
  readonly bytesOut: number
}

/** One direction; answers nothing, but calls `passed` for each piece. */
const pump = (from: Duplex, to: Duplex, passed: (bytes: Uint8Array) => void): void => {
  from.on("data", (bytes: Uint8Array) => {
    passed(bytes)
    if (to.writable && !to.write(bytes)) from.pause()
  })
  to.on("drain", () => from.resume())
  // It may have ended before anybody listened.
  if (from.readableEnded) to.end()
  else from.once("end", () => void to.end())
  from.on("error", () => {})
}

/**
 * Connects `client` with `runtime` until both have ended, one of them is destroyed, or nothing is sent for too long. `first`: what
 * came of either before. Both sockets are destroyed then, and when it is interrupted.
 */
export const splice = (
  client: Duplex,
  runtime: Duplex,
  first: { readonly ofClient: Uint8Array; readonly ofRuntime: Uint8Array },
  { idleTimeout, watch }: SpliceOptions
): Effect.Effect<Spliced> =>
  Effect.callback((resume) => {
    let bytesIn = first.ofClient.length
    let bytesOut = first.ofRuntime.length
    let linger: ReturnType<typeof setTimeout> | undefined
    let isDone = false
    const stop = (): void => {
      isDone = true
      clearTimeout(linger)
      idle.stop()
      client.destroy()
      runtime.destroy()
    }
    const done = (outcome: Spliced["outcome"]): void => {
      if (isDone) return
      stop()
      resume(Effect.succeed({ outcome, bytesIn, bytesOut }))
    }
    const idle = watchIdle(idleTimeout, () => done("idle"))
    pump(client, runtime, (bytes) => {
      bytesIn += bytes.length
      idle.touch()
    })
    pump(runtime, client, (bytes) => {
      bytesOut += bytes.length
      idle.touch()
      watch?.(bytes)
    })
    const closed = (other: Duplex) => (): void => {
      if (isDone) return
      if (other.destroyed) {
        done("completed")
        return
      }
      // What was written to the other side goes out first.
      other.end()
      linger ??= setTimeout(() => done("completed"), lingerTimeout)
    }
    client.once("close", () => {
      // Nobody is there to read what the process has to say.
      runtime.destroy()
      closed(runtime)()
    })
    runtime.once("close", closed(client))
    if (first.ofClient.length > 0) runtime.write(first.ofClient)
    if (first.ofRuntime.length > 0) {
      watch?.(first.ofRuntime)
      client.write(first.ofRuntime)
    }
    if (client.destroyed || runtime.destroyed) done("completed")
    else {
      client.resume()
      runtime.resume()
    }
    return Effect.sync(stop)
  })
