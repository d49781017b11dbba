/** The kernel's netlink sockets, by the C library through koffi: two others know of foreign functions: logind's sd-bus.ts and host's reader.ts. */
import { createRequire } from "node:module"
import { EAGAIN, EINTR, EMSGSIZE, ENOBUFS } from "./errno.ts"
import { answersLost, errnoError, NetlinkError } from "./error.ts"
import { type Protocol, protocols, type Transport } from "./transport.ts"
import { littleEndian, maxWriterBytes } from "./writer.ts"

interface LibC {
  readonly socket: (domain: number, type: number, protocol: number) => number
  readonly bind: (fd: number, address: Uint8Array, length: number) => number
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint8Array) => number
  readonly setsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: number) => number
  readonly getsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number
  readonly sendto: (fd: number, bytes: Uint8Array, n: number, flags: number, to: Uint8Array, length: number) => number
  readonly recvfrom: (
    fd: number,
    bytes: Uint8Array,
    n: number,
    flags: number,
    from: Uint8Array,
    length: Uint8Array
  ) => number
  readonly poll: (fds: Uint8Array, count: number, timeout: number) => number
  readonly close: (fd: number) => number
  /** Of the last call. */
  readonly errno: () => number
}

/** `ssize_t` is `long` on every Linux; koffi does not know it by that name. */
const signatures = {
  socket: "int socket(int, int, int)",
  bind: "int bind(int, const void *, unsigned int)",
  getsockname: "int getsockname(int, void *, void *)",
  setsockopt: "int setsockopt(int, int, int, const void *, unsigned int)",
  getsockopt: "int getsockopt(int, int, int, void *, void *)",
  sendto: "long sendto(int, const void *, size_t, int, const void *, unsigned int)",
  recvfrom: "long recvfrom(int, void *, size_t, int, void *, void *)",
  poll: "int poll(void *, unsigned long, int)",
  close: "int close(int)"
} as const

let loaded: LibC | undefined

/** The functions of the C library that this process has anyway; koffi is loaded when they are first needed. */
const libc = (): LibC => {
  if (loaded !== undefined) return loaded
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
    const library = koffi.load(null)
    const functions = Object.fromEntries(
      Object.entries(signatures).map(([name, signature]) => [name, library.func(signature)])
    )
    loaded = { ...functions, errno: () => koffi.errno() } as unknown as LibC
    return loaded
  } catch (error) {
    const message = `netlink needs the npm package koffi with its native part for this machine: ${String(error)}`
    throw new NetlinkError({ reason: "Unsupported", operation: "load koffi", message })
  }
}

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SOL_NETLINK = 270
const MSG_PEEK = 0x02
const MSG_TRUNC = 0x20
const MSG_DONTWAIT = 0x40
const POLLIN = 1
/** `SOL_SOCKET`: as SO_SNDBUF and SO_RCVBUF but beyond `net.core.*mem_max`, for those with CAP_NET_ADMIN. */
const socketOptions = { sendBuffer: 7, receiveBuffer: 8, sendBufferForce: 32, receiveBufferForce: 33 } as const
/** `SOL_NETLINK` */
const netlinkOptions = { addMembership: 1, capAck: 10, extAck: 11 } as const
/** struct sockaddr_nl: family, padding, port id, groups */
const addressBytes = 12

/** Room for answers: acknowledgements of some thousands of failed requests, or a listing's next pieces. */
const receiveBufferBytes = 4 * 1024 * 1024
/** The kernel sends listings in pieces as large as what is read at once, up to 32 KiB. */
const firstReceiveBytes = 64 * 1024
/** A datagram larger than this is refused: nothing that is asked for here comes near to it. */
const maxDatagramBytes = 16 * 1024 * 1024
/** What the kernel adds to a send for its own accounting, generously (`netlink_sendmsg`: sk_sndbuf - 32). */
const sendOverheadBytes = 4096
/** Calls that a signal interrupted are made again, so often at most. */
const maxInterruptions = 100

const bytesOfInt = (value: number): Uint8Array => new Uint8Array(new Int32Array([value]).buffer)

class KernelSocket implements Transport {
  readonly #libc: LibC
  readonly #kernel = new Uint8Array(addressBytes)
  readonly #from = new Uint8Array(addressBytes)
  readonly #fromView = new DataView(this.#from.buffer)
  readonly #fromLength = bytesOfInt(addressBytes)
  readonly #pollFd = new Uint8Array(8)
  readonly portId: number
  #fd: number
  #buffer = new Uint8Array(firstReceiveBytes)
  #sendLimit = 0

