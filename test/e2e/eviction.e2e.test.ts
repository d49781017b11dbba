// runtimes: bun
/**
 * Eviction for real: pods that eat the memory of the pods' own cgroup, and pods that fill a small file system. The right one
 * goes, a critical one never, and the others run on in the same containers.
 */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync } from "node:fs"
import { tmpdir, totalmem } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { removeScratch } from "../../scripts/test/scratch.ts"
import { eventually, NodeUnderTest } from "../support/agent.ts"
import { requires } from "../support/requires.ts"
import { container, type Fields, forever, pod } from "./manifests.ts"

const skip = requires("root").skip || whyNoContainerd()
const within = skip ? { timeout: 120_000, skip } : { timeout: 120_000 }
const mebibyte = 1024 ** 2
/** What all pods may have together, and what must be left of it. */
const podsMemory = 256 * mebibyte
/** Size of the small disk. */
const diskMebibytes = 512

/** Keeps so many MiB in a volume, and runs on. */
const holding = (mebibytes: number): string =>
  `dd if=/dev/zero of=/data/held bs=1M count=${mebibytes} 2>/dev/null; ${forever}`

const holder = (name: string, mebibytes: number, volume: Fields, spec: Fields = {}, more: Fields = {}): object =>
  pod(name, {
    containers: [
      container("app", holding(mebibytes), { volumeMounts: [{ name: "data", mountPath: "/data" }], ...more })
    ],
    volumes: [{ name: "data", emptyDir: volume }],
    ...spec
  })

const critical = { priorityClassName: "system-node-critical", priority: 2_000_001_000 }
const inMemory = { medium: "Memory" }

describe("eviction", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  const nodes: Array<NodeUnderTest> = []

  const startNode = async (name: string, at: string, configuration: Fields): Promise<NodeUnderTest> => {
    const node = new NodeUnderTest({ dir: at, name, cri: lab.endpoint, configuration })
    nodes.push(node)
    await node.start()
    return node
  }
  const startedId = async (node: NodeUnderTest, name: string): Promise<unknown> =>
    (await node.waitFor("ContainerStarted", `pod/default/${name}`)).data.containerId
  /** Nothing was done to it. */
  const runsOn = async (node: NodeUnderTest, name: string): Promise<void> => {
    const actor = `pod/default/${name}`
    for (const tag of ["ContainerKillRequested", "ContainerExited", "PodEvicted"])
      assert.deepEqual(await node.seen(tag, actor), [], `${name}: ${tag}`)
    assert.equal((await node.seen("ContainerStarted", actor)).length, 1)
  }

  before(async () => {
    if (skip) return
    dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "v-")))
    lab = await startContainerd(join(dir, "c"))
  }, within)
  after(async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    await lab?.stop()
    // Volumes in memory outlive the agent.
    if (dir !== undefined) await removeScratch(dir)
  }, within)

  it("of the pod that uses most memory over its request, for want of memory in the pods' cgroup", within, async () => {
    const reserved = totalmem() - podsMemory
    const node = await startNode("memory", join(dir, "m"), {
      kubeReserved: { memory: String(reserved) },
      evictionHard: { "memory.available": "100Mi" }
    })
    node.put("quiet.json", pod("quiet", { containers: [container("app", forever)] }))
    node.put("vital.json", holder("vital", 60, inMemory, critical))
    node.put("fair.json", holder("fair", 20, inMemory, {}, { resources: { requests: { memory: "64Mi" } } }))
    for (const name of ["quiet", "vital", "fair"]) await startedId(node, name)
    node.put("greedy.json", holder("greedy", 100, inMemory, {}, { resources: { requests: { memory: "8Mi" } } }))

    const observed = await node.waitFor("PressureObserved", undefined, { signal: "allocatableMemory.available" })
    assert.ok(Number(observed.data.available) < 100 * mebibyte, String(observed.data.available))
    const triggered = await node.waitFor("EvictionTriggered")
    assert.deepEqual([triggered.data.name, triggered.data.signal], ["greedy", "allocatableMemory.available"])
    const ranking = triggered.data.ranking as ReadonlyArray<{ readonly pod: string; readonly used: number }>
    assert.deepEqual(ranking.map((entry) => entry.pod).toSorted(), [
      "default/fair",
      "default/greedy",
      "default/quiet",
      "default/vital"
    ])
    assert.ok((ranking.find((entry) => entry.pod === "default/greedy")?.used ?? 0) > 90 * mebibyte)
    await node.waitFor("PodEvicted", "pod/default/greedy")
    await node.waitFor("PodPhaseChanged", "pod/default/greedy", { to: "Failed", reason: "Evicted" })
    await node.waitFor("PressureRelieved", undefined, { signal: "allocatableMemory.available" })

    // Who asks for nothing is not let in while there is pressure; who asks for memory is.
    node.put("late.json", pod("late", { containers: [container("app", forever)] }))
    const rejected = await node.waitFor("PodRejected", "pod/default/late")
    assert.match(String(rejected.data.message), /MemoryPressure/u)
    for (const name of ["quiet", "vital", "fair"]) await runsOn(node, name)

    const why = await node.command("why", "pod", "default/greedy")
    assert.equal(why.code, 0, why.stderr)
    assert.match(why.stdout, /PressureObserved/u)
    assert.match(why.stdout, /EvictionTriggered/u)
    assert.match(why.stdout, /allocatableMemory\.available/u)
    await node.stop()
  })

  it("of the pod that fills a small disk, and of one beyond a limit of its own", within, async () => {
    const disk = join(dir, "disk")
    mkdirSync(disk)
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskMebibytes}m`, "tmpfs", disk])
    const node = await startNode("disk", join(disk, "n"), {
      evictionHard: { "nodefs.available": "60%" },
      volumeStatsAggPeriod: "2s",
      evictionPressureTransitionPeriod: "5s"
    })
    node.put("vital.json", holder("vital", 60, {}, critical))
    node.put("small.json", holder("small", 10, {}))
    node.put("bounded.json", holder("bounded", 30, { sizeLimit: "20Mi" }))
    const ids = await Promise.all(["vital", "small"].map((name) => startedId(node, name)))
    const beyond = await node.waitFor("StorageLimitExceeded", undefined, { name: "bounded" })
    assert.ok(Number(beyond.data.used) >= 30 * mebibyte)
    await node.waitFor("PodEvicted", "pod/default/bounded")
    node.put("writer.json", holder("writer", 200, {}))
    const triggered = await node.waitFor("EvictionTriggered", undefined, { name: "writer" })
    assert.equal(triggered.data.signal, "nodefs.available")
    assert.ok(Number(triggered.data.available) < 0.6 * diskMebibytes * mebibyte)
    await node.waitFor("PodPhaseChanged", "pod/default/writer", { to: "Failed", reason: "Evicted" })
    for (const name of ["vital", "small"]) await runsOn(node, name)
    assert.deepEqual(await Promise.all(["vital", "small"].map((name) => startedId(node, name))), ids)
    // A disk under pressure takes nobody who is not critical.
    node.put("late.json", pod("late", { containers: [container("app", forever)] }))
    await eventually("the end of the pressure or a refusal", async () => {
      const refused = (await node.seen("PodRejected", "pod/default/late"))[0]
      const relieved = (await node.seen("PressureConditionChanged", undefined, { status: false }))[0]
      return refused ?? relieved
    })
    await node.stop()
  })
})
