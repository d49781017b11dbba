import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { UsageError } from "../../src/cli/exit.ts"
import { matcher, parseFilter, parsePodName, parseTypes, podOf, tagOf } from "../../src/cli/filter.ts"
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import { recordedEvents, start } from "../events/recorded.ts"

const usage = (message: RegExp) => (error: unknown) => error instanceof UsageError && message.test(error.message)
const stopped: NodeEvent = { _tag: "SandboxStopped", sandboxId: "s1" }
const found: NodeEvent = { _tag: "ImageFound", image: "web:1", imageId: "i1" }
const idsOf = (events: ReadonlyArray<RecordedEvent>, filter: Parameters<typeof matcher>[0]) =>
  events.filter(matcher(filter)).map(({ id }) => id)

describe("--type", () => {
  it("takes names, in any case, and full types", () => {
    assert.deepEqual([...parseTypes("ContainerExited, podadmitted")], ["ContainerExited", "PodAdmitted"])
    assert.deepEqual([...parseTypes("dev.chronode.ContainerExited.v1")], ["ContainerExited"])
  })

  it("takes a full type that only a newer version knows", () => {
    assert.deepEqual([...parseTypes("dev.chronode.PodTeleported.v2")], ["PodTeleported"])
  })

  it("refuses a name that is none, and says what may have been meant", () => {
    assert.throws(() => parseTypes("ContainerExitd"), usage(/did you mean ContainerExited\?/u))
    assert.throws(() => parseTypes("Xyzzy"), usage(/no event type 'Xyzzy'; docs\/events.md lists them/u))
    assert.throws(() => parseTypes(","), usage(/no event type is named/u))
  })

  it("finds events of unknown types by their tag", () => {
    const [event] = recordedEvents([{ event: stopped }])
    const unknown: RecordedEvent = {
      ...event!,
      event: { _tag: "Unknown", type: "dev.chronode.PodTeleported.v2", data: {} }
    }
    assert.equal(tagOf(unknown), "PodTeleported")
    assert.deepEqual(idsOf([event!, unknown], { types: new Set(["PodTeleported"]) }), ["e1"])
  })
})

describe("--pod", () => {
  it("is a namespace and a name; a name alone is in default", () => {
    assert.deepEqual(parsePodName("kube-system/dns"), { namespace: "kube-system", name: "dns" })
    assert.deepEqual(parsePodName("web"), { namespace: "default", name: "web" })
    for (const text of ["", "/", "a/", "/b", "a/b/c"])
      assert.throws(() => parsePodName(text), usage(/is no pod/u), text)
  })

  it("knows the pod of a probe and of a volume, also where the pod's name has dots", () => {
    const pod = { namespace: "default", name: "web.v1" }
    assert.deepEqual(podOf(actorId("pod", "default", "web.v1")), pod)
    assert.deepEqual(podOf(actorId("probe", "default", "web.v1.app.liveness")), pod)
    assert.deepEqual(podOf(actorId("volume", "default", "web.v1.cache")), pod)
    assert.equal(podOf(actorId("image", "", "web.v1.cache")), undefined)
    assert.equal(podOf(actorId("probe", "default", "nodots")), undefined)
  })

  it("takes the pod, its probes, its volumes, and what is correlated with them; no other pod's", () => {
    const events = recordedEvents([
      { event: stopped },
      { event: stopped, actor: actorId("probe", "default", "web.app.liveness") },
      { event: stopped, actor: actorId("volume", "default", "web.cache") },
      { event: found, actor: actorId("image", "", "web:1") },
      { event: stopped, actor: actorId("pod", "default", "web.v1"), correlation: "uid-other" },
      { event: stopped, actor: actorId("volume", "default", "web.v1.cache"), correlation: "uid-other" },
      { event: stopped, actor: actorId("pod", "other", "web"), correlation: "uid-third" }
    ])
    assert.deepEqual(idsOf(events, { pod: { namespace: "default", name: "web" } }), ["e1", "e2", "e3", "e4"])
  })
})

describe("--since and --until", () => {
  it("are inclusive and go together with the other conditions", () => {
    const events = recordedEvents([{ event: stopped }, { event: found }, { event: stopped }, { event: stopped }])
    assert.deepEqual(idsOf(events, { since: start + 1000, until: start + 2000 }), ["e2", "e3"])
    assert.deepEqual(idsOf(events, { since: start + 1000, types: new Set(["SandboxStopped"]) }), ["e3", "e4"])
  })

  it("in the wrong order are a usage error", () => {
    assert.throws(() => parseFilter({ since: "1m", until: "2m" }, start), usage(/--since is later than --until/u))
  })
})
