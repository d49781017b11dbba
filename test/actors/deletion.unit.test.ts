/**
 * A pod is deleted at any moment of its life: while its image is pulled, its sandbox is made, an init container or a hook
 * runs, it backs off, or ends already. Everything of it goes, and the log says why.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import type { ContainerConfig } from "../../src/adapters/cri/port.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import {
  makeWorld,
  type SimulatedAgent,
  simulate,
  simulatedImage,
  simulatedPod,
  startAgent,
  type World
} from "../support/simulated-node.ts"

const init = `initContainers: [{ name: prepare, image: "${simulatedImage}" }]`
const elsewhere = "registry.local/other:1"

interface Phase {
  readonly name: string
  readonly manifest: string
  /** The world as it is for this pod. */
  readonly arrange?: (world: World) => Effect.Effect<void>
  readonly program?: (config: ContainerConfig) => object
  /** Seconds until it is deleted; the phase has to be reached by then. */
  readonly after?: number
  /** The last event of the phase, which has to be there, and one that ends it, which must not. */
  readonly reached: string
  readonly notYet?: string
  /** Seconds within which all is gone. */
  readonly within?: number
}

const fault = (call: Parameters<World["faults"]["inject"]>[0], seconds: number) => (world: World) =>
  Effect.sync(() => world.faults.inject(call, { kind: "delay", milliseconds: seconds * 1000 }))

const phases: ReadonlyArray<Phase> = [
  {
    name: "its image is pulled",
    manifest: simulatedPod("web").replace(simulatedImage, elsewhere),
    arrange: fault("pullImage", 20),
    reached: "ImagePullStarted",
    notYet: "ImagePulled"
  },
  {
    name: "it waits for an image that is nowhere",
    manifest: simulatedPod("web").replace(simulatedImage, "registry.local/nowhere:1"),
    reached: "ContainerWaiting",
    notYet: "ContainerStartRequested",
    after: 30
  },
  {
    name: "its volume cannot be mounted",
    manifest: simulatedPod("web", "", "volumes: [{ name: d, emptyDir: {} }]"),
    arrange: (world) => world.volumes.fail("mount", () => true, "no room"),
    reached: "VolumeMountFailed",
    notYet: "SandboxRequested"
  },
  {
    name: "its sandbox is made",
    manifest: simulatedPod("web"),
    arrange: fault("runPodSandbox", 20),
    reached: "SandboxRequested",
    notYet: "SandboxCreated",
    within: 60
  },
  {
    name: "its sandbox cannot be made",
    manifest: simulatedPod("web"),
    arrange: (world) =>
      Effect.sync(() => world.faults.inject("runPodSandbox", { kind: "error", reason: "Failed" }, 100)),
    reached: "SandboxFailed",
    notYet: "SandboxCreated",
    after: 30
  },
  {
    name: "an init container runs",
    manifest: simulatedPod("web", "", init),
    reached: "ContainerStarted",
    notYet: "ContainerExited"
  },
  {
    name: "its container is created",
    manifest: simulatedPod("web"),
    arrange: fault("createContainer", 20),
    reached: "ContainerStartRequested",
    notYet: "ContainerStarted",
    within: 60
  },
  {
    name: "its container is started",
    manifest: simulatedPod("web"),
    arrange: fault("startContainer", 20),
    reached: "ContainerStartRequested",
    notYet: "ContainerStarted",
    within: 60
  },
  {
    name: "it crashes again and again",
    manifest: simulatedPod("web"),
    program: () => ({ exits: { after: 1000, code: 1 } }),
    after: 60,
    reached: "ContainerBackOffStarted"
  },
  {
    name: "its postStart hook runs",
    manifest: simulatedPod("web", "lifecycle: { postStart: { sleep: { seconds: 5 } } }"),
    reached: "ContainerHookStarted",
    notYet: "ContainerHookEnded"
  },
  {
    name: "it runs and is asked by its probes",
    manifest: simulatedPod("web", "readinessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1 }"),
    reached: "ProbeResultChanged"
  },
  {
    name: "its container is being stopped for its liveness probe",
    manifest: simulatedPod(
      "web",
      "livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 20 }"
    ),
    arrange: (world) => world.probes.answer(() => true, { result: "failure" }),
    program: () => ({ onTerm: "ignore" }),
    reached: "ContainerKillRequested",
    notYet: "ContainerExited",
    within: 60
  },
  {
    name: "its definition has just changed",
    manifest: simulatedPod("web"),
    program: () => ({ onTerm: { after: 3000, code: 0 } }),
    reached: "ContainerStarted"
  },
  {
    name: "it has run to its end",
    manifest: simulatedPod("web", "", "restartPolicy: Never"),
    program: () => ({ exits: { after: 1000, code: 0 } }),
    reached: "SandboxStopped",
    after: 10
  },
  {
    name: "it ignores SIGTERM",
    manifest: simulatedPod("web"),
    program: () => ({ onTerm: "ignore" }),
    reached: "ContainerStarted"
  }
]

