import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type ChronodeEvent, type EventTag, NoEvent, parseEvent } from "../../src/client/event.ts"
import { type EventData, tagsByType } from "../../src/client/event-data.ts"
import { subjectFilter } from "../../src/client/options.ts"
import { SubscribeError } from "../../src/client/streams.ts"
import { subscribe } from "../../src/client/subscribe.ts"
import { subjectOf } from "../../src/events/actor-id.ts"
import { type EventTag as CatalogueTag, catalogue, type EventOf } from "../../src/events/catalogue.ts"
import { typeName } from "../../src/events/definition.ts"
import { encode } from "../../src/events/envelope.ts"
import { recordedEvents, web } from "../events/recorded.ts"

/** The compiler's part: whatever the catalogue's type of an event can be, the library's type can be, tag by tag. */
type Fits = { readonly [T in CatalogueTag]: Omit<EventOf<T>, "_tag"> extends EventData[T] ? true : T }
const fits: Readonly<Record<CatalogueTag, true>> = {} as Fits
const sameTags: [CatalogueTag] extends [EventTag] ? ([EventTag] extends [CatalogueTag] ? true : false) : false = true

const line = (event: EventOf<"ContainerStarted"> = started) => {
  const [recorded] = recordedEvents([{ event, cause: "e0" }])
  assert.ok(recorded)
  return encode(recorded)
}
const started: EventOf<"ContainerStarted"> = {
  _tag: "ContainerStarted",
  container: "app",
  containerId: "c0",
  attempt: 2,
  startedAt: "2026-01-15T09:30:02.000Z"
}

describe("the library's types", () => {
  it("are those of the catalogue", () => {
    assert.deepEqual([fits, sameTags], [{}, true])
    assert.deepEqual(tagsByType, Object.fromEntries(catalogue.map((d) => [typeName(d), d.tag])))
  })
})

describe("an event of the library", () => {
  it("is the CloudEvent with its tag and actor, and its data typed by the tag", () => {
    const event: ChronodeEvent = parseEvent(line())
    assert.equal(event.tag, "ContainerStarted")
    assert.equal(event.tag === "ContainerStarted" ? event.data.attempt : undefined, 2)
    const { actor, causationid, node, sequence, source } = event
    assert.deepEqual(
      { actor, causationid, node, sequence, source },
      {
        actor: web,
        causationid: "e0",
        node: "node1",
        sequence: "00000000000000000001",
        source: "/nodes/node1/pod/default/web"
      }
    )
  })

  it("is kept raw where its type or version is not known", () => {
    for (const type of ["dev.chronode.ContainerStarted.v2", "dev.chronode.Brand.v1", "constructor", "toString"]) {
      const event = parseEvent(line().replace("dev.chronode.ContainerStarted.v1", type))
      assert.deepEqual([event.tag, event.type], ["Unknown", type])
      assert.deepEqual((event.data as { readonly container: string }).container, "app")
    }
  })

  it("is refused where it is none, with the reason", () => {
    const wrong: ReadonlyArray<readonly [text: string, why: RegExp]> = [
      ["", /JSON/u],
      ["[]", /no JSON object/u],
      ["{}", /no CloudEvent 1\.0/u],
      [line().replace('"id":"e1",', ""), /its id is missing/u],
      [line().replace("/nodes/node1/pod/default/web", "/somewhere"), /its source \/somewhere/u]
    ]
    for (const [text, why] of wrong)
      assert.throws(
        () => parseEvent(text),
        (error) => error instanceof NoEvent && why.test(error.message),
        text
      )
  })
})

describe("what is asked for", () => {
  const subject = (...[options, prefix = ""]: readonly [Parameters<typeof subjectFilter>[0], string?]) =>
    subjectFilter(options, prefix)

  it("becomes the narrowest single subject", () => {
    assert.equal(subject({}).subject, "chronode.>")
    const one = { node: "edge.7", kind: "pod", namespace: "default", name: "web.v1", type: "ContainerExited" } as const
    assert.equal(subject(one).subject, "chronode.edge_7.pod.default.web_v1.ContainerExited")
    assert.equal(subject({ type: ["ContainerExited", "ProbeFailed"] }).subject, "chronode.>")
    assert.equal(subject({ kind: "node", namespace: "" }, "replay").subject, "replay.chronode.*.node._.>")
  })

  it("is looked at again where several values were given", () => {
    const { wants } = subject({ type: ["ContainerExited", "ProbeFailed"], namespace: "default" }, "a.b.")
    assert.equal(wants(`a.b.${subjectOf("n", web, "ProbeFailed")}`), true)
    assert.equal(wants(`a.b.${subjectOf("n", web, "ProbeStarted")}`), false)
    assert.equal(wants(`a.b.${subjectOf("n", { ...web, namespace: "other" }, "ProbeFailed")}`), false)
  })

  it("is refused where it makes no sense, before anything is connected", () => {
    assert.throws(() => subscribe({ type: [] }), TypeError)
    assert.throws(() => subscribe({ buffer: 0 }), RangeError)
    assert.throws(() => subscribe({ from: { streamSequence: 5 } }), SubscribeError)
    assert.throws(() => subscribe({ subjectPrefix: "replay" }), SubscribeError)
    assert.throws(() => subscribe({ durable: "a b" }), SubscribeError)
  })
})
