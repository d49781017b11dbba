import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ImageCommand } from "../../../src/actors/image/commands.ts"
import { backOff, imageDecider } from "../../../src/actors/image/decider.ts"
import { imageActor } from "../../../src/actors/image/identity.ts"
import type { PullPolicy } from "../../../src/actors/image/state.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { Story, tags } from "../../support/given.ts"
import { seededRandom } from "../../support/random.ts"

const storyOf = (image = "busybox:1.36") => new Story(imageDecider, actorId("image", "", image))
type ImageStory = ReturnType<typeof storyOf>

const request = (pod = "default/a", policy: PullPolicy = "IfNotPresent", at = 1000): ImageCommand => ({
  _tag: "RequestImage",
  at,
  image: "busybox:1.36",
  pod,
  policy
})
const release = (pod = "default/a"): ImageCommand => ({ _tag: "ReleaseImage", at: 3000, pod })
const present: ImageCommand = { _tag: "ImagePresent", at: 1100, imageId: "sha256:1" }
const absent: ImageCommand = { _tag: "ImageAbsent", at: 1100 }
const inspectFailed: ImageCommand = { _tag: "InspectFailed", at: 1100, message: "no runtime" }
const turn: ImageCommand = { _tag: "PullTurn", at: 1200, queued: 0, credentials: [], problems: [] }
const pulled: ImageCommand = { _tag: "PullSucceeded", at: 2000, imageId: "sha256:2", duration: 900 }
const pullFailed = (at = 2000, message = "404"): ImageCommand => ({ _tag: "PullFailed", at, message })
const timer = (story: ImageStory): ImageCommand => {
  const [due] = imageDecider.timers?.(story.state) ?? []
  assert.ok(due !== undefined, "a timer is asked for")
  return { _tag: "TimerFired", at: due.dueAt, key: due.key, dueAt: due.dueAt }
}
const isForgotten = (story: ImageStory) => {
  assert.equal(imageDecider.finished?.(story.state), true)
  assert.deepEqual(story.state, imageDecider.initial(actorId("image", "", story.state.image)))
}

