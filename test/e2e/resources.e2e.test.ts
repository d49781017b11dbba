// runtimes: bun (vm)
/** Cgroups of pods and resizes in place by the agent on a real containerd, read back from the kernel (v1 or v2). */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { Effect } from "effect"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { findHierarchies, type Hierarchies } from "../../src/adapters/cgroupfs/hierarchies.ts"
import { makeCgroups } from "../../src/adapters/cgroupfs/live.ts"
import type { Cgroups, CgroupValues } from "../../src/adapters/cgroupfs/port.ts"
import { isSystemdBooted } from "../../src/adapters/cgroupfs/systemd.ts"
import { eventually, NodeUnderTest } from "../support/agent.ts"
import { requires } from "../support/requires.ts"
import { container, type Fields, forever, pod } from "./manifests.ts"

const skip = requires("root").skip || whyNoContainerd()
/** Milliseconds, also of a machine that is emulated. */
const within = skip ? { timeout: 200_000, skip } : { timeout: 200_000 }
const mebibyte = 1024 ** 2
const pidsLimit = 40

describe("resources of pods in the kernel", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  let node: NodeUnderTest
  let hierarchies: Hierarchies
  let cgroups: Cgroups["Service"]
  const root = `/chronode-e2e-${process.pid}`
  const uid = (name: string): string => `00000000-0000-4000-8000-${name.padStart(12, "0")}`
  const pathOf = (tier: string, name: string): string => `${root}/kubepods${tier}/pod${uid(name)}`
  const read = (path: string): Promise<CgroupValues> => Effect.runPromise(cgroups.read(path))
  const startedId = async (name: string, attempt = 0): Promise<string> =>
    (await node.waitFor("ContainerStarted", `pod/default/${name}`, { container: "app", attempt })).data.containerId
  const has = async (path: string, wanted: CgroupValues): Promise<void> => {
    const { cpuShares, ...rest } = await read(path)
    const { cpuShares: shares, ...wantedRest } = wanted
    for (const [key, value] of Object.entries(wantedRest))
      assert.equal(rest[key as keyof typeof rest], value, `${path} ${key}`)
    // v2 keeps a weight, and OCI runtimes have a curve of their own for containers.
    if (shares !== undefined && hierarchies.version === "v1") assert.equal(cpuShares, shares, path)
  }
  const equal = (cpu: string, memory: string): Fields => ({ requests: { cpu, memory }, limits: { cpu, memory } })
  const steady = (resources: Fields, more: Fields = {}): object =>
    pod("steady", { containers: [container("app", forever, { resources, ...more })] }, { uid: uid("1") })

  const configured = (name: string, configuration: Fields): NodeUnderTest =>
    new NodeUnderTest({ dir: join(dir, name), name, cri: lab.endpoint, cgroupRoot: root, configuration })

  before(
    async () => {
      if (skip) return
      dir = mkdtempSync(join(tmpdir(), "r-"))
      hierarchies = await findHierarchies()
      cgroups = makeCgroups(hierarchies)
      lab = await startContainerd(join(dir, "c"))
      node = configured("r", {
        cgroupRoot: root,
        podPidsLimit: pidsLimit,
        kubeReserved: { cpu: "100m", memory: "64Mi" }
      })
      node.put("steady.json", steady(equal("100m", "64Mi")))
      const asks = { requests: { cpu: "250m", memory: "8Mi" }, limits: { memory: "48Mi" } }
      const filled = `head -c 20000000 /dev/zero > /dev/shm/filled; ${forever}`
      node.put(
        "elastic.json",
        pod("elastic", { containers: [container("app", filled, { resources: asks })] }, { uid: uid("2") })
      )
      // It forks for ever; each child lives on. A shell would end when it cannot fork any more.
      const bomb = "awk 'BEGIN { while (1) system(\"sleep 300 &\") }' 2>/dev/null"
      node.put("bomb.json", pod("bomb", { containers: [container("app", bomb)] }, { uid: uid("3") }))
      await node.start()
    },
    { timeout: 200_000 }
  )
  after(async () => {
    await node?.kill()
    await lab?.stop()
    if (cgroups !== undefined) await Effect.runPromise(Effect.ignore(cgroups.remove(root)))
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true })
  })

  it(
    "are in the cgroups of a Guaranteed, a Burstable and a BestEffort pod, and of the tiers above them",
    within,
    async () => {
      for (const name of ["steady", "elastic", "bomb"]) await startedId(name)
      const period = { cpuPeriod: 100_000 }
      await has(pathOf("", "1"), { cpuShares: 102, cpuQuota: 10_000, ...period, memoryLimit: 64 * mebibyte, pidsLimit })
      await has(pathOf("/burstable", "2"), { cpuShares: 256, cpuQuota: -1, memoryLimit: 48 * mebibyte, pidsLimit })
      await has(pathOf("/besteffort", "3"), { cpuShares: 2, cpuQuota: -1, memoryLimit: -1, pidsLimit })
      const { values } = (await node.waitFor("PodCgroupCreated", "pod/default/steady")).data
      assert.deepEqual(values.cpuQuota, 10_000)
      await eventually("the tier has its shares", async () =>
        hierarchies.version === "v2" || (await read(`${root}/kubepods/burstable`)).cpuShares === 256 ? true : undefined
      )
      const { memoryLimit } = await read(`${root}/kubepods`)
      const total = Number(/MemTotal:\s+(\d+)/u.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024
      assert.ok(Math.abs((memoryLimit ?? 0) - (total - 64 * mebibyte)) < mebibyte, `${memoryLimit} of ${total}`)
    }
  )

  it("contain a pod that forks until it may no more, and the others do not notice", within, async () => {
    const pids = join(hierarchies.controllers.get("pids")!, pathOf("/besteffort", "3"))
    await eventually("it forks no more", () =>
      Number(readFileSync(join(pids, "pids.current"), "utf8")) >= pidsLimit - 1 ? true : undefined
    )
    assert.ok(Number(readFileSync(join(pids, "pids.current"), "utf8")) <= pidsLimit)
    assert.equal((await node.seen("ContainerExited", "pod/default/bomb")).length, 0)
    await has(pathOf("", "1"), { cpuQuota: 10_000 })
  })

  it("are changed in place, in the pod's cgroup and in the container's, and nothing is restarted", within, async () => {
    const id = await startedId("steady")
    node.put("steady.json", steady(equal("200m", "96Mi")))
    await node.waitFor("ResizeCompleted", "pod/default/steady")
    const wanted = { cpuShares: 204, cpuQuota: 20_000, cpuPeriod: 100_000, memoryLimit: 96 * mebibyte }
    await has(pathOf("", "1"), wanted)
    await has(`${pathOf("", "1")}/${id}`, wanted)
    const head = await node.head()
    node.put("steady.json", steady(equal("50m", "32Mi")))
    await node.waitFor("ResizeCompleted", "pod/default/steady", {}, { after: head })
    const smaller = { cpuShares: 51, cpuQuota: 5000, memoryLimit: 32 * mebibyte }
    await has(pathOf("", "1"), smaller)
    await has(`${pathOf("", "1")}/${id}`, smaller)
    const starts = await node.seen("ContainerStarted", "pod/default/steady")
    assert.equal(starts.length, 1)
  })

  it("are not taken away while they are in use", within, async () => {
    const asks = { requests: { cpu: "250m", memory: "8Mi" }, limits: { memory: "16Mi" } }
    const filled = `head -c 20000000 /dev/zero > /dev/shm/filled; ${forever}`
    const elastic = pod("elastic", { containers: [container("app", filled, { resources: asks })] }, { uid: uid("2") })
    node.put("elastic.json", elastic)
    const { message } = (await node.waitFor("ResizeFailed", "pod/default/elastic")).data
    assert.match(
      message,
      /^cannot decrease memory limits: attempting to set (pod|container "app") memory limit \(16777216\) below current usage \(\d+\)$/u
    )
    await has(pathOf("/burstable", "2"), { memoryLimit: 48 * mebibyte })
    for (const views of [await node.json("get", "pods"), await node.json("get", "containers")]) {
      const told = (views as ReadonlyArray<Record<string, unknown>>).find((v) => (v.pod ?? v.name) === "elastic")
      const { allocatedResources, resources } = told as Record<string, Record<string, Record<string, string>>>
      assert.deepEqual([allocatedResources?.memory, resources?.limits?.memory], ["8Mi", "48Mi"])
    }
  })

  it("are left to the runtime where the configuration says so", within, async () => {
    const other = configured("q", { cgroupsPerQOS: false, enforceNodeAllocatable: [] })
    try {
      other.put("plain.json", pod("plain", { containers: [container("app", forever)] }, { uid: uid("9") }))
      await other.start()
      await other.waitFor("ContainerStarted", "pod/default/plain")
      for (const tag of ["PodCgroupCreated", "QosCgroupUpdated"]) assert.deepEqual(await other.seen(tag), [])
      assert.equal(await Effect.runPromise(cgroups.exists(pathOf("/besteffort", "9"))), false)
      other.remove("plain.json")
      await other.waitFor("PodRemoved", "pod/default/plain")
    } finally {
      await other.kill()
    }
  })

  const needsNone = isSystemdBooted() ? { ...within, skip: "systemd runs here" } : within
  it("are refused at the start with a driver that the host has not", needsNone, async () => {
    const other = configured("s", { cgroupDriver: "systemd" })
    const { code } = await other.launch().ended
    assert.equal(code, 1)
    assert.match(other.log(), /the cgroup driver systemd needs systemd as the init system, which this host has not/u)
  })

  it("go with the pod", within, async () => {
    for (const name of ["steady", "elastic", "bomb"]) node.remove(`${name}.json`)
    for (const name of ["steady", "elastic", "bomb"]) await node.waitFor("PodRemoved", `pod/default/${name}`)
    for (const path of [pathOf("", "1"), pathOf("/burstable", "2"), pathOf("/besteffort", "3")])
      assert.equal(await Effect.runPromise(cgroups.exists(path)), false)
  })
})
