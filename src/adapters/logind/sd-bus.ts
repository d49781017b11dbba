/**
 * A connection to the system's D-Bus by libsystemd (sd-bus, through koffi): it does the authentication by peer credentials and
 * takes over the file descriptor that an inhibitor is. Calls wait for their answer, `callTimeout` at most; nothing else does.
 * The library is there wherever logind is. The only file in this folder that knows of foreign functions.
 */
import { createRequire } from "node:module"
import { LogindError } from "./port.ts"

/** Microseconds that a call may take: the bus and logind are on this machine. */
const callTimeout = 2_000_000n

type Pointer = unknown

interface SdBus {
  readonly sd_bus_new: (bus: [Pointer]) => number
  readonly sd_bus_set_address: (bus: Pointer, address: string) => number
  readonly sd_bus_set_bus_client: (bus: Pointer, isClient: number) => number
  readonly sd_bus_start: (bus: Pointer) => number
  readonly sd_bus_set_method_call_timeout: (bus: Pointer, microseconds: bigint) => number
  readonly sd_bus_message_new_method_call: (
    bus: Pointer,
    message: [Pointer],
    destination: string,
    path: string,
    interfaceName: string,
    member: string
  ) => number
  readonly sd_bus_message_append_basic: (message: Pointer, type: number, value: string) => number
  readonly sd_bus_call: (
    bus: Pointer,
    message: Pointer,
    microseconds: bigint,
    error: Uint8Array,
    reply: [Pointer]
  ) => number
  readonly sd_bus_get_property_trivial: (
    bus: Pointer,
    destination: string,
    path: string,
    interfaceName: string,
    member: string,
    error: Uint8Array,
    type: number,
    value: Uint8Array
  ) => number
  readonly sd_bus_process: (bus: Pointer, message: [Pointer]) => number
  readonly sd_bus_message_is_signal: (message: Pointer, interfaceName: string, member: string) => number
  readonly sd_bus_message_read_basic: (message: Pointer, type: number, value: Uint8Array) => number
  readonly sd_bus_message_unref: (message: Pointer) => Pointer
  readonly sd_bus_flush_close_unref: (bus: Pointer) => Pointer
}

const signatures: Readonly<Record<keyof SdBus, string>> = {
  sd_bus_new: "int sd_bus_new(_Out_ void **)",
  sd_bus_set_address: "int sd_bus_set_address(void *, const char *)",
  sd_bus_set_bus_client: "int sd_bus_set_bus_client(void *, int)",
  sd_bus_start: "int sd_bus_start(void *)",
  sd_bus_set_method_call_timeout: "int sd_bus_set_method_call_timeout(void *, uint64_t)",
  sd_bus_message_new_method_call:
    "int sd_bus_message_new_method_call(void *, _Out_ void **, const char *, const char *, const char *, const char *)",
  sd_bus_message_append_basic: "int sd_bus_message_append_basic(void *, char, const char *)",
  sd_bus_call: "int sd_bus_call(void *, void *, uint64_t, void *, _Out_ void **)",
  sd_bus_get_property_trivial:
    "int sd_bus_get_property_trivial(void *, const char *, const char *, const char *, const char *, void *, char, void *)",
  sd_bus_process: "int sd_bus_process(void *, _Out_ void **)",
  sd_bus_message_is_signal: "int sd_bus_message_is_signal(void *, const char *, const char *)",
  sd_bus_message_read_basic: "int sd_bus_message_read_basic(void *, char, void *)",
  sd_bus_message_unref: "void *sd_bus_message_unref(void *)",
  sd_bus_flush_close_unref: "void *sd_bus_flush_close_unref(void *)"
}

let loaded: SdBus | undefined

const library = (): SdBus => {
  if (loaded !== undefined) return loaded
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
    const systemd = koffi.load("libsystemd.so.0")
    loaded = Object.fromEntries(
      Object.entries(signatures).map(([name, signature]) => [name, systemd.func(signature)])
    ) as unknown as SdBus
    return loaded
  } catch (error) {
    const message = `libsystemd.so.0 cannot be loaded: ${error instanceof Error ? error.message : String(error)}`
    throw new LogindError({ reason: "Unavailable", call: "load libsystemd", message })
  }
}

/** struct sd_bus_error: two pointers and a flag. Its texts stay with the library: they are a few bytes, and failures are rare. */
const errorBytes = 24
const code = (character: string): number => character.charCodeAt(0)

