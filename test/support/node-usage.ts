/** A node's usage as statistics tell it, made up: so many pods of so many containers, every figure there. */
import type { CgroupSample, ContainerSample, InterfaceCounters } from "../../src/adapters/cgroupfs/port.ts"
import type { Machine, Usage } from "../../src/adapters/metrics/usage.ts"
import type { ContainerStats, PodStats, PsiStats } from "../../src/events/stats-summary.ts"

export const machine: Machine = {
  bootId: "00000000-0000-0000-0000-000000000000",
  machineId: "0123456789abcdef0123456789abcdef",
  systemUuid: "00000000-0000-0000-0000-000000000001",
  kernel: "6.1.0",
  os: "Debian GNU/Linux 12 (bookworm)",
  cpus: 4,
  memory: 8 * 2 ** 30,
  swap: 2 ** 30
}

const psi: PsiStats = {
  some: { total: 1_500_000, avg10: 1.5, avg60: 1, avg300: 0.5 },
  full: { total: 500_000, avg10: 0.5, avg60: 0.25, avg300: 0.125 }
}

export const sampleAt = (at: number, n = 1): CgroupSample => ({
  at,
  cpu: {
    usage: n * 2_500_000_000,
    user: n * 2_000_000_000,
    system: n * 500_000_000,
    periods: 100,
    throttledPeriods: 7,
    throttled: 350_000_000,
    pressure: psi
  },
  memory: {
    usage: n * 30_000_000,
    workingSet: n * 20_000_000,
    rss: n * 15_000_000,
    cache: n * 10_000_000,
    mappedFile: 4096,
    swap: 8192,
    pageFaults: n * 1000,
    majorPageFaults: n,
    limit: 64 * 2 ** 20,
    peak: n * 40_000_000,
    failures: 3,
    oomKills: 1,
    pressure: psi
  },
  pids: { current: n + 1, limit: 1024 },
  io: {
    devices: [{ device: "259:0", readBytes: 4096 * n, writeBytes: 8192 * n, reads: n, writes: 2 * n }],
    pressure: psi
  }
})

const network = (n: number): ReadonlyArray<InterfaceCounters> =>
  ["lo", "eth0"].map((name) => ({
    name,
    rxBytes: 1000 * n,
    rxPackets: 10 * n,
    rxErrors: 1,
    rxDropped: 2,
    txBytes: 2000 * n,
    txPackets: 20 * n,
    txErrors: 3,
    txDropped: 4
  }))

const statsOf = (name: string, { at, cpu, memory }: CgroupSample): ContainerStats => {
  const time = new Date(at).toISOString()
  return {
    name,
    startTime: new Date(at - 60_000).toISOString(),
    cpu: { time, usageCoreNanoSeconds: cpu?.usage ?? 0, usageNanoCores: 1_000_000 },
    memory: { time, workingSetBytes: memory?.workingSet ?? 0, usageBytes: memory?.usage ?? 0 },
    swap: { time, swapUsageBytes: memory?.swap ?? 0, swapAvailableBytes: 1024 },
    rootfs: { time, usedBytes: 12_288, capacityBytes: 10 ** 11, inodes: 10 ** 6, inodesFree: 999_000 },
    logs: { time, usedBytes: 2048, capacityBytes: 10 ** 11 }
  }
}

/** Pods `web-0`, `web-1`, …, in namespace default, with containers `c0`, `c1`, … and a sandbox each. */
export const usageOf = (pods: number, containersOfPod: number, at: number): Usage => {
  const containers: Array<ContainerSample> = []
  const summaries: Array<PodStats> = []
  for (let p = 0; p < pods; p++) {
    const pod = `web-${p}`
    const podUid = `00000000-0000-4000-8000-${String(p).padStart(12, "0")}`
    const path = `/kubepods/burstable/pod${podUid}`
    const of = { namespace: "default", pod, podUid, startedAt: at - 60_000 }
    const whole = sampleAt(at, containersOfPod)
    containers.push({ ...of, path, container: "", containerId: "", image: "", sample: whole })
    const sandboxId = `${p}`.padStart(64, "f")
    containers.push({
      ...of,
      path: `${path}/${sandboxId}`,
      container: "POD",
      containerId: sandboxId,
      image: "registry.k8s.io/pause:3.9",
      sample: sampleAt(at),
      network: network(p + 1)
    })
    const stats: Array<ContainerStats> = []
    for (let c = 0; c < containersOfPod; c++) {
      const containerId = `${p}c${c}`.padStart(64, "a")
      const sample = sampleAt(at, c + 1)
      const image = "docker.io/library/busybox:1.36"
      containers.push({ ...of, path: `${path}/${containerId}`, container: `c${c}`, containerId, image, sample })
      stats.push(statsOf(`c${c}`, sample))
    }
    const { name: _, startTime, cpu, memory, swap } = statsOf("", whole)
    summaries.push({
      podRef: { name: pod, namespace: "default", uid: podUid },
      startTime,
      containers: stats,
      ...(cpu === undefined ? {} : { cpu }),
      ...(memory === undefined ? {} : { memory }),
      ...(swap === undefined ? {} : { swap }),
      volume: [
        {
          name: "data",
          time: startTime,
          capacityBytes: 1000,
          availableBytes: 600,
          usedBytes: 400,
          inodes: 10,
          inodesFree: 6,
          inodesUsed: 4,
          ...(p === 0 ? { pvcRef: { name: "claim", namespace: "default" } } : {})
        }
      ]
    })
  }
  const node = sampleAt(at, 100)
  const { cpu, memory, swap, startTime } = statsOf("", node)
  return {
    at,
    containers,
    node,
    summary: {
      node: {
        nodeName: "node1",
        startTime,
        ...(cpu === undefined ? {} : { cpu }),
        ...(memory === undefined ? {} : { memory }),
        ...(swap === undefined ? {} : { swap })
      },
      pods: summaries
    }
  }
}
