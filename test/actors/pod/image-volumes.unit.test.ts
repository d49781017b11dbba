/** Volumes that are images (KEP-4639): pulled like those of containers, and waited for by who mounts them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { podMessages, podReminders } from "../../../src/actors/pod/messages.ts"
import { whyNoImageMounts } from "../../../src/actors/runtime/features.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { only, tags } from "../../support/given.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const id = actorId("pod", "default", "web")
const withTools = () =>
  pod({
    imagePullSecrets: [{ name: "s" }, {}],
    volumes: [{ name: "tools", image: { reference: "tools:1", pullPolicy: "Always" } }],
    containers: [container("app", { volumeMounts: [{ name: "tools", mountPath: "/tools" }] }), container("side")]
  })
const report = (more: object) => ({ _tag: "ReportImage", image: "tools:1", ...more }) as const
const failed = report({ outcome: "failed", reason: "ErrImagePull", message: "no such host", attempt: 1 })
const present = report({ outcome: "present", imageId: "sha256:t" })

const admitted = () => {
  const story = new PodStory()
  story.desire(withTools())
  return story
}

describe("a volume that is an image", () => {
  it("is asked for with the pod's own credentials and its own policy, also after a restart, and let go with the pod", () => {
    const story = admitted()
    const [first] = only(story.log, "PodAdmitted")
    const told = podMessages(first!.event, story.state, id, 1)
    const asked = (messages: typeof told) =>
      messages.map(({ to, command }) => [to.kind, to.namespace, to.name, (command as { policy?: string }).policy])
    const wanted = [
      ["image", "default", "busybox:1+s", "IfNotPresent"],
      ["image", "default", "tools:1+s", "Always"]
    ]
    assert.deepEqual(asked(told), wanted)
    assert.deepEqual(asked(podReminders(story.state, id, 1)), wanted)
    story.imagePresent()
    story.tell(present)
    assert.deepEqual(podReminders(story.state, id, 1), [])
    const [ending] = only(story.undesire(), "PodTerminationRequested")
    assert.deepEqual(
      podMessages(ending!.event, story.state, id, 1).map(({ to, command }) => [to.name, command._tag]),
      [
        ["busybox:1+s", "ReleaseImage"],
        ["tools:1+s", "ReleaseImage"]
      ]
    )
  })

  it("holds up only the containers that mount it, which say why", () => {
    const story = admitted()
    assert.ok(tags(story.log).includes("SandboxRequested"), "the sandbox does not wait for it")
    story.sandboxCreated()
    const started = story.imagePresent().filter(({ event }) => event._tag === "ContainerStartRequested")
    assert.deepEqual(
      only(started, "ContainerStartRequested").map(({ event }) => event.container),
      ["side"]
    )
    const [waiting, ...others] = story.tell(failed)
    assert.deepEqual(waiting?.event, {
      _tag: "ContainerWaiting",
      container: "app",
      reason: "ErrImagePull",
      message: "no such host"
    })
    assert.deepEqual(others, [])
    const again = { ...failed, attempt: 2 }
    const [backOff] = only(story.tell(again), "ContainerWaiting")
    assert.equal(backOff?.event.reason, "ImagePullBackOff")
    assert.equal(backOff?.event.message, 'Back-off pulling image "tools:1": ErrImagePull: no such host')
    assert.deepEqual(story.tell(again), [])
    const [ready, start] = story.tell(present)
    assert.deepEqual(ready?.event, { _tag: "PodVolumeReady", volume: "tools", path: "", imageId: "sha256:t" })
    assert.ok(start?.event._tag === "ContainerStartRequested")
    assert.equal(start.event.container, "app")
    assert.deepEqual(story.tell(present), [], "told twice")
    assert.deepEqual(story.refolded(), story.state)
  })

  it("is asked for again where the runtime does not find it any more", () => {
    const story = admitted()
    story.sandboxCreated()
    story.imagePresent()
    story.tell(present)
    const gone = story.tell({
      _tag: "ReportContainerStart",
      container: "app",
      attempt: 0,
      outcome: "failed",
      reason: "CreateContainerError",
      message: "image sha256:t: not found",
      imageMissing: true
    })
    const [event] = only(gone, "ContainerStartFailed")
    assert.ok(event !== undefined)
    assert.deepEqual(story.state.imageVolumes, [{ name: "tools", image: "tools:1", imageId: "" }])
    assert.ok(podMessages(event.event, story.state, id, 1).some(({ to }) => to.name === "tools:1+s"))
  })

  it("leaves nothing to take down", () => {
    const story = admitted()
    story.sandboxCreated()
    story.undesire()
    const end = story.sandboxStopped()
    assert.deepEqual(tags(end), ["SandboxStopped", "PodCleanupRequested"])
  })

  it("is refused on a runtime that would mount nothing in its place", () => {
    const mount = { containerPath: "/c", hostPath: "", image: { image: "sha256:1" } }
    const why = (runtimeName: string, runtimeVersion: string, more: object = {}) =>
      whyNoImageMounts({ runtimeName, runtimeVersion }, [{ ...mount, ...more }])
    assert.equal(whyNoImageMounts({ runtimeName: "containerd", runtimeVersion: "1.6.20" }, []), undefined)
    const since = "cannot mount images as volumes; 2.1 and newer can"
    assert.equal(why("containerd", "1.6.20~ds1"), `containerd 1.6.20~ds1 ${since}`)
    assert.equal(why("containerd", "v2.0.4"), `containerd v2.0.4 ${since}`)
    for (const version of ["v2.1.0", "2.1.9", "3.0.0-rc.1"])
      assert.equal(why("containerd", version), undefined, version)
    assert.match(why("cri-o", "1.30.4") ?? "", /1\.31 and newer/u)
    assert.equal(why("cri-o", "1.33.0"), undefined)
    assert.equal(
      why("containerd", "v2.1.9", { imageSubPath: "bin" }),
      "containerd v2.1.9 cannot mount a directory of an image (subPath); 2.2 and newer can"
    )
    assert.equal(why("containerd", "v2.2.0", { imageSubPath: "bin" }), undefined)
    assert.equal(why("memory", "1.0.0"), undefined)
    assert.equal(why("containerd", "unknown"), undefined)
  })
})
