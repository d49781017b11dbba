/** The cgroup of a pod and those above it, as decisions. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { nodeDecider } from "../../../src/actors/node/decider.ts"
import { tiersOf } from "../../../src/actors/node/tiers.ts"
import { podCgroup } from "../../../src/actors/pod/resources/pod-cgroup.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { only, Story, tags } from "../../support/given.ts"
import { makeWorld, simulate, simulatedPod, startAgent } from "../../support/simulated-node.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const facts = {
  nodeName: "n1",
  podLogsDir: "/var/log/pods",
  rootDir: "/var/lib/chronode",
  cgroupDriver: "cgroupfs",
  cgroupVersion: "v1",
  memoryCapacity: 2 ** 33,
  hugePageSizes: ["2MB", "1GB"],
  swapAccounting: false,
  clusterDns: [],
  clusterDomain: ""
} as const
const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "200m", memory: "64Mi" } }
const burstable = pod({ containers: [container("app", { resources })] })
const path = "/kubepods/burstable/poduid-1"

describe("the cgroup of a pod", () => {
  it("has shares, quota, memory, pids and huge pages as the pod and the node say", () => {
    assert.deepEqual(podCgroup(burstable, { ...facts, podPidsLimit: 100 }), {
      path,
      values: {
        cpuShares: 102,
        cpuQuota: 20_000,
        cpuPeriod: 100_000,
        memoryLimit: 67_108_864,
        pidsLimit: 100,
        hugePages: { "2MB": 0, "1GB": 0 }
      }
    })
    assert.deepEqual(podCgroup(pod(), { ...facts, podPidsLimit: -1, hugePageSizes: [] }), {
      path: "/kubepods/besteffort/poduid-1",
      values: { cpuShares: 2 }
    })
    assert.equal(podCgroup(burstable, { ...facts, cgroupsPerQos: false }), undefined)
    const systemd = podCgroup(burstable, { ...facts, cgroupDriver: "systemd", cgroupRoot: "/node" })
    assert.equal(
      systemd?.path,
      "/node.slice/node-kubepods.slice/node-kubepods-burstable.slice/node-kubepods-burstable-poduid_1.slice"
    )
  })

  const cgroup = { path, values: { cpuShares: 102 }, made: true }
  const created = { _tag: "ReportSandbox", attempt: 0, outcome: "created", sandboxId: "s", ips: [] } as const

  it("is told once, before the sandbox; when it is found with the same values it is no news", () => {
    const story = new PodStory()
    story.desire(burstable)
    const events = story.tell({ ...created, cgroup })
    assert.deepEqual(tags(events).slice(0, 2), ["PodCgroupCreated", "SandboxCreated"])
    assert.deepEqual(story.state.cgroup, { path, values: { cpuShares: 102 } })
    story.tell({
      _tag: "ObserveRuntime",
      uid: "uid-1",
      sandboxes: [{ sandboxId: "s", state: "missing" }],
      containers: []
    })
    story.tell({ _tag: "ReportSandboxStop", sandboxId: "s", outcome: "stopped" })
    assert.deepEqual(
      only(story.tell({ ...created, attempt: 1, cgroup: { ...cgroup, made: false } }), "PodCgroupCreated"),
      []
    )
  })

  it("that cannot be made keeps the pod from starting, in kubelet's word, and is tried again", () => {
    const story = new PodStory()
    story.desire(burstable)
    const reason = "FailedToCreatePodContainer"
    const [failed] = only(
      story.tell({ _tag: "ReportSandbox", attempt: 0, outcome: "failed", reason, message: "read-only" }),
      "SandboxFailed"
    )
    assert.equal(failed?.event.reason, reason)
    assert.deepEqual(
      only(story.wait(11).tell({ _tag: "TimerFired", key: "sandbox", dueAt: story.at }), "SandboxRequested").length,
      1
    )
  })

  it("that somebody removed ends the sandbox; the next one comes with a new cgroup", () => {
    const story = new PodStory()
    story.desire(burstable)
    story.tell({ ...created, cgroup })
    const events = story.tell({ _tag: "ReportCgroup", path, outcome: "missing" })
    assert.deepEqual(tags(events).slice(0, 3), ["PodCgroupLost", "SandboxLost", "SandboxStopRequested"])
    assert.equal(story.state.cgroup, undefined)
    assert.deepEqual(story.tell({ _tag: "ReportCgroup", path, outcome: "missing" }), [])
    const again = story.tell({ _tag: "ReportSandboxStop", sandboxId: "s", outcome: "stopped" })
    assert.equal(only(again, "SandboxRequested").length, 1)
    assert.equal(only(story.tell({ ...created, attempt: 1, cgroup }), "PodCgroupCreated").length, 1)
  })
})

describe("the cgroups above pods", () => {
  const counted = (pods: Parameters<typeof tiersOf>[0], at = 1) =>
    ({
      _tag: "TiersCounted",
      at,
      tiers: tiersOf(pods, facts, { cpu: "1500m", memory: "1Gi" }),
      pods: pods.length
    }) as const

  it("are told when they change, with what they were", () => {
    const node = new Story(nodeDecider, actorId("node", "", "n1"))
    const first = only(node.when(counted([])), "QosCgroupUpdated").map(({ event }) => [event.path, event.values])
    assert.deepEqual(first, [
      ["/kubepods", { cpuShares: 1536, memoryLimit: 1_073_741_824 }],
      ["/kubepods/burstable", { cpuShares: 2 }],
      ["/kubepods/besteffort", { cpuShares: 2 }]
    ])
    assert.deepEqual(node.when(counted([])), [])
    const [grown, ...others] = only(node.when(counted([burstable, burstable])), "QosCgroupUpdated")
    assert.deepEqual(
      [grown?.event.values, grown?.event.from, grown?.event.pods],
      [{ cpuShares: 204 }, { cpuShares: 2 }, 2]
    )
    assert.deepEqual(others, [])
  })

  it("tell a failure once, its end, and that one was gone", () => {
    const node = new Story(nodeDecider, actorId("node", "", "n1"))
    const applied = { _tag: "TierApplied", at: 2, path: "/kubepods" } as const
    assert.deepEqual(node.when({ ...applied, outcome: "failed", message: "EROFS" }), [])
    node.when(counted([]))
    assert.deepEqual(tags(node.when({ ...applied, outcome: "failed", message: "EROFS" })), ["QosCgroupFailed"])
    assert.deepEqual(node.when({ ...applied, outcome: "failed", message: "EROFS" }), [])
    assert.deepEqual(tags(node.when({ ...applied, outcome: "applied", made: true })), ["QosCgroupRestored"])
    assert.deepEqual(node.when({ ...applied, outcome: "applied", made: true }), [])
    assert.deepEqual(tags(node.when({ ...applied, outcome: "applied", made: true, again: true })), [
      "QosCgroupRestored"
    ])
  })

  it("of a node follow its pods: made, counted, refused, removed by others and made again", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        const asking = "resources: { requests: { cpu: 100m }, limits: { memory: 64Mi } }"
        yield* world.manifests.write("a.yaml", simulatedPod("a", asking))
        yield* world.manifests.write("b.yaml", simulatedPod("b", asking))
        yield* world.manifests.write("c.yaml", simulatedPod("c"))
        yield* agent.pass(5)
        const { groups } = world.cgroups
        const pods = () => [...groups.keys()].filter((name) => /\/pod[^/]*$/u.test(name))
        assert.equal(pods().length, 3)
        const burstablePath = pods().find((name) => name.startsWith("/kubepods/burstable/"))!
        assert.equal(groups.get(burstablePath)?.memoryLimit, 67_108_864)
        const updates = only(yield* world.events, "QosCgroupUpdated").map(({ event }) => event.values.cpuShares)
        assert.equal(updates.at(-1), 204)
        // A pod that goes takes its cgroup with it, and its part of the shares.
        yield* world.manifests.remove("b.yaml")
        yield* agent.pass(20)
        assert.equal(pods().length, 2)
        assert.equal(only(yield* world.events, "QosCgroupUpdated").at(-1)?.event.values.cpuShares, 102)
        // Somebody removes one that is in use, and the tier of BestEffort.
        groups.delete(pods().find((name) => name.startsWith("/kubepods/burstable/"))!)
        for (const name of [...groups.keys()]) if (name === "/kubepods/besteffort") groups.delete(name)
        yield* agent.pass(80)
        const events = yield* world.events
        assert.deepEqual(only(events, "PodCgroupLost").map(({ event }) => event.path).length, 1)
        assert.deepEqual(
          only(events, "QosCgroupRestored").map(({ event }) => event.reason),
          ["Removed"]
        )
        assert.equal(agent.status("default/a"), "Running")
        assert.equal(pods().length, 2)
        // Nothing can be written any more: a new pod waits, the others run on.
        world.cgroups.refuse = "ReadOnly"
        yield* world.manifests.write("d.yaml", simulatedPod("d"))
        yield* agent.pass(5)
        const failed = only(yield* world.events, "SandboxFailed")[0]?.event
        assert.equal(failed?.reason, "FailedToCreatePodContainer")
        assert.match(
          failed?.message ?? "",
          /^unable to ensure pod container exists: failed to create container for \[kubepods besteffort pod/u
        )
        assert.equal(agent.status("default/a"), "Running")
        yield* agent.pass(80)
        assert.ok(only(yield* world.events, "QosCgroupFailed").length > 0)
        world.cgroups.refuse = undefined
        yield* agent.pass(120)
        assert.equal(agent.status("default/d"), "Running")
        assert.equal(only(yield* world.events, "QosCgroupRestored").at(-1)?.event.reason, "Failed")
      })
    ))
})
