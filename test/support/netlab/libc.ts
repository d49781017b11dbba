/** The few calls of libc that sockets in several network namespaces take: Linux, socket(7), setns(2). */
import { endianness } from "node:os"
import ipaddr from "ipaddr.js"
import koffi from "koffi"
import type { Protocol } from "./protocol.ts"

const libc = koffi.load("libc.so.6")
const calls = {
  open: libc.func("int open(const char *path, int flags)"),
  close: libc.func("int close(int fd)"),
  setns: libc.func("int setns(int fd, int nstype)"),
  socket: libc.func("int socket(int domain, int type, int protocol)"),
  setsockopt: libc.func("int setsockopt(int fd, int level, int name, void *value, int length)"),
  getsockopt: libc.func("int getsockopt(int fd, int level, int name, void *value, void *length)"),
  bind: libc.func("int bind(int fd, void *address, int length)"),
  connect: libc.func("int connect(int fd, void *address, int length)"),
  listen: libc.func("int listen(int fd, int backlog)"),
  accept4: libc.func("int accept4(int fd, void *address, void *length, int flags)"),
  recvfrom: libc.func("long recvfrom(int fd, void *buffer, size_t size, int flags, void *address, void *length)"),
  sendto: libc.func("long sendto(int fd, void *buffer, size_t size, int flags, void *address, int length)"),
  read: libc.func("long read(int fd, void *buffer, size_t size)"),
  write: libc.func("long write(int fd, void *buffer, size_t size)"),
  poll: libc.func("int poll(void *fds, unsigned long count, int timeout)")
}

const AF = { IPv4: 2, IPv6: 10 } as const
const sockaddrSize = 28
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const MSG_NOSIGNAL = 0x4000
const CLONE_NEWNET = 0x40000000
const SOL_SOCKET = 1
const [SO_REUSEADDR, SO_ERROR, SO_LINGER] = [2, 4, 13]
const [IPPROTO_IPV6, IPV6_V6ONLY] = [41, 26]
const IPPROTO_SCTP = 132
const [SOCK_STREAM, SOCK_DGRAM] = [1, 2]
export const [POLLIN, POLLOUT] = [1, 4]

export class Errno extends Error {
  readonly code: string
  constructor(call: string, number: number) {
    const code = Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? String(number)
    super(`${call}: ${code}`)
    this.code = code
  }
}

const checked = (call: keyof typeof calls, ...args: ReadonlyArray<unknown>): number => {
  const result = Number(calls[call](...args))
  if (result < 0) throw new Errno(call, koffi.errno())
  return result
}

export interface Endpoint {
  readonly ip: string
  readonly port: number
}

const isV6 = (ip: string): boolean => ip.includes(":")

/** sockaddr_in(7), sockaddr_in6: the family in the machine's order, the rest in the network's. */
const encode = ({ ip, port }: Endpoint): Uint8Array => {
  const bytes = new Uint8Array(isV6(ip) ? sockaddrSize : 16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, isV6(ip) ? AF.IPv6 : AF.IPv4, endianness() === "LE")
  view.setUint16(2, port)
  bytes.set(ipaddr.parse(ip).toByteArray(), isV6(ip) ? 8 : 4)
  return bytes
}

const decode = (bytes: Uint8Array): Endpoint => {
  const view = new DataView(bytes.buffer)
  const six = view.getUint16(0, endianness() === "LE") === AF.IPv6
  const ip = ipaddr.fromByteArray([...bytes.subarray(six ? 8 : 4, six ? 24 : 8)]).toString()
  return { ip, port: view.getUint16(2) }
}

const int = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer)
const lengthOf = (bytes: Uint8Array): Int32Array => Int32Array.of(bytes.length)
const buffer = new Uint8Array(65_536)
const encoder = new TextEncoder()
const decoder = new TextDecoder()

const own = checked("open", "/proc/self/ns/net", SOCK_CLOEXEC)
const namespaces = new Map<string, number>()

/** Does something in a namespace of `ip netns`; "" is the process's own. A socket stays in the namespace it was made in. */
export const inNamespace = <A>(name: string, run: () => A): A => {
  if (name === "") return run()
  let fd = namespaces.get(name)
  if (fd === undefined) {
    fd = checked("open", `/run/netns/${name}`, SOCK_CLOEXEC)
    namespaces.set(name, fd)
  }
  checked("setns", fd, CLONE_NEWNET)
  try {
    return run()
  } finally {
    checked("setns", own, CLONE_NEWNET)
  }
}