describe("an image", () => {
  it("that is on the node is found, told, and forgotten", () => {
    const story = storyOf()
    const [asked] = story.when(request())
    assert.deepEqual(story.when(request()), [], "the same again while it is looked for")
    story.when(request("default/b", "Never"))
    const [found] = story.when(present)
    assert.deepEqual(found?.event, {
      _tag: "ImageFound",
      image: "busybox:1.36",
      imageId: "sha256:1",
      pods: ["default/a", "default/b"]
    })
    assert.equal(found?.cause, asked?.id)
    isForgotten(story)
  })

  it("that is not there is pulled once for all who wait", () => {
    const story = storyOf()
    const [asked] = story.when(request())
    const [queued] = story.when(absent)
    assert.deepEqual(queued?.event, { _tag: "ImagePullQueued", image: "busybox:1.36", attempt: 1 })
    assert.equal(queued?.cause, asked?.id)
    assert.deepEqual(story.when(pulled), [], "an outcome of what has not begun")
    const [begun] = story.when({ ...turn, queued: 7, credentials: ["secret default/s"], problems: ["provider p: no"] })
    assert.deepEqual(begun?.event, {
      _tag: "ImagePullStarted",
      image: "busybox:1.36",
      attempt: 1,
      queued: 7,
      credentials: ["secret default/s"],
      problems: ["provider p: no"]
    })
    assert.equal(begun?.cause, queued?.id)
    assert.deepEqual(story.when(turn), [], "a turn that comes twice")
    assert.deepEqual(tags(story.when(request("default/b", "Always"))), ["ImageRequested"])
    assert.deepEqual(tags(story.when(request("default/c"))), ["ImageRequested"])
    assert.deepEqual(story.when(absent), [])
    const [done] = story.when(pulled)
    assert.ok(done?.event._tag === "ImagePulled")
    assert.deepEqual(done.event.pods, ["default/a", "default/b", "default/c"])
    assert.equal(done.cause, begun?.id)
    isForgotten(story)
    assert.deepEqual(story.when(pulled), [], "an outcome that comes twice")
  })

  it("is pulled without looking under Always, though it may be there", () => {
    const story = storyOf()
    assert.deepEqual(tags(story.when(request("default/a", "Always"))), ["ImageRequested", "ImagePullQueued"])
    story.when(turn)
    story.when(request("default/b"))
    const [found] = story.when(present)
    assert.ok(found?.event._tag === "ImageFound")
    assert.deepEqual(found.event.pods, ["default/b"])
    const [done] = story.when(pulled)
    assert.ok(done?.event._tag === "ImagePulled")
    assert.deepEqual(done.event.pods, ["default/a"])
  })

  it("is tried again after a back-off that doubles from 10 to 300 seconds", () => {
    assert.deepEqual([1, 2, 3, 5, 6, 50].map(backOff), [10_000, 20_000, 40_000, 160_000, 300_000, 300_000])
    const story = storyOf()
    story.when(request("default/a", "Always"))
    for (const attempt of [1, 2, 3]) {
      story.when(turn)
      const [failed] = story.when(pullFailed(100_000))
      assert.deepEqual(failed?.event, {
        _tag: "ImagePullFailed",
        image: "busybox:1.36",
        reason: "ErrImagePull",
        message: "404",
        attempt,
        retryAt: new Date(100_000 + backOff(attempt)).toISOString(),
        pods: ["default/a"]
      })
      assert.deepEqual(story.when(request("default/a", "Always")), [], "the pod asks again meanwhile")
      const fired = timer(story)
      const [again] = story.when(fired)
      assert.deepEqual(again?.event, { _tag: "ImagePullQueued", image: "busybox:1.36", attempt: attempt + 1 })
      assert.equal(again?.cause, failed?.id)
      assert.deepEqual(story.when(fired), [], "a late timer")
    }
  })

  it("is looked for again before it is pulled again, where nobody insists on a pull", () => {
    const story = storyOf()
    story.when(request())
    story.when(absent)
    story.when(turn)
    const [failed] = story.when(pullFailed())
    const [again] = story.when(timer(story))
    assert.deepEqual(again?.event, {
      _tag: "ImageRequested",
      image: "busybox:1.36",
      pod: "default/a",
      policy: "IfNotPresent"
    })
    assert.equal(again?.cause, failed?.id)
    assert.deepEqual(imageDecider.timers?.(story.state), [])
    assert.deepEqual(tags(story.when(present)), ["ImageFound"])
    isForgotten(story)
  })

  it("that is never pulled is looked for again and again", () => {
    const story = storyOf()
    story.when(request("default/a", "Never"))
    const [failed] = story.when(absent)
    assert.ok(failed?.event._tag === "ImagePullFailed")
    assert.equal(failed.event.reason, "ErrImageNeverPull")
    assert.deepEqual(tags(story.when(timer(story))), ["ImageRequested"])
    assert.deepEqual(tags(story.when(present)), ["ImageFound"])
  })

  it("is pulled for one pod while another never lets it be pulled, and serves both", () => {
    const story = storyOf()
    story.when(request("default/a", "Never"))
    story.when(request("default/b"))
    assert.deepEqual(tags(story.when(absent)), ["ImagePullFailed", "ImagePullQueued"])
    story.when(turn)
    const [done] = story.when(pulled)
    assert.ok(done?.event._tag === "ImagePulled")
    assert.deepEqual(done.event.pods, ["default/a", "default/b"])
  })

  it("that the runtime cannot look for is tried again", () => {
    const story = storyOf()
    story.when(request())
    const [failed] = story.when(inspectFailed)
    assert.ok(failed?.event._tag === "ImagePullFailed")
    assert.equal(failed.event.reason, "ImageInspectError")
    assert.deepEqual(tags(story.when(timer(story))), ["ImageRequested"])
  })

  it("with a name that is none fails for good", () => {
    const story = storyOf("FAILED_IMAGE")
    const [asked, failed] = story.when(request())
    assert.deepEqual(failed?.event, {
      _tag: "ImagePullFailed",
      image: "FAILED_IMAGE",
      reason: "InvalidImageName",
      message:
        'Failed to apply default image tag "FAILED_IMAGE": couldn\'t parse image name "FAILED_IMAGE": invalid reference format: repository name (library/FAILED_IMAGE) must be lowercase',
      attempt: 1,
      pods: ["default/a"]
    })
    assert.equal(failed?.cause, asked?.id)
    isForgotten(story)
  })

  it("gives a new pod its try at once, also within another's back-off", () => {
    const story = storyOf()
    story.when(request("default/a", "Always"))
    story.when(turn)
    story.when(pullFailed())
    assert.deepEqual(tags(story.when(request("default/b", "Always"))), ["ImageRequested", "ImagePullQueued"])
  })

  it("keeps a pod that insists on a pull waiting for its back-off, whoever else comes and goes", () => {
    const story = storyOf()
    story.when(request("default/a", "Always"))
    story.when(turn)
    story.when(pullFailed())
    story.when(request("default/b"))
    story.when(present)
    timer(story)
    story.when(request("default/b"))
    story.when(release("default/b"))
    assert.deepEqual(story.when(absent), [])
    assert.deepEqual(tags(story.when(timer(story))), ["ImagePullQueued"])
  })

  it("is forgotten when nobody waits any more, but a pull that is under way is seen to its end", () => {
    const story = storyOf()
    story.when(request())
    story.when(absent)
    assert.deepEqual(tags(story.when(release())), ["ImageReleased"], "before its turn: it is not pulled at all")
    isForgotten(story)
    assert.deepEqual(story.when(turn), [])
    story.when(request())
    story.when(absent)
    story.when(turn)
    assert.deepEqual(tags(story.when(release())), ["ImageReleased"])
    assert.deepEqual(story.when(release()), [])
    assert.equal(imageDecider.finished?.(story.state), false)
    const [failed] = story.when(pullFailed())
    assert.ok(failed?.event._tag === "ImagePullFailed" && failed.event.retryAt === undefined)
    isForgotten(story)
    story.when(request())
    story.when(absent)
    story.when(turn)
    story.when(pullFailed())
    story.when(release())
    isForgotten(story)
  })

  it("is pulled as soon as it is decided where the log's agent knew no queue", () => {
    const story = new Story(imageDecider, actorId("image", "", "busybox:1.36"), new Set([1, 2, 3]))
    assert.deepEqual(tags(story.when(request("default/a", "Always"))), ["ImageRequested", "ImagePullStarted"])
    assert.deepEqual(story.when(turn), [])
    assert.deepEqual(tags(story.when(pulled)), ["ImagePulled"])
    story.when(request("default/a", "Never"))
    const [failed] = story.when(absent)
    assert.ok(failed?.event._tag === "ImagePullFailed")
    assert.equal(
      failed.event.message,
      "image busybox:1.36 is not on the node, and is never pulled (imagePullPolicy Never)"
    )
    const other = new Story(imageDecider, actorId("image", "", "A"), new Set([1, 2, 3]))
    const [, invalid] = other.when(request())
    assert.ok(invalid?.event._tag === "ImagePullFailed")
    assert.equal(invalid.event.message, 'image name "A" has upper-case letters in its name')
  })

  it("is asked for with a pod's own credentials by an actor of its own", () => {
    const id = imageActor("127.0.0.1:5000/app@sha256+b:00", "team", ["one", "two+three"])
    assert.deepEqual(id, actorId("image", "team", "127.0.0.1:5000/app@sha256+b:00+one,two%2Bthree"))
    const many = imageActor(
      "app:1",
      "team",
      Array.from({ length: 40 }, (_, i) => `secret-number-${i}`)
    )
    assert.match(many.name, /^app:1\+40-secrets-[0-9a-f]{16}$/u)
    assert.equal(imageDecider.initial(many).image, "app:1")
    const secrets = ["one", "two+three"]
    const usual = imageActor("busybox:1.36", "team", secrets)
    const story = new Story(imageDecider, usual)
    const [asked] = story.when({ ...request(), secrets } as ImageCommand)
    assert.ok(asked?.event._tag === "ImageRequested")
    assert.deepEqual([asked.event.secrets, story.state.secrets], [secrets, secrets])
    story.when(absent)
    story.when(turn)
    story.when(pullFailed())
    const [again] = story.when(timer(story))
    assert.ok(again?.event._tag === "ImageRequested")
    assert.deepEqual(again.event.secrets, secrets)
    story.when(release())
    assert.deepEqual(story.state, imageDecider.initial(usual))
    assert.equal(imageDecider.initial(id).image, "127.0.0.1:5000/app@sha256+b:00")
    assert.deepEqual(imageActor("a+b", "team", []), actorId("image", "", "a+b"))
    assert.equal(imageDecider.initial(actorId("image", "", "a+b")).image, "a+b")
  })

  it("tells the registry's and the signature's failures from others", () => {
    const story = storyOf()
    story.when(request("default/a", "Always"))
    story.when(turn)
    const [failed] = story.when(pullFailed(2000, "rpc error: RegistryUnavailable: down"))
    assert.ok(failed?.event._tag === "ImagePullFailed")
    assert.equal(failed.event.reason, "RegistryUnavailable")
  })

  it("folds to the same state from what was recorded, and nobody waits for nothing", () => {
    const random = seededRandom("image stories")
    for (let round = 0; round < 300; round++) {
      const story = storyOf()
      // What the behaviour has under way: each look and each pull has exactly one outcome.
      let looks = 0
      let pulls = 0
      let isQueued = false
      for (let step = 0; step < 60; step++) {
        const pod = `default/${random.pick(["a", "b", "c"])}`
        const due = imageDecider.timers?.(story.state) ?? []
        const command: ImageCommand = random.pick([
          request(pod, random.pick(["Always", "IfNotPresent", "Never"] as const)),
          release(pod),
          ...(looks > 0 ? [present, absent, inspectFailed] : []),
          ...(isQueued ? [turn] : []),
          ...(pulls > 0 ? [pulled, pullFailed(random.int(1, 1e9))] : []),
          ...due.map((t): ImageCommand => ({ _tag: "TimerFired", at: t.dueAt, key: t.key, dueAt: t.dueAt }))
        ])
        if (["ImagePresent", "ImageAbsent", "InspectFailed"].includes(command._tag)) looks -= 1
        if (command._tag === "PullSucceeded" || command._tag === "PullFailed") pulls -= 1
        const before = story.state
        const happened = story.when(command)
        if (happened.length === 0) assert.equal(story.state, before)
        for (const { event } of happened) {
          if (event._tag === "ImageRequested" && event.policy !== "Always") looks += 1
          if (event._tag === "ImagePullStarted") pulls += 1
        }
        // The behaviour's work goes on as long as the state asks for it.
        isQueued = story.state.queued !== undefined
        assert.ok(pulls <= 1 && !(isQueued && pulls > 0), "one pull at a time")
        assert.equal(pulls === 1, story.state.pulling !== null)
        const isTimed = (imageDecider.timers?.(story.state).length ?? 0) > 0
        if (story.state.waiting.length > 0) {
          assert.ok(
            looks + pulls > 0 || isQueued || isTimed,
            `${JSON.stringify(story.state)} after ${JSON.stringify(command)}`
          )
        }
      }
      assert.deepEqual(story.refolded(), story.state)
    }
  })
})
