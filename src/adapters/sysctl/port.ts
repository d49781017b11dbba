/**
 * Parameters of the kernel below /proc/sys, as dataplanes and the proxy use them. Names are those of sysctl(8):
 * `net.ipv4.ip_forward`; where a part holds a dot itself (a device), parts are joined by `/`: `net/ipv4/conf/eth0.1/arp_ignore`.
 */
import { Context, type Effect, Schema } from "effect"

/**
 * `Missing`: this kernel has no such parameter, or its module is not loaded; `NoPermission`: not root, or /proc/sys is
 * read-only; `Invalid`: the kernel does not take the value; `Failed`: anything else.
 */
export class SysctlError extends Schema.TaggedError<SysctlError>()("SysctlError", {
  reason: Schema.Literals(["Missing", "NoPermission", "Invalid", "Failed"]),
  name: Schema.String,
  /** Says how to mend it. */
  message: Schema.String
}) {}

/** What a parameter should be. */
export interface SysctlWish {
  readonly name: string
  readonly value: string
  /** A number: what is as large or larger stays as it is. */
  readonly atLeast?: boolean
  /** A kernel without this parameter needs nothing of it: no failure is told. */
  readonly optional?: boolean
}

/** A kernel parameter that was set. `before` is absent where it could not be read. */
export interface SysctlSet {
  readonly name: string
  readonly before?: string
  readonly value: string
  /** It could not be set, and why. */
  readonly failure?: string
}

export class Sysctls extends Context.Service<
  Sysctls,
  {
    /** Without the newline at the end. */
    readonly read: (name: string) => Effect.Effect<string, SysctlError>
    readonly write: (name: string, value: string) => Effect.Effect<void, SysctlError>
    /** Sets, in order, what is not so already; tells each that was set or could not be. What is right is not written. */
    readonly ensure: (wishes: ReadonlyArray<SysctlWish>) => Effect.Effect<ReadonlyArray<SysctlSet>>
  }
>()("chronode/Sysctls") {}