const causes = (events: ReadonlyArray<RecordedEvent>, of: RecordedEvent): ReadonlyArray<string> => {
  const chain: Array<string> = []
  for (let e: RecordedEvent | undefined = of; e !== undefined; e = events.find(({ id }) => id === e?.cause))
    chain.push(e.event._tag)
  return chain
}

/** What is left of it anywhere. */
const remains = (world: World, agent: SimulatedAgent) =>
  Effect.gen(function* () {
    const files = [...world.host.files.keys()].filter((path) => path.includes("/pods/"))
    return {
      status: agent.status("default/web"),
      sandboxes: (yield* world.runtime.runtime.listPodSandboxes({})).length,
      containers: (yield* world.runtime.runtime.listContainers({})).length,
      volumes: yield* world.volumes.paths,
      files,
      probes: agent.system.actors("probe").filter(({ state }) => (state as { asked: unknown }).asked !== null).length
    }
  })

const nothing = { status: undefined, sandboxes: 0, containers: 0, volumes: [], files: [], probes: 0 }

const story = (phase: Phase, dies: boolean): Effect.Effect<void, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const { name, manifest, program = () => ({}) } = phase
    const world = yield* makeWorld({ runtime: { registry: [elsewhere], program } })
    if (phase.arrange !== undefined) yield* phase.arrange(world)
    const seen = Effect.map(world.events, (events) => events.map(({ event }) => event._tag as string))
    const first = Effect.gen(function* () {
      const agent = yield* startAgent(world)
      yield* world.manifests.write("web.yaml", manifest)
      yield* agent.pass(phase.after ?? 3)
      const tags = yield* seen
      assert.ok(tags.includes(phase.reached), `${name}: ${tags.slice(-8).join(" ")}`)
      if (phase.notYet !== undefined) assert.ok(!tags.includes(phase.notYet), `${name}: it is past ${phase.notYet}`)
      if (name.includes("definition")) {
        yield* world.manifests.write("web.yaml", manifest.replace("name: app", "name: other"))
        yield* agent.pass(1)
      }
      return agent
    })
    if (dies) yield* Effect.scoped(first)
    const agent = dies ? undefined : yield* first
    yield* world.manifests.remove("web.yaml")
    const last = agent ?? (yield* startAgent(world))
    yield* last.pass(phase.within ?? 20)
    assert.deepEqual(yield* remains(world, last), nothing, name)

    const events = yield* world.events
    const request = events.findLast(({ event }) => event._tag === "PodTerminationRequested")
    assert.ok(request?.event._tag === "PodTerminationRequested", name)
    const reason = name.includes("definition") ? "DefinitionChanged" : "ManifestRemoved"
    assert.equal(request.event.reason, reason, name)
    if (reason === "ManifestRemoved") assert.match(causes(events, request).join(" "), / Manifest(?:Removed|Read)/u)
    const removed = events.findLast(({ event }) => event._tag === "PodRemoved")!
    assert.ok(removed.sequence > request.sequence)
    // What is done about it comes of it, step by step.
    assert.ok(causes(events, removed).includes("PodCleanupRequested"), name)
    for (const event of events.filter(({ sequence }) => sequence > request.sequence)) {
      if (event.event._tag === "ContainerStartRequested") assert.fail(`${name}: something is started after its end`)
    }
    yield* last.pass(15)
    assert.deepEqual(yield* remains(world, last), nothing, `${name}: later`)
  })

describe("a pod that is deleted while", () => {
  for (const phase of phases) {
    it(`${phase.name} goes with all that is of it`, { timeout: 60_000 }, () => simulate(story(phase, false)))
    it(`${phase.name} goes the same way where the agent dies meanwhile`, { timeout: 60_000 }, () =>
      simulate(story(phase, true))
    )
  }
})
