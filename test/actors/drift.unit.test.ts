/**
 * What goes behind the agent's back (kubelet finds it by its relist and by its resync): containers, sandboxes and files that
 * somebody removed. The runtime's lists tell of the first two; files are made anew with the next start that needs them.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Context, Effect } from "effect"
import { ContainerRuntime } from "../../src/adapters/cri/port.ts"
import { eventsOf, makeWorld, simulate, simulatedPod, startAgent } from "../support/simulated-node.ts"

const running = (spec = "") =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    const agent = yield* startAgent(world)
    yield* world.manifests.write("web.yaml", simulatedPod("web", "", spec))
    yield* agent.pass(5)
    assert.equal(agent.status("default/web"), "Running")
    return { world, agent, runtime: Context.get(world.outside, ContainerRuntime) }
  })

describe("what goes behind the agent's back", () => {
  it("is a container: it ended in a way that nobody knows, and its policy says what follows", () =>
    simulate(
      Effect.gen(function* () {
        const { world, agent, runtime } = yield* running()
        const [container] = yield* runtime.listContainers({})
        yield* runtime.removeContainer(container!.id)
        yield* agent.pass(15)
        const [ended] = yield* eventsOf(world, "ContainerExited")
        assert.deepEqual(
          [ended?.containerId, ended?.exitCode, ended?.reason],
          [container!.id, 137, "ContainerStatusUnknown"]
        )
        assert.equal(agent.status("default/web"), "Running")
        assert.equal((yield* eventsOf(world, "ContainerStarted")).length, 2)
      })
    ))

  it("is a container that is never restarted: then its pod fails", () =>
    simulate(
      Effect.gen(function* () {
        const { world, agent, runtime } = yield* running("restartPolicy: Never")
        const [container] = yield* runtime.listContainers({})
        yield* runtime.removeContainer(container!.id)
        yield* agent.pass(15)
        const [phase] = (yield* eventsOf(world, "PodPhaseChanged")).slice(-1)
        assert.equal(phase?.to, "Failed")
        assert.equal((yield* eventsOf(world, "ContainerStarted")).length, 1)
      })
    ))

  it("is a sandbox with all that is in it: another one is made", () =>
    simulate(
      Effect.gen(function* () {
        const { world, agent, runtime } = yield* running()
        const [sandbox] = yield* runtime.listPodSandboxes({})
        yield* runtime.removePodSandbox(sandbox!.id)
        yield* agent.pass(15)
        const [lost] = yield* eventsOf(world, "SandboxLost")
        assert.equal(lost?.sandboxId, sandbox!.id)
        const there = yield* runtime.listPodSandboxes({})
        assert.deepEqual(
          there.map(({ metadata, state }) => [metadata.attempt, state]),
          [[1, "SANDBOX_READY"]]
        )
        assert.equal(agent.status("default/web"), "Running")
      })
    ))

  it("are the hosts file and the directory of logs: they are there again for the next start", () =>
    simulate(
      Effect.gen(function* () {
        const { world, agent, runtime } = yield* running()
        const host = world.host.service
        const [admitted] = yield* eventsOf(world, "PodAdmitted")
        const { uid } = admitted!.pod.metadata
        const hosts = `/var/lib/chronode/pods/${uid}/etc-hosts`
        const written = yield* host.readText(hosts)
        assert.match(written, /\bweb\b/u)
        yield* host.removeTree(`/var/lib/chronode/pods/${uid}`)
        yield* host.removeTree(`/var/log/pods/default_web_${uid}`)
        const [container] = yield* runtime.listContainers({})
        yield* world.runtime.exit(container!.id, 1)
        yield* agent.pass(15)
        assert.equal(agent.status("default/web"), "Running")
        assert.equal(yield* host.readText(hosts), written)
      })
    ))
})
