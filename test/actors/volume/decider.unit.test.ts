import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { VolumeCommand } from "../../../src/actors/volume/commands.ts"
import { backOff, volumeDecider } from "../../../src/actors/volume/decider.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { Story, tags } from "../../support/given.ts"
import { seededRandom } from "../../support/random.ts"

const id = actorId("volume", "default", "web.v1.cache")
const storyOf = () => new Story(volumeDecider, id)
const volume = { name: "cache", emptyDir: {} }
const mount = (podUid = "u1", at = 1000): VolumeCommand => ({
  _tag: "MountVolume",
  at,
  podUid,
  podPath: "default/web.v1",
  volume
})
const unmount = (podUid = "u1"): VolumeCommand => ({ _tag: "UnmountVolume", at: 5000, podUid })
const mounted = (podUid = "u1", path = "/p"): VolumeCommand => ({ _tag: "MountSucceeded", at: 1100, podUid, path })
const mountFailed = (at = 1100, podUid = "u1"): VolumeCommand => ({
  _tag: "MountFailed",
  at,
  podUid,
  message: "no room"
})
const unmounted = (podUid = "u1"): VolumeCommand => ({ _tag: "UnmountSucceeded", at: 5100, podUid })
const unmountFailed = (at = 5100, podUid = "u1"): VolumeCommand => ({
  _tag: "UnmountFailed",
  at,
  podUid,
  message: "busy"
})
const timer = (story: ReturnType<typeof storyOf>): VolumeCommand => {
  const [due] = volumeDecider.timers?.(story.state) ?? []
  assert.ok(due !== undefined, "a timer is asked for")
  return { _tag: "TimerFired", at: due.dueAt, key: due.key, dueAt: due.dueAt }
}

