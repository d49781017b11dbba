/** What the statistics of a node say, on adapters in memory. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import { candidatesOf } from "../../../src/actors/eviction/candidates.ts"
import { observationsOf } from "../../../src/actors/eviction/rules/observations.ts"
import { layoutOf } from "../../../src/actors/eviction/sight.ts"
import { ownCgroup } from "../../../src/actors/statistics/pod-cgroups.ts"
import type { CgroupSample } from "../../../src/adapters/cgroupfs/port.ts"
import type { Summary } from "../../../src/events/stats-summary.ts"
import { cgroupOf, disk, type GivenPod, makeNode, podState } from "./node-under-test.ts"

const run = (test: Effect.Effect<void, unknown, Scope.Scope>): Promise<void> => Effect.runPromise(Effect.scoped(test))

const memory = (workingSet: number, limit?: number): NonNullable<CgroupSample["memory"]> => ({
  usage: workingSet + 100,
  workingSet,
  rss: workingSet - 100,
  cache: 200,
  mappedFile: 0,
  swap: 7,
  pageFaults: 11,
  majorPageFaults: 1,
  failures: 0,
  ...(limit === undefined ? {} : { limit })
})
const cpu = (usage: number): NonNullable<CgroupSample["cpu"]> => ({
  usage,
  user: usage,
  system: 0,
  periods: 0,
  throttledPeriods: 0,
  throttled: 0
})
const eth0 = {
  name: "eth0",
  rxBytes: 10,
  rxPackets: 1,
  rxErrors: 2,
  rxDropped: 0,
  txBytes: 20,
  txPackets: 1,
  txErrors: 3,
  txDropped: 0
}

const web: GivenPod = {
  name: "web",
  spec: {
    volumes: [
      { name: "scratch", emptyDir: { sizeLimit: "1Gi" } },
      { name: "fast", emptyDir: { medium: "Memory" } },
      { name: "host", hostPath: { path: "/etc" } },
      { name: "config", configMap: { name: "c" } }
    ]
  },
  containers: [{ name: "app" }, { name: "side" }, { name: "done", status: "exited" }]
}
const volumePath = (name: string) => `/var/lib/chronode/pods/u-web/volumes/${name}`

const webNode = Effect.gen(function* () {
  const node = yield* makeNode([web])
  const { cgroups, files, told } = node
  const pod = cgroupOf("web")
  cgroups.node = { cpu: cpu(1_000_000_000), memory: memory(3_000_000_000), pids: { current: 300, limit: 32_768 } }
  cgroups.groups.set("/kubepods", { sample: { cpu: cpu(500), memory: memory(2_000_000, 6_000_000) } })
  cgroups.groups.set(pod, { sample: { cpu: cpu(400), memory: memory(1_000_000, 4_000_000), pids: { current: 9 } } })
  cgroups.groups.set(`${pod}/s-web`, { sample: { memory: memory(1_000) }, interfaces: [{ ...eth0, name: "lo" }, eth0] })
  cgroups.groups.set(`${pod}/c-app`, { sample: { cpu: cpu(300), memory: memory(800_000), pids: { current: 5 } } })
  cgroups.groups.set(`${pod}/c-side`, { sample: { cpu: cpu(100), memory: memory(100_000), pids: { current: 2 } } })
  for (const name of ["scratch", "fast", "config"]) files.directories.add(volumePath(name))
  files.mounts.set(volumePath("fast"), { ...disk, device: "0:50", capacity: 1_000, free: 400, available: 400 })
  files.files.set(`${volumePath("scratch")}/big`, { bytes: 50_000 })
  files.files.set(`${volumePath("config")}/key`, { bytes: 4_096 })
  files.files.set("/var/log/pods/default_web_u-web/app/0.log", { bytes: 8_192 })
  files.files.set("/var/log/pods/default_web_u-web/app/1.log", { bytes: 4_096 })
  files.files.set("/var/lib/chronode/pods/u-web/etc-hosts", { bytes: 4_096 })
  files.directories.add("/var/lib/containerd/layers")
  const layer = { at: node.clock.now, mountpoint: "/var/lib/containerd/layers", usedBytes: 20_480, inodesUsed: 6 }
  told.usages = [{ id: "c-app", name: "app", writableLayer: layer }]
  told.filesystems = { images: [{ ...layer, usedBytes: 70_000, inodesUsed: 50 }], containers: [] }
  return node
})

describe("statistics of a pod", () => {
  it("are those of its cgroups, volumes, logs and layers, added up as kubelet does", () =>
    run(
      Effect.gen(function* () {
        const { statistics } = yield* webNode
        const { summary } = yield* statistics.snapshot()
        const [pod] = summary.pods
        assert.deepEqual(pod?.podRef, { name: "web", namespace: "default", uid: "u-web" })
        assert.equal(pod?.memory?.workingSetBytes, 1_000_000)
        assert.equal(pod?.memory?.availableBytes, 3_000_000)
        assert.deepEqual(pod?.process_stats, { process_count: 7 })
        assert.deepEqual(
          pod?.containers.map(({ name, memory, rootfs, logs }) => [
            name,
            memory?.workingSetBytes,
            rootfs?.usedBytes,
            logs?.usedBytes
          ]),
          [
            ["app", 800_000, 20_480, 12_288],
            ["side", 100_000, undefined, undefined]
          ]
        )
        assert.deepEqual(
          pod?.volume?.map(({ name, usedBytes, inodesUsed, capacityBytes }) => [
            name,
            usedBytes,
            inodesUsed,
            capacityBytes
          ]),
          [
            ["scratch", 50_000, 2, disk.capacity],
            ["fast", 600, 1_000, 1_000],
            ["config", 4_096, 2, disk.capacity]
          ]
        )
        // Layer and logs of app, the volumes on the disk, and the hosts file: not the volume in memory.
        const storage = pod?.["ephemeral-storage"]
        assert.equal(storage?.usedBytes, 20_480 + 12_288 + 50_000 + 4_096 + 4_096)
        assert.equal(storage?.inodesUsed, 6 + 2 + 2 + 2 + 1)
        assert.equal(storage?.availableBytes, disk.available)
        assert.deepEqual([pod?.network?.name, pod?.network?.rxBytes, pod?.network?.interfaces.length], ["eth0", 10, 1])
      })
    ))

  it("tell how much CPU it uses at the moment from the second pass on, and nothing from passes that follow at once", () =>
    run(
      Effect.gen(function* () {
        const { statistics, cgroups, clock } = yield* webNode
        const rates = Effect.map(statistics.snapshot(-1), ({ summary }) => [
          summary.pods[0]?.cpu?.usageNanoCores,
          summary.node.cpu?.usageNanoCores,
          summary.pods[0]?.containers[0]?.cpu?.usageNanoCores
        ])
        assert.deepEqual(yield* rates, [undefined, undefined, undefined])
        clock.now += 10
        assert.deepEqual(yield* rates, [undefined, undefined, undefined])
        clock.now += 1_990
        const later = (path: string, usage: number) => cgroups.groups.set(path, { sample: { cpu: cpu(usage) } })
        later(cgroupOf("web"), 400 + 3_000_000_000)
        later(`${cgroupOf("web")}/c-app`, 200)
        cgroups.node = { cpu: cpu(1_000_000_000 + 4_000_000_000) }
        // A counter that fell belongs to another cgroup of the same name.
        assert.deepEqual(yield* rates, [1_500_000_000, 2_000_000_000, undefined])
      })
    ))

  it("are brief for who decides on evictions: what counts there is what a whole pass says", () =>
    run(
      Effect.gen(function* () {
        const { statistics, cgroups } = yield* webNode
        cgroups.groups.set("/kubepods", {
          sample: { cpu: cpu(500), memory: { ...memory(2_000_000, 6_000_000), limit: 8_000_000 } }
        })
        const { summary: whole } = yield* statistics.snapshot(-1)
        const { summary: brief, devices } = yield* statistics.brief(-1)
        const layout = layoutOf(devices)
        const states = [podState(web)]
        assert.deepEqual(candidatesOf(states, brief, layout), candidatesOf(states, whole, layout))
        const seen = (summary: Summary) =>
          Object.entries(observationsOf(summary)).map(([signal, { available, capacity }]) => [
            signal,
            available,
            capacity
          ])
        assert.deepEqual(seen(brief), seen(whole))
        assert.ok("allocatableMemory.available" in observationsOf(brief))
        assert.equal(brief.pods[0]?.network, undefined)

        // A whole pass that is young enough serves both; a brief one is none.
        const one = yield* statistics.snapshot(-1)
        assert.equal(yield* statistics.brief(), one)
        const short = yield* statistics.brief(-1)
        assert.notEqual(short, one)
        assert.equal(yield* statistics.snapshot(), one)
      })
    ))

  it("are added up from what the runtime says where the agent makes no cgroups", () =>
    run(
      Effect.gen(function* () {
        const { statistics, told } = yield* makeNode([web], { cgroupsPerQos: false })
        told.usages = ["app", "side"].map((name, at) => ({
          id: `c-${name}`,
          name,
          cpu: { at: 1_000, usage: 100 * (at + 1) },
          memory: { at: 1_000, workingSet: 1_000 * (at + 1) }
        }))
        const [pod] = (yield* statistics.snapshot()).summary.pods
        assert.deepEqual([pod?.cpu?.usageCoreNanoSeconds, pod?.memory?.workingSetBytes], [300, 3_000])
        assert.equal(pod?.containers[1]?.cpu?.usageCoreNanoSeconds, 200)
      })
    ))

  it("are found below its cgroup where another runtime names them otherwise", () =>
    run(
      Effect.gen(function* () {
        const { statistics, cgroups } = yield* makeNode([{ name: "web", containers: [{ name: "app" }] }], {
          driver: "systemd"
        })
        const pod = "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podu_web.slice"
        cgroups.groups.set(pod, { sample: { memory: memory(1_000_000) } })
        cgroups.groups.set(`${pod}/crio-c-app.scope`, { sample: { memory: memory(5_000) } })
        const { summary, containers } = yield* statistics.snapshot()
        assert.equal(summary.pods[0]?.containers[0]?.memory?.workingSetBytes, 5_000)
        assert.deepEqual(
          containers.map(({ path, container, containerId }) => [path, container, containerId]),
          [
            [pod, "", ""],
            [`${pod}/crio-c-app.scope`, "app", "c-app"]
          ]
        )
      })
    ))

  it("are not told of one without a sandbox, and of none that is gone", () =>
    run(
      Effect.gen(function* () {
        const { statistics, pods } = yield* makeNode([web])
        pods.push({ ...podState({ name: "waits", containers: [] }), sandbox: null })
        const names = Effect.map(statistics.snapshot(-1), ({ summary }) =>
          summary.pods.map(({ podRef }) => podRef.name)
        )
        // Its cgroups have vanished: that is no error.
        assert.deepEqual(yield* names, ["web"])
        pods.length = 0
        assert.deepEqual(yield* names, [])
      })
    ))
})

describe("statistics of the node", () => {
  it("are its memory, file systems, processes and the system's cgroups", () =>
    run(
      Effect.gen(function* () {
        const { statistics, host, cgroups } = yield* webNode
        host.files.set("/proc/self/cgroup", "5:cpu:/x\n4:memory:/system.slice/chronode.service\n")
        cgroups.groups.set("/system.slice/chronode.service", { sample: { memory: memory(60_000_000) } })
        const { summary, devices, node } = yield* statistics.snapshot()
        assert.equal(summary.node.memory?.availableBytes, 8 * 2 ** 30 - 3_000_000_000)
        assert.deepEqual([summary.node.rlimit?.maxpid, summary.node.rlimit?.curproc], [32_768, 300])
        assert.equal(summary.node.fs?.usedBytes, 400_000_000)
        assert.equal(summary.node.runtime?.imageFs?.usedBytes, 70_000)
        assert.equal(summary.node.runtime?.imageFs?.availableBytes, disk.available)
        assert.equal(summary.node.runtime?.containerFs?.inodesUsed, 50)
        assert.deepEqual(devices, { nodefs: "8:1", imagefs: "8:1" })
        const system = summary.node.systemContainers?.map(({ name, memory: m }) => [name, m?.availableBytes])
        assert.deepEqual(system, [
          ["kubelet", undefined],
          ["pods", 4_000_000]
        ])
        assert.equal(node.memory?.workingSet, 3_000_000_000)
      })
    ))

  it("hold what is left when parts cannot be had", () =>
    run(
      Effect.gen(function* () {
        const { statistics, told, files } = yield* webNode
        told.fails = true
        files.directories.clear()
        files.files.clear()
        const { summary } = yield* statistics.snapshot()
        assert.equal(summary.pods[0]?.memory?.workingSetBytes, 1_000_000)
        assert.equal(summary.pods[0]?.["ephemeral-storage"], undefined)
        assert.equal(summary.node.runtime, undefined)
      })
    ))

  it("are one pass for all who ask within its age, and sizes are not measured with each pass", () =>
    run(
      Effect.gen(function* () {
        const { statistics, files, told } = yield* webNode
        const [one, two] = yield* Effect.all([statistics.snapshot(), statistics.snapshot()], { concurrency: 2 })
        assert.equal(one, two)
        assert.equal(yield* statistics.snapshot(), one)
        const walks = files.walks.length
        const asked = told.asked
        assert.notEqual(yield* statistics.snapshot(-1), one)
        assert.deepEqual([files.walks.length, told.asked], [walks, asked])
        assert.equal(walks, 2)
      })
    ))
})

describe("the agent's own cgroup", () => {
  it("is that of the memory controller, or of the one hierarchy", () => {
    assert.equal(ownCgroup("3:cpu:/a\n2:memory:/b:c\n0::/d\n"), "/b:c")
    assert.equal(ownCgroup("0::/d\n"), "/d")
    assert.equal(ownCgroup("0::/\n"), undefined)
    assert.equal(ownCgroup(""), undefined)
  })
})
