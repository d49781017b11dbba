/** The node in memory, for tests and simulated nodes: files by path. */
import { Effect, Layer } from "effect"
import { Host, HostError, type NodeFacts } from "./port.ts"

export interface MemoryHost {
  /** Files and directories (empty text, path ending in `/`) that are there now. */
  readonly files: Map<string, string>
  readonly service: Host["Service"]
}

export const memoryFacts = (nodeName: string): NodeFacts => ({
  nodeName,
  kernel: "6.1.0-simulated",
  architecture: "amd64",
  bootId: "00000000-0000-0000-0000-000000000000",
  host: "simulation",
  cgroupVersion: "v2",
  cpus: 4,
  memoryCapacity: 8 * 2 ** 30,
  hugePageSizes: [],
  hugePages: {},
  maxPids: 32_768,
  swapAccounting: false,
  selinux: false,
  appArmor: false,
  thermalPaths: [],
  addresses: ["192.0.2.1"]
})

export const makeMemoryHost = (nodeName: string): MemoryHost => {
  const files = new Map<string, string>()
  const refuse = (operation: string, path: string) =>
    path.startsWith("/") ? undefined : new HostError({ operation, path, message: "is no absolute path" })
  const act = <A>(operation: string, path: string, run: () => A): Effect.Effect<A, HostError> =>
    Effect.suspend(() => {
      const refusal = refuse(operation, path)
      return refusal === undefined ? Effect.succeed(run()) : Effect.fail(refusal)
    })
  const service = Host.of({
    facts: memoryFacts(nodeName),
    subordinateIds: Effect.succeed(undefined),
    readText: (path) => act("read", path, () => files.get(path) ?? ""),
    readTail: (path, bytes) => act("read", path, () => (files.get(path) ?? "").slice(-bytes)),
    makeDirectory: (path) => act("make directory", path, () => void files.set(`${path}/`, "")),
    directories: (path) =>
      act("list", path, () => {
        // A simulated day asks every minute, among all files that its containers have left.
        const start = path.length + 1
        const names = new Set<string>()
        let last = ""
        for (const file of files.keys()) {
          if (file[path.length] !== "/" || !file.startsWith(path)) continue
          if (last !== "" && file.startsWith(last, start)) continue
          const end = file.indexOf("/", start)
          if (end < 0) continue
          last = file.slice(start, end + 1)
          names.add(last.slice(0, -1))
        }
        return [...names].sort()
      }),
    writeFile: (path, content) => act("write", path, () => void files.set(path, content)),
    removeTree: (path) =>
      act("remove", path, () => {
        for (const file of [...files.keys()]) if (`${file}/`.startsWith(`${path}/`)) files.delete(file)
      })
  })
  return { files, service }
}

export const layer = (nodeName: string): Layer.Layer<Host> => Layer.sync(Host, () => makeMemoryHost(nodeName).service)