  constructor(protocol: Protocol) {
    this.#libc = libc()
    new DataView(this.#kernel.buffer).setUint16(0, AF_NETLINK, littleEndian)
    this.#fd = this.#libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocols[protocol])
    if (this.#fd < 0) throw this.#failure(`open a netlink socket (${protocol})`)
    try {
      const name = this.#kernel.slice()
      if (
        this.#libc.bind(this.#fd, name, addressBytes) < 0 ||
        this.#libc.getsockname(this.#fd, name, this.#fromLength) < 0
      ) {
        throw this.#failure("bind a netlink socket")
      }
      this.portId = new DataView(name.buffer).getUint32(4, littleEndian)
      // Kernels before 4.12 have neither: the errors are only told with fewer words, and answers are longer.
      this.#set(SOL_NETLINK, netlinkOptions.extAck, 1)
      this.#set(SOL_NETLINK, netlinkOptions.capAck, 1)
      if (!this.#set(SOL_SOCKET, socketOptions.receiveBufferForce, receiveBufferBytes)) {
        this.#set(SOL_SOCKET, socketOptions.receiveBuffer, receiveBufferBytes)
      }
      this.#sendLimit = this.#readSendLimit()
    } catch (error) {
      this.close()
      throw error
    }
    const poll = new DataView(this.#pollFd.buffer)
    poll.setInt32(0, this.#fd, littleEndian)
    poll.setInt16(4, POLLIN, littleEndian)
  }

  #failure(operation: string): NetlinkError {
    const errno = this.#libc.errno()
    return errnoError(operation, { errno })
  }

  #open(operation: string): number {
    if (this.#fd >= 0) return this.#fd
    throw new NetlinkError({ reason: "Closed", operation, message: `cannot ${operation}: the socket was closed` })
  }

  #set(level: number, name: number, value: number): boolean {
    return this.#libc.setsockopt(this.#fd, level, name, bytesOfInt(value), 4) === 0
  }

  #readSendLimit(): number {
    const value = new Uint8Array(4)
    if (this.#libc.getsockopt(this.#fd, SOL_SOCKET, socketOptions.sendBuffer, value, bytesOfInt(4)) < 0) return 0
    return new DataView(value.buffer).getInt32(0, littleEndian) - sendOverheadBytes
  }

  reserveSend(operation: string, bytes: number): void {
    this.#open(operation)
    if (bytes <= this.#sendLimit) return
    // The kernel doubles what is asked for.
    const wanted = Math.ceil((bytes + sendOverheadBytes) / 2)
    if (bytes <= maxWriterBytes) {
      if (!this.#set(SOL_SOCKET, socketOptions.sendBufferForce, wanted)) {
        this.#set(SOL_SOCKET, socketOptions.sendBuffer, wanted)
      }
      this.#sendLimit = this.#readSendLimit()
    }
    if (bytes <= this.#sendLimit) return
    throw new NetlinkError({
      reason: "TooLarge",
      operation,
      message: `cannot ${operation}: ${bytes} bytes in one send, and this socket takes ${this.#sendLimit}; CAP_NET_ADMIN or a larger net.core.wmem_max allows more`
    })
  }

  send(operation: string, bytes: Uint8Array): void {
    this.reserveSend(operation, bytes.length)
    for (let attempt = 0; ; attempt++) {
      const sent = this.#libc.sendto(this.#open(operation), bytes, bytes.length, 0, this.#kernel, addressBytes)
      if (sent === bytes.length) return
      const errno = sent < 0 ? this.#libc.errno() : EMSGSIZE
      if (errno === EINTR && attempt < maxInterruptions) continue
      throw errnoError(operation, { errno })
    }
  }

  /** Length of the next datagram without taking it; undefined: there is none now. */
  #peek(operation: string): number | undefined {
    const flags = MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT
    const length = this.#libc.recvfrom(
      this.#open(operation),
      this.#buffer,
      this.#buffer.length,
      flags,
      this.#from,
      this.#fromLength
    )
    if (length >= 0) return length
    const errno = this.#libc.errno()
    if (errno === EAGAIN || errno === EINTR) return undefined
    throw errno === ENOBUFS ? answersLost(operation) : errnoError(operation, { errno })
  }

  receive(operation: string, waitMillis: number): Uint8Array | undefined {
    const deadline = performance.now() + waitMillis
    for (;;) {
      const length = this.#peek(operation)
      if (length === undefined) {
        const left = Math.ceil(deadline - performance.now())
        if (waitMillis <= 0 || left <= 0) return undefined
        this.#libc.poll(this.#pollFd, 1, left)
        continue
      }
      if (length > this.#buffer.length) {
        if (length > maxDatagramBytes) {
          const message = `the kernel's answer has ${length} bytes, and ${maxDatagramBytes} are taken`
          throw new NetlinkError({ reason: "Malformed", operation, message })
        }
        this.#buffer = new Uint8Array(length)
      }
      const taken = this.#libc.recvfrom(
        this.#open(operation),
        this.#buffer,
        this.#buffer.length,
        MSG_DONTWAIT,
        this.#from,
        this.#fromLength
      )
      // Port id 0 is the kernel. Others with enough rights could write to us too, and are not listened to.
      if (taken >= 0 && this.#fromView.getUint32(4, littleEndian) === 0) return this.#buffer.subarray(0, taken)
    }
  }

  join(group: number): void {
    this.#open("join a multicast group")
    if (!this.#set(SOL_NETLINK, netlinkOptions.addMembership, group)) {
      throw this.#failure(`join multicast group ${group}`)
    }
  }

  close(): void {
    if (this.#fd < 0) return
    this.#libc.close(this.#fd)
    this.#fd = -1
  }
}

/** A new socket to the kernel in the network namespace of this thread. Throws NetlinkError. */
export const openSocket = (protocol: Protocol): Transport => new KernelSocket(protocol)