describe("a volume", () => {
  it("is prepared, taken down, and then forgotten", () => {
    const story = storyOf()
    assert.equal(volumeDecider.finished?.(story.state), true)
    const [asked] = story.when({ ...mount(), fsGroup: 7 } as VolumeCommand)
    assert.deepEqual(asked?.event, { _tag: "VolumeMountRequested", podUid: "u1", volume, fsGroup: 7 })
    const [ready] = story.when(mounted())
    assert.deepEqual(ready?.event, { _tag: "VolumeMounted", podUid: "u1", volume: "cache", path: "/p" })
    assert.equal(ready?.cause, asked?.id)
    assert.equal(volumeDecider.subject?.(story.state), "u1")
    assert.deepEqual(tags(story.when(unmount())), ["VolumeUnmountRequested"])
    assert.deepEqual(story.when(unmount()), [])
    assert.deepEqual(tags(story.when(unmounted())), ["VolumeUnmounted"])
    assert.deepEqual(story.state, volumeDecider.initial(id))
  })

  it("is tried again after a back-off that doubles from half a second to 122 seconds", () => {
    assert.deepEqual([1, 2, 3, 8, 9, 50].map(backOff), [500, 1000, 2000, 64_000, 122_000, 122_000])
    const story = storyOf()
    story.when(mount())
    for (const [attempt, retryAt] of [
      [1, "1970-01-01T00:00:10.500Z"],
      [2, "1970-01-01T00:00:11.500Z"],
      [3, "1970-01-01T00:00:13.500Z"]
    ] as const) {
      const [failed] = story.when(mountFailed(Date.parse(retryAt) - backOff(attempt)))
      assert.deepEqual(failed?.event, {
        _tag: "VolumeMountFailed",
        podUid: "u1",
        volume: "cache",
        message: "no room",
        attempt,
        retryAt
      })
      assert.deepEqual(story.when(mount()), [], "the pod asks again meanwhile")
      const fired = timer(story)
      assert.equal(volumeDecider.timers?.(story.state)[0]?.because, failed?.id)
      const [again] = story.when(fired)
      assert.equal(again?.event._tag, "VolumeMountRequested")
      assert.equal(again?.cause, failed?.id)
      assert.deepEqual(story.when(fired), [], "a late timer")
    }
    story.when(mounted())
    assert.equal(story.state.records.u1?.failures, 0)
    assert.equal(story.state.records.u1?.message, "")
    assert.deepEqual(volumeDecider.timers?.(story.state), [])
  })

  it("is taken down also while it cannot be prepared, and that is tried again too", () => {
    const story = storyOf()
    story.when(mount())
    story.when(mountFailed())
    assert.deepEqual(tags(story.when(unmount())), ["VolumeUnmountRequested"])
    assert.deepEqual(story.when(mounted()), [], "an outcome that comes too late")
    const [failed] = story.when(unmountFailed())
    assert.ok(failed?.event._tag === "VolumeUnmountFailed")
    assert.equal(failed.event.attempt, 1)
    assert.deepEqual(tags(story.when(timer(story))), ["VolumeUnmountRequested"])
    const [second] = story.when(unmountFailed())
    assert.ok(second?.event._tag === "VolumeUnmountFailed" && second.event.attempt === 2)
    story.when(timer(story))
    assert.deepEqual(tags(story.when(unmounted())), ["VolumeUnmounted"])
  })

  it("answers a pod that asks again, and one that wants it gone without ever having had it", () => {
    const story = storyOf()
    story.when(mount())
    assert.deepEqual(story.when(mount()), [])
    story.when(mounted())
    assert.deepEqual(tags(story.when(mount())), ["VolumeMountRequested"])
    assert.deepEqual(tags(story.when(mounted())), ["VolumeMounted"])
    const other = storyOf()
    assert.deepEqual(tags(other.when(unmount())), ["VolumeUnmountRequested"])
    assert.deepEqual(tags(other.when(unmounted())), ["VolumeUnmounted"])
  })

  it("is one volume for each pod of the name, so that a replacement need not wait", () => {
    const story = storyOf()
    story.when(mount("u1"))
    story.when(mounted("u1", "/p1"))
    story.when(unmount("u1"))
    story.when(unmountFailed(5100, "u1"))
    assert.deepEqual(tags(story.when(mount("u2"))), ["VolumeMountRequested"])
    story.when(mounted("u2", "/p2"))
    story.when(timer(story))
    story.when(unmounted("u1"))
    assert.deepEqual(Object.keys(story.state.records), ["u2"])
    assert.equal(volumeDecider.subject?.(story.state), "u2")
  })

  it("says that it is lost when it is looked for after a restart and cannot be prepared", () => {
    const story = storyOf()
    story.when(mount())
    story.when(mounted())
    assert.deepEqual(story.when(mounted()), [])
    assert.deepEqual(tags(story.when(mountFailed())), ["VolumeMountFailed"])
  })

  it("is supervised by its pod, whose name may hold dots", () => {
    assert.deepEqual(volumeDecider.supervisor?.(id), actorId("pod", "default", "web.v1"))
  })

  it("folds to the same state from what was recorded, whatever happened, and never waits for nothing", () => {
    const random = seededRandom("volume stories")
    for (let round = 0; round < 200; round++) {
      const story = storyOf()
      for (let step = 0; step < 40; step++) {
        const uid = `u${random.int(1, 2)}`
        const due = volumeDecider.timers?.(story.state) ?? []
        const command: VolumeCommand = random.pick([
          mount(uid),
          unmount(uid),
          mounted(uid),
          mountFailed(random.int(1, 1e9), uid),
          unmounted(uid),
          unmountFailed(random.int(1, 1e9), uid),
          ...due.map((t): VolumeCommand => ({ _tag: "TimerFired", at: t.dueAt, key: t.key, dueAt: t.dueAt }))
        ])
        const before = story.state
        if (story.when(command).length === 0) assert.equal(story.state, before)
        for (const record of Object.values(story.state.records)) {
          assert.equal(record.retryAt !== null, record.status.endsWith("Failed"))
        }
      }
      assert.deepEqual(story.refolded(), story.state)
    }
  })
})

