/**
 * Whether anybody still reads a pipe that this process writes to, by poll(2) through koffi: a write would tell, but who
 * follows a log may have nothing to write for hours. Two other files know of foreign functions: netlink's socket.ts and logind's sd-bus.ts.
 */
import { createRequire } from "node:module"

/** struct pollfd of poll(2): int fd, short events, short revents. */
const pollfdBytes = 8
const reventsOffset = 6
/** A pipe without readers, and a socket or terminal whose other side is closed. */
const pollErr = 0x08
const pollHup = 0x10

/** Answers a function that looks. Where nothing can be learnt (no koffi for this machine) it always says no. */
export const readerWatch = (descriptor: number): (() => boolean) => {
  let poll: (entries: Uint8Array, count: number, timeout: number) => number
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
    poll = koffi.load(null).func("int poll(void *, unsigned long, int)") as unknown as typeof poll
  } catch {
    return () => false
  }
  const entry = Buffer.alloc(pollfdBytes)
  return () => {
    entry.writeInt32LE(descriptor, 0)
    entry.fill(0, Int32Array.BYTES_PER_ELEMENT)
    return poll(entry, 1, 0) > 0 && (entry.readInt16LE(reventsOffset) & (pollErr | pollHup)) !== 0
  }
}
