/** The node through the file system. */
import { randomUUID } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import process from "node:process"
import { Effect, Layer } from "effect"
import { orderedAddresses } from "./addresses.ts"
import { Host, HostError, type NodeFacts } from "./port.ts"
import { runtimeName } from "./runtime.ts"
import { readSubordinateIds } from "./subordinate-ids.ts"

/** Bits that files which are made do not get. */
const creationMask = process.umask()
const maxTextBytes = 1024 * 1024
/** Files of /proc say that they have no bytes. */
const pseudoFileBytes = 64 * 1024

const attempt = <A>(operation: string, at: string, run: () => Promise<A>): Effect.Effect<A, HostError> =>
  Effect.tryPromise({
    try: run,
    catch: (error) =>
      new HostError({ operation, path: at, message: error instanceof Error ? error.message : String(error) })
  })

const isMissing = (error: unknown): boolean =>
  typeof error === "object" && error !== null && (error as { readonly code?: string }).code === "ENOENT"

const textOr = (file: string, otherwise: string): string => {
  try {
    return readFileSync(file, "utf8").trim()
  } catch {
    return otherwise
  }
}

const cgroupVersion = (): NodeFacts["cgroupVersion"] => {
  const mounts = textOr("/proc/self/mounts", "")
  if (/ \/sys\/fs\/cgroup cgroup2 /u.test(mounts)) return "v2"
  return / cgroup /u.test(mounts) ? "v1" : "none"
}

/** `/sys/kernel/mm/hugepages/hugepages-2048kB` → `2MB` (runc's names). */
const hugePageSizes = (): ReadonlyArray<string> => {
  try {
    return readdirSync("/sys/kernel/mm/hugepages")
      .map((name) => Number(/^hugepages-(\d+)kB$/u.exec(name)?.[1] ?? 0))
      .filter((kb) => kb > 0)
      .sort((a, b) => a - b)
      .map((kb) => (kb >= 1024 * 1024 ? `${kb / 1024 / 1024}GB` : kb >= 1024 ? `${kb / 1024}MB` : `${kb}KB`))
  } catch {
    return []
  }
}

/** Pages of each size that the kernel keeps (`nr_hugepages`), in bytes, under Kubernetes' name of the resource. */
const hugePages = (): Readonly<Record<string, number>> => {
  const directory = "/sys/kernel/mm/hugepages"
  try {
    return Object.fromEntries(
      readdirSync(directory).map((name) => {
        const kb = Number(/^hugepages-(\d+)kB$/u.exec(name)?.[1] ?? 0)
        const size = kb >= 1024 * 1024 ? `${kb / 1024 / 1024}Gi` : kb >= 1024 ? `${kb / 1024}Mi` : `${kb}Ki`
        return [`hugepages-${size}`, kb * 1024 * Number(textOr(`${directory}/${name}/nr_hugepages`, "0"))]
      })
    )
  } catch {
    return {}
  }
}

/** PID_MAX_LIMIT of a 64-bit kernel. */
const kernelMaxPids = 4_194_304

/** The lower of the two bounds (`pkg/kubelet/stats/pidlimit`). */
const maxPids = (): number =>
  Math.min(
    kernelMaxPids,
    ...["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"]
      .map((file) => Number(textOr(file, "0")))
      .filter((most) => most > 0)
  )

/** `/sys/devices/system/cpu/cpu<n>/thermal_throttle`, as far as it is there (moby's masked paths). */
const thermalPaths = (): ReadonlyArray<string> => {
  const cpus = "/sys/devices/system/cpu"
  try {
    return readdirSync(cpus)
      .filter((name) => /^cpu\d+$/u.test(name))
      .map((name) => `${cpus}/${name}/thermal_throttle`)
      .filter((file) => existsSync(file))
  } catch {
    return []
  }
}

const swapFiles = [
  "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes",
  "/sys/fs/cgroup/system.slice/memory.swap.max",
  "/sys/fs/cgroup/init.scope/memory.swap.max"
]

/** As runc looks for it: the kernel's switch, its files, and the program that loads profiles. */
const appArmorEnabled = (): boolean =>
  existsSync("/sys/kernel/security/apparmor") &&
  existsSync("/sbin/apparmor_parser") &&
  textOr("/sys/module/apparmor/parameters/enabled", "N").startsWith("Y")

const addresses = (): ReadonlyArray<string> =>
  orderedAddresses(os.networkInterfaces(), {
    v4: textOr("/proc/net/route", ""),
    v6: textOr("/proc/net/ipv6_route", "")
  })

export const readFacts = (nodeName: string): NodeFacts => ({
  nodeName,
  kernel: os.release(),
  architecture: os.arch() === "x64" ? "amd64" : os.arch(),
  bootId: textOr("/proc/sys/kernel/random/boot_id", "unknown"),
  host: runtimeName(),
  cgroupVersion: cgroupVersion(),
  cpus: os.cpus().length,
  memoryCapacity: os.totalmem(),
  hugePageSizes: hugePageSizes(),
  hugePages: hugePages(),
  maxPids: maxPids(),
  swapAccounting: swapFiles.some((file) => existsSync(file)),
  selinux: textOr("/sys/fs/selinux/enforce", "0") === "1",
  appArmor: appArmorEnabled(),
  thermalPaths: thermalPaths(),
  addresses: addresses()
})

/** At most `bytes` of a file, from where `start` says; empty where there is no file. */
const readPart = async (file: string, start: (size: number) => number, bytes: number): Promise<string> => {
  try {
    const handle = await fs.open(file)
    try {
      const { size } = await handle.stat()
      const buffer = Buffer.alloc(Math.min(bytes, Math.max(size, pseudoFileBytes)))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, start(size))
      return buffer.toString("utf8", 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (isMissing(error)) return ""
    throw error
  }
}

export const layer = (nodeName: string): Layer.Layer<Host> =>
  Layer.sync(Host, () =>
    Host.of({
      facts: readFacts(nodeName),
      subordinateIds: attempt("subordinate ids", "/etc/subuid", readSubordinateIds),
      readText: (file) => attempt("read", file, () => readPart(file, () => 0, maxTextBytes)),
      readTail: (file, bytes) =>
        attempt("read", file, () => readPart(file, (size) => Math.max(size - bytes, 0), bytes)),
      makeDirectory: (directory, mode) =>
        attempt("make directory", directory, async () => {
          await fs.mkdir(directory, { recursive: true, mode })
        }),
      directories: (directory) =>
        attempt("list", directory, async () => {
          try {
            const entries = await fs.readdir(directory, { withFileTypes: true })
            return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort()
          } catch (error) {
            if (isMissing(error)) return []
            throw error
          }
        }),
      writeFile: (file, content, mode) =>
        attempt("write", file, async () => {
          const draft = `${file}.${randomUUID()}`
          const write = () => fs.writeFile(draft, content, { mode })
          // Its directory is there mostly.
          await write().catch(async (error) => {
            if (!isMissing(error)) throw error
            await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o755 })
            await write()
          })
          if ((mode & creationMask) !== 0) await fs.chmod(draft, mode)
          await fs.rename(draft, file)
        }),
      removeTree: (directory) =>
        attempt("remove", directory, async () => {
          const mounts = textOr("/proc/self/mounts", "")
          const inside = mounts.split("\n").find((line) => `${line.split(" ")[1] ?? ""}/`.startsWith(`${directory}/`))
          if (inside !== undefined) throw new Error(`${inside.split(" ")[1]} is still mounted`)
          await fs.rm(directory, { recursive: true, force: true })
        })
    })
  )