describe("a volume of files", () => {
  const files = (hash: string, at = 1100): VolumeCommand => ({
    _tag: "MountSucceeded",
    at,
    podUid: "u1",
    path: "/p",
    hash
  })
  const refresh: VolumeCommand = { _tag: "RefreshVolume", at: 2000, podUid: "u1" }
  const missing = {
    _tag: "MountFailed",
    at: 2100,
    podUid: "u1",
    message: 'configmap "x" not found',
    awaitsObject: true
  } as const
  const record = (story: ReturnType<typeof storyOf>) => story.state.records.u1

  it("is compared when an object has changed, and told where its files are new, caused by the change", () => {
    const story = storyOf()
    story.when(mount())
    story.when(files("h1"))
    assert.deepEqual(story.log.at(-1)?.event, {
      _tag: "VolumeMounted",
      podUid: "u1",
      volume: "cache",
      path: "/p",
      hash: "h1"
    })
    const [asked] = story.when(refresh, "object-changed")
    assert.deepEqual(asked?.event, { _tag: "VolumeRefreshRequested", podUid: "u1", volume: "cache" })
    assert.equal(asked?.cause, "object-changed")
    assert.deepEqual(story.when(files("h1")), [])
    const [again] = story.when(refresh)
    const [updated] = story.when(files("h2"))
    assert.deepEqual(updated?.event, { _tag: "VolumeUpdated", podUid: "u1", volume: "cache", path: "/p", hash: "h2" })
    assert.equal(updated?.cause, again?.id)
    assert.equal(record(story)?.hash, "h2")
  })

  it("keeps its files where an object is gone, says so once, and waits for it without a timer", () => {
    const story = storyOf()
    story.when(mount())
    story.when(files("h1"))
    story.when(refresh)
    const [failed] = story.when({ ...missing, kept: true })
    assert.deepEqual(failed?.event, {
      _tag: "VolumeUpdateFailed",
      podUid: "u1",
      volume: "cache",
      message: 'configmap "x" not found',
      attempt: 1
    })
    assert.equal(record(story)?.status, "mounted")
    assert.deepEqual(volumeDecider.timers?.(story.state), [])
    assert.deepEqual(tags(story.when(refresh)), ["VolumeRefreshRequested"])
    assert.deepEqual(story.when({ ...missing, kept: true }), [])
    // It comes again as it was: told, since its absence was.
    story.when(refresh)
    assert.deepEqual(tags(story.when(files("h1"))), ["VolumeUpdated"])
    assert.equal(record(story)?.failures, 0)
  })

  it("tries an update again after a back-off where something else is in its way", () => {
    const story = storyOf()
    story.when(mount())
    story.when(files("h1"))
    story.when(refresh)
    const full: VolumeCommand = { _tag: "MountFailed", at: 2100, podUid: "u1", message: "ENOSPC", kept: true }
    assert.deepEqual(tags(story.when(full)), ["VolumeUpdateFailed"])
    assert.deepEqual(tags(story.when(timer(story))), ["VolumeRefreshRequested"])
    story.when({ ...full, at: 2700 })
    assert.equal(record(story)?.failures, 2)
    story.when(timer(story))
    assert.deepEqual(tags(story.when(files("h2"))), ["VolumeUpdated"])
  })

  it("is prepared at once when what it waits for comes, and not before its time otherwise", () => {
    const story = storyOf()
    story.when(mount())
    story.when(missing)
    assert.equal(record(story)?.status, "mountFailed")
    assert.equal(volumeDecider.timers?.(story.state).length, 1)
    assert.deepEqual(tags(story.when(refresh)), ["VolumeMountRequested"])
    assert.deepEqual(tags(story.when(files("h1"))), ["VolumeMounted"])
  })

  it("whose files are lost is prepared anew", () => {
    const story = storyOf()
    story.when(mount())
    story.when(files("h1"))
    assert.deepEqual(tags(story.when(missing)), ["VolumeMountFailed"])
  })

  it("is left alone while it is taken down", () => {
    const story = storyOf()
    story.when(mount())
    story.when(files("h1"))
    story.when(unmount())
    assert.deepEqual(story.when(refresh), [])
    assert.deepEqual(story.when(files("h2")), [])
    assert.deepEqual(story.when({ ...missing, kept: true }), [])
  })
})
