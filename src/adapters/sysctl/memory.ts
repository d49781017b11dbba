/** A kernel's parameters in memory, for tests and what-if. */
import { Effect } from "effect"
import { ensureSysctls } from "./ensure.ts"
import { SysctlError, Sysctls } from "./port.ts"

export interface MemorySysctls {
  readonly service: Sysctls["Service"]
  /** By name, as `read` answers them. */
  readonly values: Map<string, string>
  /** Names whose writing is refused. */
  readonly readOnly: Set<string>
}

export const make = (initial: Readonly<Record<string, string>> = {}): MemorySysctls => {
  const values = new Map(Object.entries(initial))
  const readOnly = new Set<string>()
  const missing = (name: string) =>
    Effect.fail(new SysctlError({ reason: "Missing", name, message: `this kernel has no ${name}` }))
  const read = (name: string) =>
    Effect.suspend(() => {
      const value = values.get(name)
      return value === undefined ? missing(name) : Effect.succeed(value)
    })
  const write = (name: string, value: string) =>
    Effect.suspend((): Effect.Effect<void, SysctlError> => {
      if (!values.has(name)) return missing(name)
      if (readOnly.has(name))
        return Effect.fail(new SysctlError({ reason: "NoPermission", name, message: `${name} is read-only` }))
      values.set(name, value)
      return Effect.void
    })
  return { service: Sysctls.of({ read, write, ensure: ensureSysctls({ read, write }) }), values, readOnly }
}
