/** What is told of an endpoint as it comes, turns ready and unready, drains and goes. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { EndpointCommand } from "../../../src/actors/endpoint/commands.ts"
import { endpointDecider } from "../../../src/actors/endpoint/decider.ts"
import { endpointActor, serviceOfEndpoint } from "../../../src/actors/endpoint/identity.ts"
import { actorId, actorPath, parseSource, sourceOf } from "../../../src/events/actor-id.ts"
import type { EndpointFacts } from "../../../src/events/service-shape.ts"
import { Story, tags } from "../../support/given.ts"
import { seededRandom } from "../../support/random.ts"

const which = { service: "web", portName: "http", protocol: "TCP", address: "10.0.0.1", port: 80 } as const
const id = endpointActor("default", which)
const isReady: EndpointFacts = { ready: true, serving: true, terminating: false, node: "n1" }
const isUnready: EndpointFacts = { ready: false, serving: false, terminating: false, node: "n1" }
const drains: EndpointFacts = { ready: false, serving: true, terminating: true, node: "n1" }

const desire = (facts: EndpointFacts, from = "pod default/web-1", at = 1000): EndpointCommand => ({
  _tag: "DesireEndpoint",
  at,
  ...which,
  facts,
  from
})

describe("an endpoint", () => {
  it("is known by its Service, port and address, in both families", () => {
    assert.equal(actorPath(id), "endpoint/default/web.http.10.0.0.1:80")
    const v6 = endpointActor("default", { ...which, portName: "", address: "fd00::1" })
    assert.equal(actorPath(v6), "endpoint/default/web._.[fd00::1]:80")
    assert.equal(parseSource(sourceOf("n1", actorPath(v6)))?.path, actorPath(v6))
    assert.equal(serviceOfEndpoint(v6), "web")
    assert.deepEqual(endpointDecider.supervisor?.(id), actorId("service", "default", "web"))
  })

  it("comes with its conditions, and what is known of it is not told again", () => {
    const story = new Story(endpointDecider, id)
    assert.deepEqual(story.when(desire(isReady))[0]?.event, {
      _tag: "EndpointAdded",
      ...which,
      ...isReady,
      from: "pod default/web-1"
    })
    assert.deepEqual(story.when(desire(isReady)), [])
    assert.equal(endpointDecider.finished?.(story.state), false)
  })

  it("turns unready and ready, drains while it answers and when it does not any more, and goes", () => {
    const story = new Story(endpointDecider, id)
    story.when(desire(isReady))
    const [unready] = story.when(desire(isUnready), "probe-failed")
    assert.deepEqual([unready?.event._tag, unready?.cause], ["EndpointUnready", "probe-failed"])
    assert.deepEqual(tags(story.when(desire(isReady))), ["EndpointReady"])
    const draining = story.when(desire(drains))
    assert.deepEqual(
      draining.map(({ event }) => event),
      [{ _tag: "EndpointDraining", ...which, serving: true }]
    )
    assert.deepEqual(story.when(desire(drains)), [])
    assert.deepEqual(tags(story.when(desire({ ...drains, serving: false }))), ["EndpointDraining"])
    assert.deepEqual(tags(story.when({ _tag: "UndesireEndpoint", at: 2000 })), ["EndpointRemoved"])
    assert.equal(endpointDecider.finished?.(story.state), true)
    assert.deepEqual(story.when({ _tag: "UndesireEndpoint", at: 2000 }), [])
  })

  it("tells other facts as a change, also conditions that a transition does not say", () => {
    const story = new Story(endpointDecider, id)
    story.when(desire(isUnready))
    assert.deepEqual(tags(story.when(desire({ ...isUnready, zone: "a", zoneHints: ["a"] }))), ["EndpointChanged"])
    assert.deepEqual(story.when(desire({ ...isUnready, zone: "a", zoneHints: ["a"] })), [])
    // publishNotReadyAddresses: ready, whatever the pod says.
    assert.deepEqual(tags(story.when(desire({ ...isUnready, ready: true }))), ["EndpointReady", "EndpointChanged"])
    assert.equal(story.state?.serving, false)
    assert.deepEqual(tags(story.when(desire(isReady, "slice default/web-abc"))), ["EndpointChanged"])
  })

  it("knows since when it is as ready as it is", () => {
    const story = new Story(endpointDecider, id)
    story.when(desire(isReady, "pod default/web-1", 1000))
    story.when(desire({ ...isReady, zone: "a" }, "pod default/web-1", 2000))
    assert.equal(story.state?.since, 1000)
    story.when(desire(isUnready, "pod default/web-1", 3000))
    assert.equal(story.state?.since, 3000)
    story.when(desire({ ready: false, serving: true, terminating: true }, "pod default/web-1", 4000))
    assert.equal(story.state?.since, 4000)
  })

  it("is not taken away by one who has not put it there", () => {
    const story = new Story(endpointDecider, id)
    story.when(desire(isReady, "slice default/web-abc"))
    assert.deepEqual(story.when({ _tag: "UndesireEndpoint", at: 2000, from: "pod default/web-1" }), [])
    const gone = story.when({ _tag: "UndesireEndpoint", at: 2000, from: "slice default/web-abc" })
    assert.deepEqual(tags(gone), ["EndpointRemoved"])
  })

  it("goes and comes where its port's name stands for another protocol", () => {
    const story = new Story(endpointDecider, id)
    story.when(desire(isReady))
    const other: EndpointCommand = {
      _tag: "DesireEndpoint",
      at: 2000,
      ...which,
      protocol: "UDP",
      facts: isReady,
      from: "x"
    }
    assert.deepEqual(tags(story.when(other)), ["EndpointRemoved", "EndpointAdded"])
    assert.equal(story.state?.protocol, "UDP")
  })

  it("is after any commands what it was last asked to be, and folds to the same from its events", () => {
    const random = seededRandom("endpoints")
    for (let round = 0; round < 200; round++) {
      const story = new Story(endpointDecider, id)
      for (let step = 0; step < 12; step++) {
        const flip = (): boolean => random.chance(0.5)
        if (random.chance(0.2)) {
          story.when({ _tag: "UndesireEndpoint", at: step })
          assert.equal(story.state, null)
          continue
        }
        const zone = flip() ? { zone: "a" } : {}
        const facts: EndpointFacts = { ready: flip(), serving: flip(), terminating: flip(), ...zone }
        const from = flip() ? "pod default/web-1" : "slice default/web-abc"
        story.when(desire(facts, from, step))
        const since = story.state?.since
        assert.ok(since !== undefined && since <= step)
        assert.deepEqual(story.state, { ...which, ...facts, from, since })
        assert.deepEqual(story.when(desire(facts, from, step)), [])
      }
      assert.deepEqual(story.refolded(), story.state)
    }
  })
})
