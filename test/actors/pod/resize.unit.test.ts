/** Resizing a pod in place: what is decided, and a node that does it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { madeWhole } from "../../../src/actors/pod/recorded-pod.ts"
import type { NodeRoom } from "../../../src/events/node-room.ts"
import type { Container, Pod } from "../../../src/events/pod-spec.ts"
import { only, tags } from "../../support/given.ts"
import { makeWorld, simulate, simulatedPod, startAgent } from "../../support/simulated-node.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const sized = (cpu: string, memory: string, more: Partial<Container> = {}): Container =>
  container("app", { resources: { requests: { cpu, memory }, limits: { cpu, memory } }, ...more })
const podOf = (...containers: ReadonlyArray<Container>): Pod => pod({ containers })
const room = (cpu: string, used = "0"): NodeRoom => ({
  allocatable: { cpu, memory: "8Gi" },
  used: { cpu: used, memory: "0" },
  maxPods: 110,
  pods: 1,
  labels: {},
  takenPorts: []
})

const running = (wanted: Pod = podOf(sized("100m", "64Mi"))): PodStory => {
  const story = new PodStory()
  story.desire(wanted)
  story.imagePresent()
  const cgroup = { path: "/kubepods/poduid-1", values: { cpuShares: 102 }, made: true }
  story.tell({ _tag: "ReportSandbox", attempt: 0, outcome: "created", sandboxId: "s", ips: [], cgroup })
  for (const { name } of wanted.spec.containers) story.started(name)
  return story
}
const resize = (story: PodStory, wanted: Pod, given?: NodeRoom) =>
  story.tell({ _tag: "DesirePod", pod: wanted, source: "/m/web.yaml", ...(given === undefined ? {} : { room: given }) })
const steps = (events: Parameters<typeof tags>[0]) =>
  tags(events).filter((tag) => !/^PodConditionChanged$|^ContainerReadinessChanged$|^PodPhaseChanged$/u.test(tag))

describe("a resize", () => {
  it("is requested, accepted and started at once, told in the conditions, and completed when it is in force", () => {
    const story = running()
    const events = resize(story, podOf(sized("200m", "64Mi")))
    assert.deepEqual(steps(events), ["ResizeRequested", "ResizeAccepted", "ResizeStarted"])
    const [requested] = only(events, "ResizeRequested")
    assert.deepEqual(requested?.event.from.containers.app?.limits, { cpu: "100m", memory: "64Mi" })
    assert.deepEqual(requested?.event.to.containers.app?.limits, { cpu: "200m", memory: "64Mi" })
    const { cpu, memory, restart } = only(events, "ResizeStarted")[0]!.event
    assert.deepEqual([cpu, memory, restart], [["app"], [], []])
    assert.equal(story.state.conditions.PodResizeInProgress?.status, true)
    assert.deepEqual(resize(story, podOf(sized("200m", "64Mi"))), [])
    const cgroup = { path: "/kubepods/poduid-1", from: { cpuShares: 102 }, to: { cpuShares: 204 } }
    const done = story.tell({ _tag: "ReportResize", outcome: "done", containers: ["app"], cgroup })
    assert.deepEqual(steps(done), ["ResizeActuated", "ResizeCompleted"])
    assert.equal(story.state.conditions.PodResizeInProgress?.status, false)
    assert.equal(story.state.resize, undefined)
    assert.deepEqual(story.state.cgroup?.values, { cpuShares: 204 })
    assert.equal(story.state.definition?.pod.spec.containers[0]?.resources?.limits?.cpu, "200m")
  })

  it("that fails is tried again, and says why", () => {
    const story = running()
    resize(story, podOf(sized("100m", "32Mi")))
    const message = "cannot decrease memory limits: missing pod memory usage"
    const failed = story.tell({ _tag: "ReportResize", outcome: "failed", message })
    assert.deepEqual(steps(failed), ["ResizeFailed"])
    const { status, reason, message: told } = story.state.conditions.PodResizeInProgress!
    assert.deepEqual([status, reason, told], [true, "Error", message])
    const again = story.wait(2).tell({ _tag: "TimerFired", key: "resize", dueAt: story.at })
    assert.deepEqual(steps(again), ["ResizeStarted"])
    assert.deepEqual(steps(story.tell({ _tag: "ReportResize", outcome: "done", containers: ["app"] })), [
      "ResizeActuated",
      "ResizeCompleted"
    ])
  })

  it("restarts the containers whose policy says so, after the pod's cgroup, and only them", () => {
    const policy = { resizePolicy: [{ resourceName: "memory", restartPolicy: "RestartContainer" } as const] }
    const other = container("other", { resources: { requests: { cpu: "10m" } } })
    const story = running(podOf(sized("100m", "64Mi", policy), other))
    const events = resize(story, podOf(sized("100m", "128Mi", policy), other))
    assert.deepEqual(steps(events).slice(-2), ["ResizeStarted", "ContainerKillRequested"])
    const [kill] = only(events, "ContainerKillRequested")
    assert.deepEqual([kill?.event.container, kill?.event.reason], ["app", "Resize"])
    assert.equal(kill?.event.message, "Container app resize requires restart")
    // It has ended before the cgroup is set: it waits.
    const observed = {
      containerId: kill?.event.containerId,
      state: "exited",
      exitCode: 0,
      finishedAt: "2026-01-01T00:00:01Z"
    }
    const stopped = story.tell({
      _tag: "ReportContainerStop",
      container: "app",
      containerId: kill?.event.containerId,
      outcome: "stopped",
      observed
    })
    assert.deepEqual(only(stopped, "ContainerStartRequested"), [])
    const done = story.tell({ _tag: "ReportResize", outcome: "done", containers: [] })
    assert.deepEqual(steps(done), ["ResizeActuated", "ContainerStartRequested"])
    assert.deepEqual(only(story.started("app"), "ResizeCompleted").length, 1)
  })

  it("waits for room, comes when there is some, and may be withdrawn", () => {
    const story = running()
    const deferred = resize(story, podOf(sized("2", "64Mi")), room("4", "3"))
    assert.deepEqual(steps(deferred), ["ResizeRequested", "ResizePending"])
    const { event } = only(deferred, "ResizePending")[0]!
    assert.equal(event.reason, "Deferred")
    assert.equal(event.message, "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000")
    assert.equal(story.state.conditions.PodResizePending?.reason, "Deferred")
    // The pod has what it had.
    assert.equal(story.state.definition?.pod.spec.containers[0]?.resources?.limits?.cpu, "100m")
    assert.deepEqual(story.tell({ _tag: "RetryResize", room: room("4", "3") }), [])
    const retried = story.tell({ _tag: "RetryResize", room: room("4", "1") })
    assert.deepEqual(steps(retried), ["ResizeAccepted", "ResizeStarted"])
    assert.equal(story.state.conditions.PodResizePending?.status, false)

    const never = running()
    const refused = only(resize(never, podOf(sized("8", "64Mi")), room("4")), "ResizePending")[0]!.event
    assert.deepEqual(refused, {
      _tag: "ResizePending",
      reason: "Infeasible",
      message: "Node didn't have enough capacity: cpu, requested: 8000, capacity: 4000"
    })
    assert.deepEqual(steps(resize(never, podOf(sized("100m", "64Mi")), room("4"))), ["ResizeWithdrawn"])
    assert.equal(never.state.resize, undefined)
  })

  it("is refused where more than cpu and memory changes, once, and the pod runs on", () => {
    const running1 = podOf(sized("100m", "64Mi"))
    const image = podOf({ ...sized("100m", "64Mi"), image: "other:1" })
    const requests = container("app", { resources: { requests: { cpu: "100m" } } })
    for (const [wanted, field, message] of [
      [image, "spec.containers[0].image", /cannot be changed while the pod runs/u],
      [podOf(requests), "spec.containers[0].resources.requests", /resource requests cannot be removed/u],
      [podOf(sized("100m", "64Mi"), container("more")), "spec.containers[1]", /cannot be changed/u],
      [
        podOf(
          sized("100m", "64Mi", {
            resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { cpu: "100m", memory: "64Mi" } }
          })
        ),
        "spec",
        /QOS Class may not change/u
      ]
    ] as const) {
      const story = running(running1)
      const events = resize(story, wanted)
      assert.deepEqual(tags(events), ["PodUpdateRefused"])
      const { event } = only(events, "PodUpdateRefused")[0]!
      assert.equal(event.field, field)
      assert.match(event.message, message)
      assert.deepEqual(resize(story, wanted), [])
      assert.deepEqual(tags(resize(story, running1)), ["PodUpdateWithdrawn"])
    }
  })

  it("leaves containers to start as they were admitted, with the values that the manifest still gives", () => {
    const env = [{ name: "A", valueHash: "0123456789abcdef" }, { name: "B" }]
    const recorded = podOf(container("app", { env }))
    const declared = podOf({ ...container("app", { env: [{ name: "A", value: "secret" }] }), image: "other:1" })
    const whole = madeWhole(recorded, declared)
    assert.ok("spec" in whole)
    assert.deepEqual(whole.spec.containers[0]?.env, [{ name: "A", value: "secret" }, { name: "B" }])
    assert.equal(whole.spec.containers[0]?.image, "busybox:1")
    assert.deepEqual(madeWhole(recorded, podOf(container("app"))), { container: "app", variable: "A" })
  })

  it("is not what a newer agent makes of the same manifest, where the uid follows from it", () => {
    const uid = "0123456789abcdef0123456789abcdef"
    const story = new PodStory()
    story.desire(pod({}, uid))
    assert.deepEqual(resize(story, pod({ containers: [{ ...container("app"), image: "other:1" }] }, uid)), [])
  })

  it("was nothing before the flag", () => {
    const story = new PodStory(new Set([1, 2, 3]))
    story.desire(podOf(sized("100m", "64Mi")))
    assert.deepEqual(resize(story, podOf(sized("200m", "64Mi"))), [])
  })

  it("of a node: by the manifest, in the runtime and in the cgroups; deferred until another pod goes", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({
          offer: { allocatable: { cpu: "1", memory: "8Gi" }, maxPods: 110, labels: {} }
        })
        const agent = yield* startAgent(world)
        const manifest = (cpu: string) =>
          simulatedPod("web", `resources: { requests: { cpu: ${cpu} }, limits: { cpu: ${cpu} } }`).replace(
            "name: web",
            "name: web, uid: 11111111-2222-3333-4444-555555555555"
          )
        yield* world.manifests.write("web.yaml", manifest("100m"))
        yield* world.manifests.write("other.yaml", simulatedPod("other", "resources: { requests: { cpu: 600m } }"))
        yield* agent.pass(5)
        yield* world.manifests.write("web.yaml", manifest("300m"))
        yield* agent.pass(5)
        const events = yield* world.events
        assert.equal(only(events, "ResizeCompleted").length, 1)
        assert.equal(only(events, "ContainerStarted").length, 2)
        const path = "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555"
        assert.equal(world.cgroups.groups.get(path)?.cpuQuota, 30_000)
        yield* world.manifests.write("web.yaml", manifest("700m"))
        yield* agent.pass(15)
        assert.equal(only(yield* world.events, "ResizePending").length, 1)
        yield* world.manifests.remove("other.yaml")
        yield* agent.pass(30)
        assert.equal(only(yield* world.events, "ResizeCompleted").length, 2)
        assert.equal(world.cgroups.groups.get(path)?.cpuQuota, 70_000)
        assert.equal(only(yield* world.events, "QosCgroupUpdated").at(-1)?.event.values.cpuShares, 716)
      })
    ))

  it("that an agent does not live to see through is finished by the next one, and one that fails is tried again", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const manifest = (cpu: string) =>
          simulatedPod("web", `resources: { requests: { cpu: ${cpu} }, limits: { cpu: ${cpu} } }`).replace(
            "name: web",
            "name: web, uid: 11111111-2222-3333-4444-555555555555"
          )
        const path = "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555"
        yield* world.manifests.write("web.yaml", manifest("100m"))
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* agent.pass(5)
            world.faults.inject("updateContainerResources", { kind: "hang" })
            yield* world.manifests.write("web.yaml", manifest("300m"))
            yield* agent.pass(2)
            assert.equal(only(yield* world.events, "ResizeStarted").length, 1)
            assert.deepEqual(only(yield* world.events, "ResizeActuated"), [])
          })
        )
        world.faults.clear()
        world.faults.inject("updateContainerResources", { kind: "error", reason: "Failed", message: "busy" })
        const agent = yield* startAgent(world)
        yield* agent.pass(10)
        const events = yield* world.events
        assert.deepEqual(
          only(events, "ResizeFailed").map(({ event }) => event.message),
          ["busy"]
        )
        assert.equal(only(events, "ResizeCompleted").length, 1)
        assert.equal(world.cgroups.groups.get(path)?.cpuQuota, 30_000)
        const [container] = yield* world.runtime.runtime.listContainers({})
        assert.equal(container?.state, "CONTAINER_RUNNING")
        assert.equal(only(events, "ContainerStarted").length, 1)
      })
    ))
})
