import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Schema } from "effect"
import { knownFlags } from "../../../src/actors/kernel/flags.ts"
import { streamActor } from "../../../src/actors/stream/behavior.ts"
import { type StreamCommand, type StreamEvent, streamDecider } from "../../../src/actors/stream/decider.ts"
import { maxProblemsTold, type StreamActorState } from "../../../src/actors/stream/state.ts"
import { actorPath } from "../../../src/events/actor-id.ts"

const at = 1_000
const connected = (changes: Partial<Extract<StreamCommand, { _tag: "PublisherConnected" }>> = {}): StreamCommand => ({
  _tag: "PublisherConnected",
  at,
  server: "127.0.0.1:4222",
  serverVersion: "2.9.10",
  stream: "CHRONODE_one",
  resumeFrom: 1,
  lag: 0,
  ...changes
})
const disconnected = (message: string, refused = false): StreamCommand => ({
  _tag: "PublisherDisconnected",
  at,
  refused,
  server: "127.0.0.1:4222",
  message
})
const compared = (...differences: ReadonlyArray<string>): StreamCommand => ({
  _tag: "PublisherComparedSettings",
  at,
  stream: "CHRONODE_one",
  differences
})

/** Takes commands one after another; answers the events of each. */
const take = (...commands: ReadonlyArray<StreamCommand>) => {
  let state: StreamActorState = streamDecider.initial(streamActor)
  return commands.map((command) => {
    const events = streamDecider.decide(state, command, knownFlags).map(({ event }) => event)
    for (const event of events)
      state = streamDecider.evolve(state, event, { id: "e", time: "1970-01-01T00:00:01.000Z" })
    return events
  })
}
const tags = (events: ReadonlyArray<StreamEvent>) => events.map(({ _tag }) => _tag)

describe("the stream actor", () => {
  it("is stream/_/publisher", () => {
    assert.equal(actorPath(streamActor), "stream/_/publisher")
  })

  it("tells the first connection with where it goes on and how far it is behind", () => {
    assert.deepEqual(take(connected({ resumeFrom: 7, lag: 3 })), [
      [
        {
          _tag: "StreamConnected",
          server: "127.0.0.1:4222",
          serverVersion: "2.9.10",
          stream: "CHRONODE_one",
          resumeFrom: 7,
          lag: 3
        }
      ]
    ])
  })

  it("tells a connection again only when something about it changed", () => {
    const told = take(connected(), connected({ resumeFrom: 9 }), connected({ serverVersion: "2.12.0" }), connected())
    assert.deepEqual(told.map(tags), [["StreamConnected"], [], ["StreamConnected"], ["StreamConnected"]])
  })

  it("tells an outage once, however often it is reported", () => {
    const told = take(
      connected(),
      ...Array.from({ length: 500 }, () => disconnected("connection refused")),
      connected()
    )
    assert.deepEqual(tags(told[1] ?? []), ["StreamDisconnected"])
    assert.equal(told.slice(2, -1).flat().length, 0)
    assert.deepEqual(tags(told.at(-1) ?? []), ["StreamConnected"])
  })

  it("tells an absent server at the start", () => {
    assert.deepEqual(take(disconnected("connection refused")), [
      [{ _tag: "StreamDisconnected", server: "127.0.0.1:4222", message: "connection refused" }]
    ])
  })

  it("tells an outage once, by whatever words it goes on", () => {
    const told = take(connected(), disconnected("the connection broke"), disconnected("connection refused"))
    assert.deepEqual(told.map(tags), [["StreamConnected"], ["StreamDisconnected"], []])
  })

  it("tells each different refusal of an outage once, also when they take turns", () => {
    const [away, password, rights] = [
      disconnected("away"),
      disconnected("password", true),
      disconnected("rights", true)
    ]
    const told = take(away, password, away, password, rights, password)
    assert.deepEqual(told.map(tags), [
      ["StreamDisconnected"],
      ["StreamDisconnected"],
      [],
      [],
      ["StreamDisconnected"],
      []
    ])
  })

  it("tells a bounded number of refusals, and begins anew after a connection", () => {
    const many = Array.from({ length: 100 }, (_, n) => disconnected(`refusal ${n}`, true))
    const told = take(...many, connected(), disconnected("refusal 0", true))
    assert.equal(told.slice(0, 100).flat().length, maxProblemsTold)
    assert.deepEqual(tags(told.at(-1) ?? []), ["StreamDisconnected"])
  })

  it("tells a created stream every time", () => {
    const created = {
      _tag: "PublisherCreatedStream",
      at,
      stream: "CHRONODE_one",
      subjects: ["chronode.one.>"],
      maxAgeSeconds: 60,
      maxBytes: -1
    } as const
    const { at: _, _tag, ...fields } = created
    assert.deepEqual(take(created, created), [
      [{ _tag: "StreamCreated", ...fields }],
      [{ _tag: "StreamCreated", ...fields }]
    ])
  })

  it("tells differing settings when they differ, and again when they differ otherwise", () => {
    const told = take(compared(), compared("a"), compared("a"), compared("a", "b"), compared("a", "b"))
    assert.deepEqual(told.map(tags), [[], ["StreamConfigurationDiffers"], [], ["StreamConfigurationDiffers"], []])
  })

  it("reads its commands back from a log", () => {
    const decode = Schema.decodeUnknownSync(streamDecider.command)
    for (const command of [connected(), disconnected("x"), compared("a")]) {
      assert.deepEqual(decode(JSON.parse(JSON.stringify(command))), command)
    }
  })
})