/** A socket that does not block, for addresses like `ip`. */
export const makeSocket = (ip: string, protocol: Protocol): number =>
  checked(
    "socket",
    isV6(ip) ? AF.IPv6 : AF.IPv4,
    (protocol === "UDP" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC,
    protocol === "SCTP" ? IPPROTO_SCTP : 0
  )

export const close = (fd: number): void => void checked("close", fd)

export const bind = (fd: number, at: Endpoint): void => {
  checked("setsockopt", fd, SOL_SOCKET, SO_REUSEADDR, int(1), 4)
  if (isV6(at.ip)) checked("setsockopt", fd, IPPROTO_IPV6, IPV6_V6ONLY, int(1), 4)
  const address = encode(at)
  checked("bind", fd, address, address.length)
}

/** Closing it resets the connection: its port is free at once. */
export const resetOnClose = (fd: number): void =>
  void checked("setsockopt", fd, SOL_SOCKET, SO_LINGER, new Uint8Array(Int32Array.of(1, 0).buffer), 8)

/** Begins to connect; `false`: not done yet, which the socket's being writable tells. */
export const connect = (fd: number, to: Endpoint): boolean => {
  const address = encode(to)
  try {
    checked("connect", fd, address, address.length)
    return true
  } catch (error) {
    if (error instanceof Errno && error.code === "EINPROGRESS") return false
    throw error
  }
}

/** Throws what went wrong on the socket since the last look. */
export const throwPending = (fd: number): void => {
  const value = int(0)
  checked("getsockopt", fd, SOL_SOCKET, SO_ERROR, value, lengthOf(value))
  const code = new Int32Array(value.buffer)[0]!
  if (code !== 0) throw new Errno("connect", code)
}

export const listen = (fd: number): void => void checked("listen", fd, 512)

const orNothing = <A>(run: () => A): A | undefined => {
  try {
    return run()
  } catch (error) {
    if (error instanceof Errno && (error.code === "EAGAIN" || error.code === "EWOULDBLOCK")) return undefined
    throw error
  }
}

/** The next connection, if one waits. */
export const accept = (fd: number): { readonly fd: number; readonly peer: Endpoint } | undefined =>
  orNothing(() => {
    const address = new Uint8Array(sockaddrSize)
    const accepted = checked("accept4", fd, address, lengthOf(address), SOCK_NONBLOCK | SOCK_CLOEXEC)
    return { fd: accepted, peer: decode(address) }
  })

/** What came, if something did; "" on a stream: the other side is done. `peer` of datagrams only. */
export const receive = (fd: number): { readonly text: string; readonly peer: Endpoint } | undefined =>
  orNothing(() => {
    const address = new Uint8Array(sockaddrSize)
    const size = checked("recvfrom", fd, buffer, buffer.length, 0, address, lengthOf(address))
    return { text: decoder.decode(buffer.subarray(0, size)), peer: decode(address) }
  })

/** Short texts only: they always fit into an empty socket. */
export const send = (fd: number, text: string, to?: Endpoint): void => {
  const bytes = encoder.encode(text)
  const address = to === undefined ? undefined : encode(to)
  checked("sendto", fd, bytes, bytes.length, MSG_NOSIGNAL, address ?? null, address?.length ?? 0)
}

/** The next bytes of a file that can be read; none: its end. */
export const read = (fd: number): Uint8Array => buffer.slice(0, checked("read", fd, buffer, buffer.length))

export const writeAll = (fd: number, text: string): void => {
  for (let bytes = encoder.encode(text); bytes.length > 0; ) {
    const written = orNothing(() => checked("write", fd, bytes, bytes.length))
    if (written === undefined) poll([{ fd, events: POLLOUT }], 1000)
    else bytes = bytes.slice(written)
  }
}

export interface Interest {
  readonly fd: number
  readonly events: number
}

/** Waits up to `timeout` milliseconds; answers those to which something happened. */
export const poll = <I extends Interest>(interests: ReadonlyArray<I>, timeout: number): ReadonlyArray<I> => {
  const words = new Int32Array(interests.length * 2)
  const events = new Int16Array(words.buffer)
  for (const [index, interest] of interests.entries()) {
    words[index * 2] = interest.fd
    events[index * 4 + 2] = interest.events
  }
  let ready = 0
  try {
    ready = checked("poll", words, interests.length, timeout)
  } catch (error) {
    if (!(error instanceof Errno && error.code === "EINTR")) throw error
  }
  return ready === 0 ? [] : interests.filter((_, index) => events[index * 4 + 3] !== 0)
}
