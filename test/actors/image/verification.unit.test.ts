/** Who may have an image that is on the node already (pkg/kubelet/images/pullmanager). */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { imageDecider } from "../../../src/actors/image/decider.ts"
import { grantsOf } from "../../../src/actors/image/grants.ts"
import { imageActor } from "../../../src/actors/image/identity.ts"
import { defaultVerification, type Grant, mustPull, type Verification } from "../../../src/actors/image/verification.ts"
import { Story, tags } from "../../support/given.ts"

const image = { imageId: "sha256:1", repository: "r.io/app", isUnderWay: false }
const secret = (name: string, hash: string, namespace = "ns") => ({ namespace, name, hash })
const granted = (grant: Partial<Grant> = {}, repository = "r.io/app") => [{ imageId: "sha256:1", repository, ...grant }]

describe("an image that is on the node", () => {
  it("is anybody's where the agent did not pull it, or pulled it for all", () => {
    assert.equal(mustPull(defaultVerification, image, [], []), false)
    assert.equal(mustPull(defaultVerification, image, granted(), []), false)
    assert.equal(
      mustPull(defaultVerification, image, granted({ imageId: "sha256:2", secret: secret("a", "h") }), []),
      false
    )
  })

  it("that was pulled with a Secret is there for pods with that Secret, or with the same credentials", () => {
    const grants = granted({ secret: secret("a", "h1") })
    for (const [secrets, want] of [
      [[], true],
      [[secret("a", "h1")], false],
      [[secret("a", "h2")], false],
      [[secret("b", "h1", "other")], false],
      [[secret("a", "h2", "other")], true],
      [[secret("b", "h2"), secret("a", "h1")], false]
    ] as const) {
      assert.equal(mustPull(defaultVerification, image, grants, secrets), want, JSON.stringify(secrets))
    }
    const other = { ...image, repository: "r.io/other" }
    assert.equal(mustPull(defaultVerification, other, grants, [secret("a", "h1")]), true, "under another name")
    assert.equal(
      mustPull(defaultVerification, image, [...grants, ...granted()], []),
      false,
      "and for all by another pull"
    )
  })

  it("is not anybody's while it is being pulled with a Secret", () => {
    assert.equal(mustPull(defaultVerification, { ...image, isUnderWay: true }, [], [secret("a", "h1")]), true)
  })

  it("is verified as the policy says", () => {
    const grants = granted({ secret: secret("a", "h1") })
    const asks = (policy: Verification["policy"], allowlist: ReadonlyArray<string> = []) => [
      mustPull({ policy, allowlist }, image, [], []),
      mustPull({ policy, allowlist }, image, grants, [])
    ]
    assert.deepEqual(asks("NeverVerify"), [false, false])
    assert.deepEqual(asks("NeverVerifyPreloadedImages"), [false, true])
    assert.deepEqual(asks("AlwaysVerify"), [true, true])
    assert.deepEqual(asks("NeverVerifyAllowlistedImages"), [true, true])
    assert.deepEqual(asks("NeverVerifyAllowlistedImages", ["r.io/app"]), [false, false])
    assert.deepEqual(asks("NeverVerifyAllowlistedImages", ["r.io/*"]), [false, false])
    assert.deepEqual(asks("NeverVerifyAllowlistedImages", ["r.io/ap", "r.io/app/*"]), [true, true])
  })
})

describe("what pulls granted", () => {
  const id = imageActor("r.io/app:1", "ns", ["a"])
  const pull = (story: Story<never, never, never>, imageId: string, grant?: object) => {
    story.when({ _tag: "RequestImage", at: 1, image: "r.io/app:1", pod: "ns/p", policy: "Always" } as never)
    story.when({ _tag: "PullTurn", at: 2, queued: 0, credentials: [], problems: [] } as never)
    const extra = grant === undefined ? {} : { grant }
    return story.when({ _tag: "PullSucceeded", at: 3, imageId, duration: 1, ...extra } as never)
  }

  it("is remembered by the image's actor until the image is gone, once for each, and of a bounded number", () => {
    const story = new Story(imageDecider, id)
    const grant = { secret: secret("a", "h1") }
    pull(story as never, "sha256:1", grant)
    pull(story as never, "sha256:1", grant)
    pull(story as never, "sha256:1")
    assert.deepEqual(story.state.grants, [{ imageId: "sha256:1", ...grant }])
    assert.equal(imageDecider.finished?.(story.state), false)
    assert.deepEqual(grantsOf([{ state: story.state }]), {
      grants: [{ imageId: "sha256:1", repository: "r.io/app", ...grant }],
      underWay: new Set()
    })
    assert.deepEqual(story.when({ _tag: "ImageGone", at: 4, imageId: "sha256:2" }), [])
    assert.deepEqual(tags(story.when({ _tag: "ImageGone", at: 4, imageId: "sha256:1" })), ["ImageGrantsDropped"])
    assert.equal(imageDecider.finished?.(story.state), true)
    assert.deepEqual(story.state, imageDecider.initial(id))
    for (let i = 0; i < 30; i++) pull(story as never, `sha256:${i}`, {})
    assert.equal(story.state.grants?.length, 20)
    assert.equal(story.state.grants?.[0]?.imageId, "sha256:10")
  })

  it("makes others pull what is there; who never pulls does not get it", () => {
    const story = new Story(imageDecider, id)
    const unverified = { _tag: "ImagePresent", at: 2, imageId: "sha256:1", unverified: true } as const
    story.when({ _tag: "RequestImage", at: 1, image: "r.io/app:1", pod: "ns/p", policy: "IfNotPresent" })
    assert.deepEqual(tags(story.when(unverified)), ["ImagePullQueued"])
    const other = new Story(imageDecider, id)
    other.when({ _tag: "RequestImage", at: 1, image: "r.io/app:1", pod: "ns/p", policy: "Never" })
    const [failed] = other.when(unverified)
    assert.ok(failed?.event._tag === "ImagePullFailed")
    assert.equal(failed.event.reason, "ErrImageNeverPull")
  })

  it("is under way while a pull with Secrets is", () => {
    const story = new Story(imageDecider, id)
    const asked = { _tag: "RequestImage", at: 1, image: "r.io/app:1", pod: "ns/p", policy: "Always" } as const
    story.when({ ...asked, secrets: ["a"] })
    story.when({ _tag: "PullTurn", at: 2, queued: 0, credentials: [], problems: [] })
    assert.deepEqual(grantsOf([{ state: story.state }]).underWay, new Set(["r.io/app"]))
  })
})
