/** Parameters of the kernel through /proc/sys, of the network namespace that the agent is in. */
import * as fs from "node:fs/promises"
import { Effect, Layer } from "effect"
import { ensureSysctls } from "./ensure.ts"
import { SysctlError, Sysctls } from "./port.ts"

const procSys = "/proc/sys"

/** sysctl(8): with a `/` anywhere, dots are part of names. */
const partsOf = (name: string): ReadonlyArray<string> => name.split(name.includes("/") ? "/" : ".")

const failure = (name: string, error: unknown): SysctlError => {
  const { code, message } = error as { readonly code?: string; readonly message: string }
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new SysctlError({
        reason: "Missing",
        name,
        message: `this kernel has no ${name}; load the module that it belongs to`
      })
    case "EACCES":
    case "EPERM":
      return new SysctlError({
        reason: "NoPermission",
        name,
        message: `${name} may not be changed from here; run as root in the host's network namespace, or set it yourself`
      })
    case "EROFS":
      return new SysctlError({
        reason: "NoPermission",
        name,
        message: `${procSys} is read-only here; mount it writable, or set ${name} on the host`
      })
    case "EINVAL":
    case "ERANGE":
      return new SysctlError({ reason: "Invalid", name, message: `the kernel does not take this value for ${name}` })
    default:
      return new SysctlError({ reason: "Failed", name, message: `${name}: ${message}` })
  }
}

/** @param root where the kernel shows its parameters; another directory in tests */
export const make = (root: string = procSys): Sysctls["Service"] => {
  const at = <A>(name: string, use: (path: string) => Promise<A>): Effect.Effect<A, SysctlError> => {
    const parts = partsOf(name)
    if (parts.some((part) => part === "" || part === "." || part === ".."))
      return Effect.fail(new SysctlError({ reason: "Invalid", name, message: `'${name}' is no kernel parameter` }))
    return Effect.tryPromise({
      try: () => use([root, ...parts].join("/")),
      catch: (error) => failure(name, error)
    })
  }
  const read = (name: string) =>
    at(name, async (path) => {
      const text = await fs.readFile(path, "utf8")
      return text.trim()
    })
  // Opened without O_CREAT: a parameter that the kernel does not have is missing, on every file system.
  const write = (name: string, value: string) =>
    at(name, async (path) => await fs.writeFile(path, value, { flag: "r+" }))
  return Sysctls.of({ read, write, ensure: ensureSysctls({ read, write }) })
}

export const layer: Layer.Layer<Sysctls> = Layer.sync(Sysctls, () => make())
