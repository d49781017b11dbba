import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { compare, makeComparison } from "../../../src/actors/runtime/compare.ts"
import type { Container, ContainerState, Sandbox, SandboxState } from "../../../src/adapters/cri/port.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { container, PodStory, pod } from "../pod/pod-story.ts"

const labels = (uid: string) => ({
  "io.kubernetes.pod.name": "web",
  "io.kubernetes.pod.namespace": "default",
  "io.kubernetes.pod.uid": uid
})
const sandbox = (id: string, state: SandboxState = "SANDBOX_READY", uid = "uid-1"): Sandbox => ({
  id,
  metadata: { name: "web", namespace: "default", uid, attempt: 0 },
  state,
  createdAt: "2026-01-01T00:00:00Z",
  labels: labels(uid),
  annotations: {}
})
const listed = (id: string, state: ContainerState = "CONTAINER_RUNNING"): Container => ({
  id,
  podSandboxId: "sandbox-0",
  metadata: { name: "app", attempt: 0 },
  image: "",
  imageRef: "",
  state,
  createdAt: "2026-01-01T00:00:00Z",
  labels: labels("uid-1"),
  annotations: {}
})
const id = actorId("pod", "default", "web")
const running = () => [{ id, state: new PodStory().running().state }]

describe("the runtime's listing against the pods", () => {
  it("that agrees finds nothing", () =>
    assert.deepEqual(compare(running(), [sandbox("sandbox-0")], [listed("app-0")]), { findings: [], strays: [] }))

  it("finds containers that ended and containers that are gone", () => {
    const story = new PodStory().running(pod({ containers: [container("app"), container("side")] }))
    const { findings } = compare(
      [{ id, state: story.state }],
      [sandbox("sandbox-0")],
      [listed("app-0", "CONTAINER_EXITED")]
    )
    assert.deepEqual(findings, [
      { pod: id, uid: "uid-1", sandboxes: [], exited: ["app-0"], missing: ["side-0"], unclear: [] }
    ])
  })

  it("finds a container whose state the runtime does not know, until it is being stopped", () => {
    const story = new PodStory().running()
    const look = () =>
      compare([{ id, state: story.state }], [sandbox("sandbox-0")], [listed("app-0", "CONTAINER_UNKNOWN")])
    assert.deepEqual(look().findings[0]?.unclear, ["app-0"])
    story.undesire()
    assert.deepEqual(look().findings, [])
  })

  it("finds a sandbox that is not ready, or gone", () => {
    const notReady = compare(running(), [sandbox("sandbox-0", "SANDBOX_NOTREADY")], [listed("app-0")])
    assert.deepEqual(notReady.findings[0]?.sandboxes, [{ sandboxId: "sandbox-0", state: "notReady" }])
    const gone = compare(running(), [], [listed("app-0")])
    assert.deepEqual(gone.findings[0]?.sandboxes, [{ sandboxId: "sandbox-0", state: "missing" }])
  })

  it("says nothing of what is only being started, or has ended already", () => {
    const story = new PodStory()
    story.desire()
    story.imagePresent()
    story.sandboxCreated()
    assert.deepEqual(compare([{ id, state: story.state }], [sandbox("sandbox-0")], []).findings, [])
    story.started("app")
    story.tell({ _tag: "UndesirePod", uid: "uid-1", reason: "ManifestRemoved" })
    story.stopped("app")
    assert.deepEqual(compare([{ id, state: story.state }], [sandbox("sandbox-0")], []).findings, [])
  })

  it("takes sandboxes of pods that are not here for strays, and those without a pod's label for nobody's", () => {
    const stray = sandbox("other", "SANDBOX_READY", "uid-9")
    const { strays } = compare(
      running(),
      [sandbox("sandbox-0"), stray, { ...stray, id: "bare", labels: {} }],
      [listed("app-0")]
    )
    assert.deepEqual(
      strays.map((s) => s.id),
      ["other"]
    )
  })
})

describe("looks that follow one another", () => {
  const quiet = { findings: [], strays: [] }

  it("find nothing in what is the very same, and everything as soon as anything differs", () => {
    const compared = makeComparison()
    const pods = running()
    const [sandboxes, containers] = [[sandbox("sandbox-0")], [listed("app-0")]]
    assert.deepEqual(compared(pods, sandboxes, containers), quiet)
    // The same values in other lists, as adapters answer them.
    assert.deepEqual(compared([...pods], [...sandboxes], [...containers]), quiet)
    const exited = [listed("app-0", "CONTAINER_EXITED")]
    assert.deepEqual(compared(pods, sandboxes, exited).findings[0]?.exited, ["app-0"])
    // What is found is found again until the pod knows.
    assert.deepEqual(compared(pods, sandboxes, exited), compare(pods, sandboxes, exited))
    assert.deepEqual(compared(pods, [], containers), compare(pods, [], containers))
    assert.equal(compared([], sandboxes, containers).strays.length, 1)
    assert.equal(compared([], sandboxes, containers).strays.length, 1)
    assert.deepEqual(compared(pods, sandboxes, containers), quiet)
  })

  it("see a pod that has changed while the lists have not", () => {
    const compared = makeComparison()
    const story = new PodStory()
    story.desire()
    const [sandboxes, containers] = [[sandbox("sandbox-0")], [listed("app-0", "CONTAINER_EXITED")]]
    assert.deepEqual(compared([{ id, state: story.state }], sandboxes, containers), quiet)
    assert.deepEqual(compared(running(), sandboxes, containers).findings[0]?.exited, ["app-0"])
  })
})
