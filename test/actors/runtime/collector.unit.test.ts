/** The collection of garbage on a whole node in memory: what piles up behind a pod goes, what is in use or another's stays. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Context, Effect } from "effect"
import type { PodState } from "../../../src/actors/pod/state.ts"
import { ContainerRuntime } from "../../../src/adapters/cri/port.ts"
import { Volumes } from "../../../src/adapters/volumes/port.ts"
import { eventsOf, makeWorld, simulate, simulatedPod, startAgent } from "../../support/simulated-node.ts"

describe("the garbage of a node", () => {
  it("is what its pods leave behind: old sandboxes, dead containers; the newest of each stay", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const runtime = Context.get(world.outside, ContainerRuntime)
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(5)
        for (let i = 0; i < 3; i++) {
          const ready = (yield* runtime.listPodSandboxes({})).find((s) => s.state === "SANDBOX_READY")
          yield* world.runtime.endSandbox(ready!.id)
          yield* agent.pass(45)
        }
        assert.equal(agent.status("default/web"), "Running")
        yield* agent.pass(130)
        const sandboxes = yield* runtime.listPodSandboxes({})
        const containers = yield* runtime.listContainers({})
        // The dead container that is kept keeps its sandbox.
        assert.deepEqual(sandboxes.map(({ metadata }) => metadata.attempt).toSorted(), [2, 3])
        assert.deepEqual(containers.map(({ state }) => state).toSorted(), ["CONTAINER_EXITED", "CONTAINER_RUNNING"])
        const found = yield* eventsOf(world, "GarbageFound")
        assert.ok(found.every(({ name }) => name === "web"))
        assert.deepEqual(found.filter(({ what }) => what === "Sandbox").length, 2)
        // The pod was told of what went without it.
        const [state] = agent.system.actors("pod").map((actor) => actor.state as PodState)
        assert.deepEqual(
          state?.containers[0]?.dead,
          containers.filter((c) => c.state === "CONTAINER_EXITED").map(({ id }) => id)
        )
        assert.deepEqual(
          (yield* eventsOf(world, "GarbageRemoved")).map(({ id }) => id).toSorted(),
          found.map(({ id }) => id).toSorted()
        )
      })
    ))

  it("is left alone where it belongs to pods that this node never ran", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.logs.write("/var/log/pods/default_other_uid-of-another/app/0.log", 1)
        yield* agent.pass(130)
        assert.deepEqual(yield* eventsOf(world, "GarbageFound"), [])
      })
    ))

  it("is the log directory of a pod that is gone", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(5)
        const [admitted] = yield* eventsOf(world, "PodAdmitted")
        const directory = `/var/log/pods/default_web_${admitted?.pod.metadata.uid}`
        yield* world.logs.write(`${directory}/app/0.log`, 1)
        yield* agent.pass(70)
        assert.deepEqual(yield* eventsOf(world, "GarbageFound"), [], "its pod is there")
        yield* world.manifests.remove("web.yaml")
        yield* agent.pass(130)
        const found = yield* eventsOf(world, "GarbageFound")
        assert.deepEqual(
          found.map(({ what, id, namespace, name }) => [what, id, namespace, name]),
          [["LogDirectory", directory, "default", "web"]]
        )
        assert.equal((yield* eventsOf(world, "GarbageRemoved")).length, 1)
        assert.deepEqual(yield* world.logs.files, [])
      })
    ))

  it("is a volume of a pod that nobody knows, as a crash leaves it", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const volumes = Context.get(world.outside, Volumes)
        const left = yield* volumes.mount({
          podUid: "uid-of-nobody",
          name: "cache",
          source: { kind: "emptyDir", medium: "Memory" }
        })
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web", "", "volumes: [{ name: data, emptyDir: {} }]"))
        yield* agent.pass(130)
        const found = yield* eventsOf(world, "GarbageFound")
        assert.deepEqual(
          found.map(({ what, id, uid }) => [what, id, uid]),
          [["Volume", "uid-of-nobody/cache", "uid-of-nobody"]]
        )
        assert.equal((yield* eventsOf(world, "GarbageRemoved")).length, 1)
        const paths = yield* world.volumes.paths
        assert.ok(!paths.includes(left))
        assert.ok(
          paths.some((path) => path.endsWith("/data")),
          "the running pod's own stays"
        )
      })
    ))

  it("is the directory of a pod that nobody knows, once its volumes are gone", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const directory = "/var/lib/chronode/pods/uid-of-nobody"
        world.host.files.set(`${directory}/etc-hosts`, "127.0.0.1 localhost")
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(130)
        const found = yield* eventsOf(world, "GarbageFound")
        assert.deepEqual(
          found.map(({ what, id, uid }) => [what, id, uid]),
          [["PodDirectory", directory, "uid-of-nobody"]]
        )
        const left = [...world.host.files.keys()].filter((file) => file.startsWith("/var/lib/chronode/pods/"))
        assert.ok(
          left.length > 0 && left.every((file) => !file.includes("uid-of-nobody")),
          "the running pod's own stays"
        )
      })
    ))
})
