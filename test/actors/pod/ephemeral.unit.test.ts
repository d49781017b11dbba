/** Ephemeral containers: put into a pod that runs, started once, and nothing depends on them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { podMessages } from "../../../src/actors/pod/messages.ts"
import { maxEphemeralContainers } from "../../../src/actors/pod/plan/ephemeral.ts"
import { qosClass } from "../../../src/actors/pod/resources/qos.ts"
import { containerStatuses } from "../../../src/actors/pod/status/container-statuses.ts"
import { podView } from "../../../src/actors/pod/view.ts"
import type { ContainerConfig } from "../../../src/adapters/cri/port.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { EphemeralContainer, Pod } from "../../../src/events/pod-spec.ts"
import { only, tags } from "../../support/given.ts"
import { makeWorld, simulate, simulatedPod, startAgent } from "../../support/simulated-node.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const debug = (name = "debug", more: Partial<EphemeralContainer> = {}): EphemeralContainer => ({
  name,
  image: "busybox:1",
  ...more
})
const withDebug = (containers: ReadonlyArray<EphemeralContainer>, spec: Partial<Pod["spec"]> = {}): Pod =>
  pod({ ...spec, ephemeralContainers: containers })
const running = (spec: Partial<Pod["spec"]> = {}): PodStory => new PodStory().running(pod(spec))
const startedNames = (events: ReturnType<PodStory["tell"]>) =>
  only(events, "ContainerStartRequested").map(({ event }) => event.container)

describe("an ephemeral container", () => {
  it("is put into the pod that runs, and started when its image is there", () => {
    const story = running()
    const events = story.desire(withDebug([debug()]))
    assert.deepEqual(tags(events), ["EphemeralContainersAdded"])
    assert.equal(story.state.definition?.pod.metadata.uid, "uid-1")
    const asked = podMessages(events[0]!.event, story.state, actorId("pod", "default", "web"), story.at)
    assert.deepEqual(
      asked.map(({ to, command }) => [to.kind, command._tag, (command as { image?: string }).image]),
      [["image", "RequestImage", "busybox:1"]]
    )
    const [start] = only(story.imagePresent(), "ContainerStartRequested")
    assert.deepEqual([start?.event.container, start?.event.sandboxId], ["debug", "sandbox-0"])
    story.started("debug")
    assert.deepEqual(story.refolded(), story.state)
    assert.deepEqual(story.desire(withDebug([debug()])), [], "the same again is no news")
  })

  it("that its pod has from the start is started with the sandbox, before the init containers are through", () => {
    const story = new PodStory()
    story.desire(withDebug([debug()], { initContainers: [container("prepare")] }))
    story.sandboxCreated()
    assert.deepEqual(startedNames(story.imagePresent()), ["debug", "prepare"])
    story.started("debug")
    assert.equal(story.state.initialized, false, "it is no sign that initialization is over")
    assert.equal(story.state.phase, "Pending")
  })

  it("is no part of phase, readiness, conditions and QoS, and has a list of its own", () => {
    const story = running()
    const before = [story.state.phase, JSON.stringify(story.state.conditions)]
    story.desire(withDebug([debug()]))
    story.imagePresent()
    story.started("debug")
    assert.deepEqual([story.state.phase, JSON.stringify(story.state.conditions)], before)
    const view = podView(actorId("pod", "default", "web"), story.state)
    assert.deepEqual([view.ready, view.restarts], ["1/1", 0])
    assert.deepEqual(
      view.ephemeralContainers.map(({ name, ready, state }) => [name, ready, state.running !== undefined]),
      [["debug", false, true]]
    )
    assert.deepEqual(
      view.containers.map(({ name }) => name),
      ["app"]
    )
    assert.equal(qosClass(story.state.definition!.pod.spec), "BestEffort")
    story.ended("debug", 1)
    assert.deepEqual([story.state.phase, JSON.stringify(story.state.conditions)], before)
  })

  it("is never restarted, whatever the pod's policy and its exit code", () => {
    for (const restartPolicy of ["Always", "OnFailure", "Never"] as const) {
      for (const code of [0, 1]) {
        const story = running({ restartPolicy })
        story.desire(withDebug([debug()], { restartPolicy }))
        story.imagePresent()
        story.started("debug")
        const events = story.ended("debug", code)
        assert.deepEqual(tags(events), ["ContainerExited"])
        assert.equal(containerStatuses(story.state, "ephemeral")[0]?.state.terminated?.exitCode, code)
      }
    }
  })

  it("that the runtime made and could not start is not tried again; one that could not be made is", () => {
    const failed = { _tag: "ReportContainerStart", container: "debug", attempt: 0, outcome: "failed" } as const
    const story = running()
    story.desire(withDebug([debug()]))
    story.imagePresent()
    story.tell({ ...failed, reason: "CreateContainerConfigError", message: "no target" })
    story.wait(10)
    assert.deepEqual(startedNames(story.timer("start/debug")), ["debug"])
    story.tell({ _tag: "ReportContainerCreated", container: "debug", attempt: 0, containerId: "debug-0" })
    story.tell({ ...failed, reason: "RunContainerError", message: "no such program" })
    story.wait(300)
    assert.deepEqual(startedNames(story.timer("start/debug")), [])
  })

  it("ends with its pod, and holds nothing up: neither the end of the others nor a restart of all", () => {
    const story = running({ restartPolicy: "Never" })
    story.desire(withDebug([debug()], { restartPolicy: "Never" }))
    story.imagePresent()
    story.started("debug")
    const events = story.ended("app", 0)
    assert.deepEqual(
      only(events, "ContainerKillRequested").map(({ event }) => [event.container, event.reason]),
      [["debug", "PodCompleted"]]
    )
    assert.equal(story.state.phase, "Succeeded")
    assert.ok(tags(story.stopped("debug")).includes("SandboxStopRequested"))

    const rule = { action: "RestartAllContainers", exitCodes: { operator: "In", values: [7] } } as const
    const containers = [container("app", { restartPolicy: "Never", restartPolicyRules: [rule] }), container("other")]
    const again = new PodStory().running(pod({ containers }))
    again.desire(withDebug([debug()], { containers }))
    again.imagePresent()
    again.started("debug")
    const kills = only(again.ended("app", 7), "ContainerKillRequested").map(({ event }) => event.container)
    assert.deepEqual(kills, ["other"])
    assert.deepEqual(startedNames(again.stopped("other")), ["app", "other"])
    assert.equal(again.state.containers.find(({ name }) => name === "debug")?.status, "running")

    const ending = only(again.undesire(), "ContainerKillRequested").map(({ event }) => event.container)
    assert.ok(ending.includes("debug"))
  })

  it("of unknown state is left alone", () => {
    const story = running()
    story.desire(withDebug([debug()]))
    story.imagePresent()
    story.started("debug")
    const unclear = { containerId: story.containerId("debug"), state: "unknown" }
    assert.deepEqual(story.tell({ _tag: "ObserveRuntime", uid: "uid-1", sandboxes: [], containers: [unclear] }), [])
  })

  it("stays as it is when the manifest drops or changes it, and that is said once", () => {
    const story = running()
    story.desire(withDebug([debug("a"), debug("b")]))
    const events = story.desire(withDebug([debug("b", { command: ["other"] }), debug("c")]))
    assert.deepEqual(tags(events), ["EphemeralContainersAdded", "EphemeralContainersDiffer"])
    const [differ] = only(events, "EphemeralContainersDiffer")
    assert.deepEqual([differ?.event.removed, differ?.event.changed, differ?.event.refused], [["a"], ["b"], []])
    assert.deepEqual(
      story.state.definition?.pod.spec.ephemeralContainers?.map(({ name, command }) => [name, command]),
      [
        ["a", undefined],
        ["b", undefined],
        ["c", undefined]
      ]
    )
    assert.deepEqual(story.desire(withDebug([debug("b", { command: ["other"] }), debug("c")])), [])
    const over = story.desire(withDebug([debug("a"), debug("b"), debug("c")]))
    assert.deepEqual(tags(over), ["EphemeralContainersDiffer"])
    assert.deepEqual(story.refolded(), story.state)
  })

  it("is one of so many and no more", () => {
    const story = running()
    const many = Array.from({ length: maxEphemeralContainers + 2 }, (_, i) => debug(`d${i}`))
    const events = story.desire(withDebug(many))
    assert.equal(only(events, "EphemeralContainersAdded")[0]?.event.containers.length, maxEphemeralContainers)
    assert.deepEqual(only(events, "EphemeralContainersDiffer")[0]?.event.refused, ["d32", "d33"])
  })

  it("of a definition that waits comes with it", () => {
    const story = running()
    story.desire(pod({ hostNetwork: true }, "uid-2"))
    const events = story.desire({ ...pod({ hostNetwork: true, ephemeralContainers: [debug()] }, "uid-2") })
    assert.deepEqual(tags(events), ["PodReplacementQueued"])
    assert.equal(story.state.replacement?.pod.spec.ephemeralContainers?.length, 1)
  })
})

describe("an ephemeral container on a node", () => {
  it("reaches the same pod through its manifest, sees its target's processes, and outlives the agent", () =>
    simulate(
      Effect.gen(function* () {
        const configs: Array<ContainerConfig> = []
        const program = (config: ContainerConfig) => {
          configs.push(config)
          return {}
        }
        const world = yield* makeWorld({ runtime: { program } })
        const written =
          "ephemeralContainers: [{ name: debug, image: registry.local/busybox:1, targetContainerName: app }]"
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* world.manifests.write("web.yaml", simulatedPod("web"))
            yield* agent.pass(5)
            yield* world.manifests.write("web.yaml", simulatedPod("web", "", written))
            yield* agent.pass(5)
            assert.equal(agent.status("default/web"), "Running")
          })
        )
        assert.deepEqual(
          configs.map(({ metadata }) => metadata.name),
          ["app", "debug"]
        )
        const containers = yield* world.runtime.runtime.listContainers({})
        const target = containers.find(({ metadata }) => metadata.name === "app")?.id
        const { pid, targetId } = configs[1]!.linux.securityContext.namespaceOptions
        assert.deepEqual([pid, targetId], ["TARGET", target])
        const agent = yield* startAgent(world)
        yield* agent.pass(60)
        const events = (yield* world.events).map(({ event }) => event)
        const count = (tag: string) => events.filter(({ _tag }) => _tag === tag).length
        assert.deepEqual(
          ["PodAdmitted", "EphemeralContainersAdded", "PodTerminationRequested", "ContainerStarted"].map(count),
          [1, 1, 0, 2]
        )
      })
    ))
})
