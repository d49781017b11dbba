/** Images that nobody uses go when their disk is too full: on a whole node in memory, and as the actor decides it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Context, Effect } from "effect"
import { runtimeDecider } from "../../../src/actors/runtime/decider.ts"
import { ContainerRuntime } from "../../../src/adapters/cri/port.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { Story, tags } from "../../support/given.ts"
import {
  eventsOf,
  makeWorld,
  type SimulationOptions,
  simulate,
  simulatedImage,
  simulatedPod,
  startAgent
} from "../../support/simulated-node.ts"

const full = { capacity: 100_000_000, available: 14_000_000 }
/** Each takes 2 MB in the memory runtime. */
const crowd: SimulationOptions = {
  runtime: {
    images: [simulatedImage, "registry.local/old:1", "registry.local/old:2", "registry.local/kept:1", "pause:3"],
    pinnedImages: ["registry.local/kept:1"],
    sandboxImage: "docker.io/library/pause:3"
  }
}
const names = Effect.map(
  Effect.flatMap(ContainerRuntime, (runtime) => runtime.listImages),
  (images) => images.map(({ repoTags }) => repoTags[0]).toSorted()
)

describe("images of a node", () => {
  it("stay while there is room, and go when the disk is too full: none that is used, pinned or made sandboxes of", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld(crowd)
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(400)
        assert.deepEqual(yield* eventsOf(world, "GarbageFound"), [])
        Object.assign(world.imageDisk, full)
        yield* agent.pass(300)
        const [decided] = yield* eventsOf(world, "ImageCollectionDecided")
        assert.deepEqual(
          [decided?.trigger, decided?.images, decided?.usedPercent, decided?.bytesToFree],
          ["HighThreshold", 2, 86, 6_000_000]
        )
        assert.deepEqual((yield* eventsOf(world, "GarbageFound")).map(({ what, name }) => [what, name]).toSorted(), [
          ["Image", "registry.local/old:1"],
          ["Image", "registry.local/old:2"]
        ])
        assert.equal((yield* eventsOf(world, "GarbageRemoved")).length, 2)
        assert.deepEqual(yield* Effect.provide(names, world.outside), [
          "docker.io/library/pause:3",
          simulatedImage,
          "registry.local/kept:1"
        ])
        // Less than was needed: that is told once, and its end.
        yield* agent.pass(900)
        assert.equal((yield* eventsOf(world, "ImageSpaceShort")).length, 1)
        assert.match((yield* eventsOf(world, "ImageSpaceShort"))[0]?.message ?? "", /freed 4000000 bytes/u)
        Object.assign(world.imageDisk, { available: 50_000_000 })
        yield* agent.pass(300)
        assert.equal((yield* eventsOf(world, "ImageSpaceRestored")).length, 1)
      })
    ))

  it("that a pod has left are kept for those used longer ago", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ runtime: { images: [simulatedImage, "registry.local/old:1"] } })
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(120)
        yield* world.manifests.remove("web.yaml")
        yield* agent.pass(60)
        // 2 MB are wanted, and one image has them.
        Object.assign(world.imageDisk, { capacity: 10_000_000, available: 500_000 })
        yield* agent.pass(300)
        assert.deepEqual(
          (yield* eventsOf(world, "GarbageFound")).filter(({ what }) => what === "Image").map(({ name }) => name)[0],
          "registry.local/old:1"
        )
      })
    ))

  it("that the runtime does not let go are told of, and tried again with the next look", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld(crowd)
        const agent = yield* startAgent(world)
        yield* agent.pass(10)
        Object.assign(world.imageDisk, full)
        world.faults.inject("removeImage", { kind: "error", reason: "Failed", message: "is busy" }, 1)
        yield* agent.pass(300)
        const [kept] = yield* eventsOf(world, "GarbageKept")
        assert.deepEqual([kept?.what, kept?.message], ["Image", "is busy"])
        yield* agent.pass(300)
        const runtime = Context.get(world.outside, ContainerRuntime)
        assert.ok((yield* runtime.listImages).every(({ repoTags }) => !repoTags[0]?.includes("old")))
      })
    ))
})

const survey = {
  _tag: "ImagesSurveyed",
  at: 1_000_000,
  by: "Period",
  policy: { highThresholdPercent: 85, lowThresholdPercent: 80, minAge: 120_000, maxAge: 0 },
  since: 0,
  unused: [
    { id: "sha256:a", name: "a:1", size: 10, firstDetected: 1 },
    { id: "sha256:b", name: "", size: 10, firstDetected: 999_999 }
  ]
} as const

describe("the runtime's actor and images", () => {
  const story = () => new Story(runtimeDecider, actorId("runtime", "", "cri"))

  it("frees what eviction asks for as far as it is old enough, whatever room there is", () => {
    const runtime = story()
    const decided = runtime.when({ ...survey, by: "Eviction" })
    assert.deepEqual(tags(decided), ["ImageCollectionDecided", "GarbageFound"])
    assert.equal((decided[1]?.event as { id?: string } | undefined)?.id, "sha256:a")
    assert.deepEqual(runtime.when({ ...survey, by: "Eviction" }), [], "it goes already")
  })

  it("decides nothing on a disk that it knows nothing of", () => {
    assert.deepEqual(story().when(survey), [])
    assert.deepEqual(story().when({ ...survey, disk: { capacity: 0, available: 0 } }), [])
  })

  it("lets go what nobody has used for the longest age", () => {
    const old = { ...survey, policy: { ...survey.policy, maxAge: 500_000 }, disk: { capacity: 100, available: 50 } }
    const decided = story().when({ ...old, unused: [{ ...survey.unused[0], lastUsed: 400_000 }] })
    assert.deepEqual(tags(decided), ["ImageCollectionDecided", "GarbageFound"])
    assert.equal((decided[0]?.event as { trigger?: string } | undefined)?.trigger, "MaximumAge")
  })
})