/** errno of what is not there: no bus, nobody of that name, a bus that has hung up. */
const unavailable: ReadonlyMap<number, string> = new Map([
  [2, "there is no system bus"],
  [6, "nobody answers to that name"],
  [104, "the bus has hung up"],
  [107, "the bus has hung up"],
  [110, "no answer in time"],
  [111, "the system bus refuses the connection"],
  [113, "nobody answers to that name"]
])

/** A negative answer is an errno. */
const checked = (call: string, answer: number): number => {
  if (answer >= 0) return answer
  const known = unavailable.get(-answer)
  const reason = known === undefined ? "Refused" : "Unavailable"
  throw new LogindError({ reason, call, message: `${call}: ${known ?? `errno ${-answer}`}` })
}

export interface Target {
  readonly destination: string
  readonly path: string
  readonly interfaceName: string
}

/** What an answer holds is there until it is let go: a file descriptor in it is closed then. */
export interface Answer {
  readonly letGo: () => void
}

/** One connection. All throw LogindError. */
export class SystemBus {
  private readonly sd = library()
  private readonly bus: Pointer
  private isOpen = true

  /** `address`: `unix:path=/run/dbus/system_bus_socket` */
  constructor(address: string) {
    const { sd } = this
    const out: [Pointer] = [null]
    const connect = `connect to the system bus at ${address}`
    checked(connect, sd.sd_bus_new(out))
    this.bus = out[0]
    try {
      checked(connect, sd.sd_bus_set_address(this.bus, address))
      checked(connect, sd.sd_bus_set_bus_client(this.bus, 1))
      checked(connect, sd.sd_bus_set_method_call_timeout(this.bus, callTimeout))
      checked(connect, sd.sd_bus_start(this.bus))
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** A method whose arguments are texts. */
  call({ destination, path, interfaceName }: Target, member: string, texts: ReadonlyArray<string>): Answer {
    const [message, reply]: [[Pointer], [Pointer]] = [[null], [null]]
    const { sd } = this
    checked(member, sd.sd_bus_message_new_method_call(this.bus, message, destination, path, interfaceName, member))
    try {
      for (const text of texts) checked(member, sd.sd_bus_message_append_basic(message[0], code("s"), text))
      checked(member, sd.sd_bus_call(this.bus, message[0], callTimeout, new Uint8Array(errorBytes), reply))
    } finally {
      sd.sd_bus_message_unref(message[0])
    }
    let isHeld = true
    return {
      letGo: () => {
        if (isHeld) sd.sd_bus_message_unref(reply[0])
        isHeld = false
      }
    }
  }

  /** `t`: an unsigned 64-bit number; `b`: a truth value. */
  property({ destination, path, interfaceName }: Target, name: string, type: "t" | "b"): bigint {
    const value = new Uint8Array(8)
    const error = new Uint8Array(errorBytes)
    checked(
      name,
      this.sd.sd_bus_get_property_trivial(this.bus, destination, path, interfaceName, name, error, code(type), value)
    )
    const view = new DataView(value.buffer)
    return type === "t" ? view.getBigUint64(0, littleEndian) : BigInt(view.getInt32(0, littleEndian))
  }

  /** From now on signals of this interface come in. */
  listen({ interfaceName, path }: Target, member: string): void {
    const match = `type='signal',interface='${interfaceName}',member='${member}',path='${path}'`
    this.call(daemon, "AddMatch", [match]).letGo()
  }

  /** Takes what has come in, without waiting: the truth values that signals of this name tell. */
  signals({ interfaceName }: Target, member: string): ReadonlyArray<boolean> {
    const { sd } = this
    const told: Array<boolean> = []
    for (;;) {
      const message: [Pointer] = [null]
      if (checked("read from the system bus", sd.sd_bus_process(this.bus, message)) === 0) return told
      if (message[0] === null) continue
      if (sd.sd_bus_message_is_signal(message[0], interfaceName, member) > 0) {
        const value = new Uint8Array(4)
        checked(member, sd.sd_bus_message_read_basic(message[0], code("b"), value))
        told.push(new DataView(value.buffer).getInt32(0, littleEndian) !== 0)
      }
      sd.sd_bus_message_unref(message[0])
    }
  }

  close(): void {
    if (this.isOpen) this.sd.sd_bus_flush_close_unref(this.bus)
    this.isOpen = false
  }
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
const daemon: Target = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interfaceName: "org.freedesktop.DBus"
}
