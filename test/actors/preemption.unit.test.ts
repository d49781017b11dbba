/** A pod of high priority on a full node: whose place it takes, what those are told, and that all of it survives a crash. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { knownFlags, preemption } from "../../src/actors/kernel/flags.ts"
import { preemptedBy } from "../../src/actors/source/placements.ts"
import { actorPath } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import type { NodeRoom, PreemptedPod } from "../../src/events/node-room.ts"
import { only, tags } from "../support/given.ts"
import { makeWorld, simulate, simulatedPod, startAgent, type World } from "../support/simulated-node.ts"
import { container, PodStory, pod } from "./pod/pod-story.ts"

const offer = { allocatable: { cpu: "1", memory: "1Gi" }, maxPods: 110, labels: {} }
const asking = (cpu: string) => `resources: { requests: { cpu: ${cpu} } }`
const critical = "priorityClassName: system-node-critical"

const history = (world: World) =>
  Effect.map(world.events, (events) => ({
    of: <Tag extends NodeEvent["_tag"]>(tag: Tag, name?: string) =>
      events.filter(
        (e) => e.event._tag === tag && (name === undefined || actorPath(e.actor) === `pod/default/${name}`)
      ) as unknown as ReadonlyArray<
        (typeof events)[number] & { readonly event: Extract<NodeEvent, { readonly _tag: Tag }> }
      >
  }))

describe("a pod of high priority that does not fit", () => {
  it("waits until the pods that it outranks have ended, and runs; they have failed with reason and condition", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer })
        const agent = yield* startAgent(world)
        yield* world.manifests.write("small.yaml", simulatedPod("small", asking("200m")))
        yield* world.manifests.write("large.yaml", simulatedPod("large", asking("700m")))
        yield* agent.pass(5)
        yield* world.manifests.write("system.yaml", simulatedPod("system", asking("500m"), critical))
        yield* agent.pass(30)
        assert.deepEqual(
          ["small", "large", "system"].map((name) => agent.status(`default/${name}`)),
          ["Running", "Preempting", "Running"]
        )
        const { of } = yield* history(world)
        const [decided] = of("PodPreemptionDecided", "system")
        assert.deepEqual(
          decided?.event.preempted.map(({ name, priority, qosClass }) => [name, priority, qosClass]),
          [["large", 0, "Burstable"]]
        )
        const [preempted] = of("PodPreempted", "large")
        assert.equal(preempted?.cause, decided?.id)
        assert.equal(preempted?.event.by, "default/system")
        const [kill] = of("ContainerKillRequested", "large")
        assert.deepEqual([kill?.cause, kill?.event.reason], [preempted?.id, "Preempting"])
        const failed = of("PodPhaseChanged", "large").at(-1)
        assert.deepEqual([failed?.event.to, failed?.event.reason], ["Failed", "Preempting"])
        const condition = of("PodConditionChanged", "large").find((e) => e.event.condition === "DisruptionTarget")
        assert.deepEqual([condition?.event.status, condition?.event.reason], [true, "TerminationByKubelet"])
        const [admitted] = of("PodAdmitted", "system")
        assert.equal(admitted?.cause, decided?.id)
        assert.ok(admitted!.sequence > of("ContainerExited", "large")[0]!.sequence, "it came before there was room")
        assert.equal(admitted?.event.pod.spec.priority, 2_000_001_000)
      })
    ))

  it("goes on waiting in the agent's next life", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* world.manifests.write("large.yaml", simulatedPod("large", asking("700m")))
            yield* agent.pass(5)
            yield* world.manifests.write("system.yaml", simulatedPod("system", asking("500m"), critical))
            for (let i = 0; i < 100 && (yield* history(world)).of("PodPreemptionDecided").length === 0; i++)
              yield* agent.pass(0.05)
          })
        )
        assert.equal((yield* history(world)).of("PodAdmitted", "system").length, 0)
        const agent = yield* startAgent(world)
        yield* agent.pass(30)
        assert.equal(agent.status("default/system"), "Running")
        assert.equal((yield* history(world)).of("PodPreempted").length, 1)
      })
    ))

  it("is rejected where it outranks nobody, and by an agent without the flag", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer })
        const flags = new Set([...knownFlags].filter((number) => number !== preemption.number))
        const agent = yield* startAgent(world, { flags })
        yield* world.manifests.write("large.yaml", simulatedPod("large", asking("700m")))
        yield* agent.pass(5)
        yield* world.manifests.write("equal.yaml", simulatedPod("equal", asking("500m")))
        yield* world.manifests.write("system.yaml", simulatedPod("system", asking("500m"), critical))
        yield* agent.pass(10)
        assert.deepEqual(
          ["large", "equal", "system"].map((name) => agent.status(`default/${name}`)),
          ["Running", "OutOfcpu", "OutOfcpu"]
        )
      })
    ))

  it("stays rejected in the agent's next life, and nobody's place is given away for it", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer })
        const flags = new Set([...knownFlags].filter((number) => number !== preemption.number))
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world, { flags })
            yield* world.manifests.write("large.yaml", simulatedPod("large", asking("700m")))
            yield* agent.pass(5)
            yield* world.manifests.write("system.yaml", simulatedPod("system", asking("500m"), critical))
            yield* agent.pass(5)
          })
        )
        const agent = yield* startAgent(world)
        yield* agent.pass(5)
        yield* world.manifests.write("third.yaml", simulatedPod("third", asking("400m")))
        yield* agent.pass(5)
        assert.deepEqual(
          ["large", "system", "third"].map((name) => agent.status(`default/${name}`)),
          ["Running", "OutOfcpu", "OutOfcpu"]
        )
      })
    ))
})

describe("who is preempted", () => {
  const wanted = (cpu: string, priority?: number) =>
    pod({
      containers: [container("app", { resources: { requests: { cpu } } })],
      ...(priority === undefined ? {} : { priority })
    })
  const beside = (name: string, cpu: string, priority?: number) => ({
    name: `default/${name}`,
    uid: `uid-${name}`,
    spec: wanted(cpu, priority).spec
  })
  const room = (used: string, more: Partial<NodeRoom> = {}): NodeRoom => ({
    allocatable: { cpu: "1" },
    used: { cpu: used },
    maxPods: 110,
    pods: 2,
    labels: {},
    takenPorts: [],
    ...more
  })
  const names = (pods: ReadonlyArray<PreemptedPod>) => pods.map(({ name }) => name)

  it("is nobody of the same priority, nobody who leaves too little, nobody for a pod that could not run anyway", () => {
    const others = [beside("a", "400m"), beside("b", "500m", 100)]
    assert.deepEqual(names(preemptedBy(wanted("300m", 50), room("900m"), others)), ["a"])
    assert.deepEqual(names(preemptedBy(wanted("300m"), room("900m"), others)), [])
    assert.deepEqual(names(preemptedBy(wanted("600m", 50), room("900m"), others)), [])
    assert.deepEqual(names(preemptedBy(wanted("600m", 200), room("900m"), others)), ["b"])
    assert.deepEqual(names(preemptedBy(wanted("1100m", 200), room("900m"), others)), [])
    const taken = room("900m", { takenPorts: ["TCP 0.0.0.0:80 (default/a)"] })
    assert.deepEqual(names(preemptedBy(wanted("300m", 50), taken, others)), [])
  })
})

describe("a pod that waits for those whose place it takes", () => {
  const full: NodeRoom = {
    allocatable: { cpu: "1" },
    used: { cpu: "800m" },
    maxPods: 110,
    pods: 3,
    labels: {},
    takenPorts: [],
    preempt: [{ namespace: "default", name: "other", uid: "uid-o", priority: 0, qosClass: "Burstable" }]
  }
  const wanted = (uid?: string) =>
    pod({ containers: [container("app", { resources: { requests: { cpu: "500m" } } })], priority: 100 }, uid)
  const desire = (story: PodStory, uid?: string, room: NodeRoom | undefined = full) =>
    story.tell({ _tag: "DesirePod", pod: wanted(uid), source: "/manifests/web.yaml", room })

  it("is not asked for twice, makes way for its next definition, and is forgotten with its manifest", () => {
    const story = new PodStory()
    assert.deepEqual(tags(desire(story)), ["PodPreemptionDecided"])
    assert.deepEqual(desire(story), [])
    assert.deepEqual(tags(desire(story, "uid-2")), ["PodReplacementDropped", "PodPreemptionDecided"])
    assert.deepEqual(story.tell({ _tag: "ReportPreempted", uid: "uid-1" }), [])
    assert.deepEqual(tags(story.undesire("uid-2")), ["PodReplacementDropped"])
    assert.equal(story.state.preempting, undefined)
    assert.deepEqual(story.tell({ _tag: "ReportPreempted", uid: "uid-2" }), [])
  })

  it("is one that ends already or is another by now: then it is told in vain", () => {
    const story = new PodStory().running()
    const by = { by: "default/other", byUid: "uid-o" }
    assert.deepEqual(story.tell({ _tag: "PreemptPod", uid: "uid-9", ...by }), [])
    assert.equal(only(story.tell({ _tag: "PreemptPod", uid: "uid-1", ...by }), "PodPreempted").length, 1)
    assert.deepEqual(story.tell({ _tag: "PreemptPod", uid: "uid-1", ...by }), [])
  })
})
