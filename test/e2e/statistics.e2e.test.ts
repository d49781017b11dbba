// runtimes: bun (vm)
/** What the agent says that its node and pods use, on a real containerd, against what the kernel says. */
import assert from "node:assert/strict"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { Effect } from "effect"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { removeScratch } from "../../scripts/test/scratch.ts"
import { findHierarchies, type Hierarchies } from "../../src/adapters/cgroupfs/hierarchies.ts"
import { askAgentJson } from "../../src/cli/local-api.ts"
import type { ContainerStats, PodStats, Summary } from "../../src/events/stats-summary.ts"
import { eventually, NodeUnderTest } from "../support/agent.ts"
import { requires } from "../support/requires.ts"
import { container, forever, pod } from "./manifests.ts"

const skip = requires("root").skip || whyNoContainerd()
const within = skip ? { timeout: 300_000, skip } : { timeout: 300_000 }
const mebibyte = 1024 ** 2
const hogBytes = 24 * mebibyte
const scratchBytes = 3 * mebibyte

describe("what pods use, by the agent", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  let node: NodeUnderTest
  let hierarchies: Hierarchies
  let summary: Summary
  const ask = (query = ""): Promise<Summary> =>
    Effect.runPromise(askAgentJson(node.dataDir, { method: "GET", path: `/stats/summary${query}` })) as Promise<Summary>
  const podOf = (name: string, among = summary): PodStats | undefined =>
    among.pods.find(({ podRef }) => podRef.name === name)
  const containerOf = (name: string): ContainerStats => {
    const found = podOf(name)?.containers.find((c) => c.name === "app")
    assert.ok(found, `no figures of ${name}`)
    return found
  }
  const kernel = (controller: string, file: string): string =>
    readFileSync(join(hierarchies.controllers.get(controller) ?? "", file), "utf8").trim()

  before(
    async () => {
      if (skip) return
      dir = mkdtempSync(join(tmpdir(), "s-"))
      hierarchies = await findHierarchies()
      lab = await startContainerd(join(dir, "c"))
      const config = join(dir, "config.json")
      const kind = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" }
      writeFileSync(config, JSON.stringify({ ...kind, volumeStatsAggPeriod: "2s" }))
      node = new NodeUnderTest({ dir: join(dir, "n"), name: "s", cri: lab.endpoint, flags: ["--config", config] })
      const spin = { resources: { requests: { cpu: "100m" }, limits: { cpu: "300m" } } }
      node.put("busy.json", pod("busy", { containers: [container("app", "while :; do :; done", spin)] }))
      const eats = `head -c ${hogBytes} /dev/zero > /fast/eaten; head -c ${scratchBytes} /dev/urandom > /scratch/file; `
      const told = join(dir, "told")
      mkdirSync(told)
      const mounts = ["fast", "scratch", "told"].map((name) => ({ name, mountPath: `/${name}` }))
      const volumes = [
        { name: "fast", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
        { name: "scratch", emptyDir: {} },
        { name: "told", hostPath: { path: told } }
      ]
      const hog = container(
        "app",
        `${eats} seq 5000; head -c 200000 /dev/urandom > /layer; sync; touch /told/eaten; ${forever}`,
        {
          volumeMounts: mounts
        }
      )
      node.put("hog.json", pod("hog", { containers: [hog], volumes }))
      node.put("host.json", pod("host", { hostNetwork: true, containers: [container("app", forever)] }))
      await node.start()
      for (const name of ["busy", "hog", "host"])
        await node.waitFor("ContainerStarted", `pod/default/${name}`, {}, { limit: 240_000 })
      await eventually("the hog has eaten", () => (existsSync(join(told, "eaten")) ? true : undefined), 120_000)
    },
    { timeout: 300_000 }
  )
  after(async () => {
    await node?.kill()
    await lab?.stop()
    // Volumes outlive the agent.
    if (dir !== undefined) await removeScratch(dir)
  })

  it("is the CPU that the kernel lets it have, and what it has used so far", within, async () => {
    summary = await eventually(
      "there are rates, and sizes of when all was there",
      async () => {
        const seen = await ask()
        const [busy, hog] = [podOf("busy", seen), podOf("hog", seen)]
        const isRated = busy?.cpu?.usageNanoCores !== undefined
        const scratch = hog?.volume?.find(({ name }) => name === "scratch")?.usedBytes ?? 0
        const isWhole = scratch >= scratchBytes && (hog?.containers[0]?.logs?.usedBytes ?? 0) > 0
        return isRated && isWhole && (hog?.memory?.workingSetBytes ?? 0) >= hogBytes ? seen : undefined
      },
      120_000
    )
    const { cpu } = podOf("busy")!
    const cores = (cpu?.usageNanoCores ?? 0) / 1e9
    assert.ok(cores > 0.15 && cores < 0.4, `${cores} cores of a limit of 0.3`)
    assert.ok((containerOf("busy").cpu?.usageNanoCores ?? 0) / 1e9 > 0.15)
    assert.ok((podOf("host")?.cpu?.usageNanoCores ?? 1e9) / 1e9 < 0.1)
    assert.ok((summary.node.cpu?.usageNanoCores ?? 0) >= (cpu?.usageNanoCores ?? 0) / 2)
  })

  it("is the memory that its cgroup says", within, async () => {
    const { data } = await node.waitFor("PodCgroupCreated", "pod/default/hog")
    const file = hierarchies.version === "v1" ? "memory.usage_in_bytes" : "memory.current"
    const now = Number(kernel("memory", join(data.path, file)))
    const { memory } = podOf("hog")!
    assert.ok(Math.abs((memory?.usageBytes ?? 0) - now) < 4 * mebibyte, `${memory?.usageBytes}, the kernel: ${now}`)
    assert.ok((memory?.workingSetBytes ?? 0) >= hogBytes, `working set ${memory?.workingSetBytes}`)
    assert.ok((podOf("host")?.memory?.workingSetBytes ?? hogBytes) < hogBytes / 2)
    const total = Number(/MemTotal:\s+(\d+)/u.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024
    const { availableBytes = 0, workingSetBytes = 0 } = summary.node.memory ?? {}
    assert.equal(availableBytes + workingSetBytes, total)
    const names = summary.node.systemContainers?.map(({ name }) => name) ?? []
    assert.ok(names.includes("pods"), names.join())
  })

  it("is what its volumes, logs and layer take, and the host's directories do not count", within, () => {
    const hog = podOf("hog")!
    const sizes = new Map(hog.volume?.map(({ name, usedBytes }) => [name, usedBytes ?? 0]))
    assert.deepEqual([...sizes.keys()].sort(), ["fast", "scratch"])
    assert.ok(Math.abs(sizes.get("scratch")! - scratchBytes) < 65_536, `scratch: ${sizes.get("scratch")}`)
    assert.equal(sizes.get("fast"), hogBytes)
    assert.ok((containerOf("hog").logs?.usedBytes ?? 0) > 0)
    const storage = hog["ephemeral-storage"]?.usedBytes ?? 0
    assert.ok(storage >= scratchBytes && storage < hogBytes, `ephemeral storage ${storage}`)
    assert.ok((summary.node.runtime?.imageFs?.capacityBytes ?? 0) > 0)
    assert.ok((summary.node.fs?.availableBytes ?? 0) > 0 && (summary.node.fs?.inodesFree ?? -1) >= 0)
  })

  it("is what went through its own network, and the processes that there are", within, () => {
    assert.equal(podOf("host")?.network, undefined)
    assert.equal(podOf("busy")?.network?.name, "eth0")
    assert.ok((podOf("busy")?.process_stats?.process_count ?? 0) >= 1)
    const { maxpid = 0, curproc = 0 } = summary.node.rlimit ?? {}
    assert.ok(curproc > 0 && maxpid > curproc, `${curproc} of ${maxpid}`)
  })

  it("is printed by the commands", within, async () => {
    const containers = (await node.json("stats", "containers")) as ReadonlyArray<{ readonly podRef: { name: string } }>
    assert.deepEqual(containers.map(({ podRef }) => podRef.name).sort(), ["busy", "hog", "host"])
    const { pods, node: used } = (await node.json("top", "--once", "--from", "journal")) as {
      readonly pods: ReadonlyArray<{ readonly name: string; readonly usage?: { readonly cpu?: number } }>
      readonly node: { readonly usage?: { readonly memory?: number } }
    }
    assert.ok((pods.find(({ name }) => name === "busy")?.usage?.cpu ?? 0) > 100)
    assert.ok((used.usage?.memory ?? 0) > hogBytes)
  })

  it("comes in a short form too", within, async () => {
    const short = await ask("?only_cpu_and_memory=true")
    const busy = podOf("busy", short)!
    assert.deepEqual(Object.keys(busy).sort(), ["containers", "cpu", "memory", "podRef", "startTime"])
    assert.equal(short.node.fs, undefined)
    assert.ok(short.node.memory !== undefined)
  })
})
