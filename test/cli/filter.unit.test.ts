import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { UsageError } from "../../src/cli/exit.ts"
import {
  type FilterFlags,
  filterWords,
  matcher,
  parseFilter,
  parsePodName,
  parseTypes,
  podOf,
  selectionOf,
  tagOf
} from "../../src/cli/filter.ts"
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import { recordedEvents, start } from "../events/recorded.ts"
import { roundsOr, seededRandom } from "../support/random.ts"

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

  it("in the wrong order are a usage error", async () => {
    await assert.rejects(parseFilter({ since: "1m", until: "2m" }, start), usage(/--since is later than --until/u))
  })
})

describe("--filter", () => {
  const actors = [
    ...["web", "web.v1", "db"].map((name) => actorId("pod", "default", name)),
    actorId("pod", "other", "web"),
    actorId("probe", "default", "web.app.liveness"),
    actorId("volume", "default", "web.v1.cache"),
    actorId("image", "", "web:1"),
    actorId("node", "", "node1")
  ]
  const random = seededRandom("flags and expressions")
  const randomLog = () =>
    recordedEvents(
      Array.from({ length: 40 }, () => {
        const actor = random.pick(actors)
        const { pod = actor.name } = { pod: podOf(actor)?.name }
        const correlation = random.chance(0.8) ? `uid-${pod}` : `uid-${random.pick(["web", "db"])}`
        return { event: random.pick([stopped, found]), actor, correlation }
      })
    )
  /** Flags, and the same in the language. */
  const randomFlags = (): { readonly flags: FilterFlags; readonly expression: string } => {
    const time = () => new Date(start + random.int(0, 40) * 1000).toISOString()
    const [first, last] = [time(), time()].sort()
    const chosen = [
      [{ pod: "web" }, 'pod == "default/web"'],
      [{ pod: "other/web" }, '"other/web" == pod'],
      [{ type: "sandboxstopped" }, 'type == "SandboxStopped"'],
      [{ type: "ImageFound,SandboxStopped" }, 'type in ["ImageFound", "SandboxStopped"]'],
      [{ since: first }, `time >= timestamp("${first}")`],
      [{ until: last }, `!(time > timestamp("${last}"))`]
    ] as const
    const taken = chosen.filter(() => random.chance(0.4))
    // A flag that comes twice is the later one.
    const byFlag = new Map(taken.map((pair) => [Object.keys(pair[0])[0], pair]))
    const pairs = [...byFlag.values()]
    return {
      flags: Object.assign({}, ...pairs.map(([flags]) => flags)),
      expression: pairs.length === 0 ? "true" : pairs.map(([, expression]) => expression).join(" && ")
    }
  }

  it("selects what the flags select that mean the same, alone and together with them", async () => {
    for (let round = 0; round < roundsOr(200); round++) {
      const log = randomLog()
      const { flags, expression } = randomFlags()
      const byFlags = await parseFilter(flags, start)
      const expected = idsOf(log, byFlags)
      const byExpression = await parseFilter({ filter: expression }, start)
      assert.deepEqual(idsOf(log, byExpression), expected, expression)
      assert.deepEqual(idsOf(log, await parseFilter({ ...flags, filter: expression }, start)), expected, expression)
      // What a store selects by holds all of it.
      const selected = new Set(idsOf(log, selectionOf(byExpression)))
      assert.deepEqual(
        expected.filter((id) => !selected.has(id)),
        [],
        expression
      )
    }
  })

  it("is told in a file's header, with the time that it was asked at", async () => {
    const filter = await parseFilter({ pod: "web", filter: 'time > now - duration("1m")' }, start)
    assert.deepEqual(filterWords(filter), {
      pod: "default/web",
      filter: 'time > now - duration("1m")',
      now: "2026-01-15T09:30:00.000Z"
    })
  })
})
