import { Effect } from "effect"
import { type MemoryCgroup, makeMemoryStatistics } from "../../../src/adapters/cgroupfs/statistics-memory.ts"
import { statisticsContract } from "./statistics-contract.ts"

const cpu = { usage: 1_000_000, user: 600_000, system: 400_000, periods: 0, throttledPeriods: 0, throttled: 0 }
const memory = (bytes: number) => ({
  ...{ usage: bytes, workingSet: bytes, rss: bytes, cache: 0, mappedFile: 0, swap: 0 },
  ...{ pageFaults: 1, majorPageFaults: 0, failures: 0 }
})
const idle: MemoryCgroup = {
  sample: { cpu: { ...cpu, usage: 0 }, memory: memory(0), pids: { current: 0 } },
  oom: { events: { oom_kill: 0 } }
}
const busy = (bytes: number): MemoryCgroup => ({
  ...idle,
  sample: { cpu, memory: memory(bytes), pids: { current: 1 } }
})

statisticsContract(
  "the memory of statistics",
  Effect.sync(() => {
    const self = makeMemoryStatistics()
    self.node = { cpu, memory: memory(5), pids: { current: 3, limit: 9 } }
    const above = (path: string) => path.split("/").map((_, i, all) => all.slice(0, i + 1).join("/"))
    const lo = { name: "lo", rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDropped: 0 }
    return {
      statistics: self.service,
      root: "/test",
      make: (path) =>
        Effect.sync(() => {
          for (const step of above(path)) if (step !== "" && !self.groups.has(step)) self.groups.set(step, idle)
        }),
      remove: (path) =>
        Effect.sync(() => {
          for (const known of [...self.groups.keys()]) if (`${known}/`.startsWith(`${path}/`)) self.groups.delete(known)
        }),
      spend: (path, bytes) =>
        Effect.sync(() => {
          for (const step of above(path)) if (step !== "") self.groups.set(step, busy(bytes))
          const interfaces = [{ ...lo, txBytes: 0, txPackets: 0, txErrors: 0, txDropped: 0 }]
          self.groups.set(path, { ...busy(bytes), interfaces })
          self.notify(path, "threshold", bytes)
        })
    }
  })
)
