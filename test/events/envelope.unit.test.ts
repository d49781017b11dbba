import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Arbitrary, Effect, Result, Schema } from "effect"
import { actorId, actorPath, parseActorPath, parseSource, sourceOf } from "../../src/events/actor-id.ts"
import { catalogue, type NodeEvent } from "../../src/events/catalogue.ts"
import { decodeEvent, decodeLine } from "../../src/events/decode.ts"
import { actorKinds, typeName } from "../../src/events/definition.ts"
import { encode, toCloudEvent } from "../../src/events/envelope.ts"
import { recordedEvents, web } from "./recorded.ts"

/** Give it back with CHRONODE_SEED to see a failure again. */
const seed = Number(process.env.CHRONODE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const runs = 100

/**
 * V8 15.0 (Deno 2.9) reads a key of one escaped character ("\n") as a backslash, once it has seen an object with the same
 * keys before it and then a lone backslash. Nothing on a node has such keys; the generator makes them.
 */
const misreadsEscapedKeys = (() => {
  JSON.parse('{"first":1,"\\\\":2}')
  return !Object.hasOwn(JSON.parse('{"first":1,"\\n":2}'), "\n")
})()
const escapedKey = /"\\(?:u[0-9a-f]{4}|[^u])":/

const stopped: NodeEvent = { _tag: "SandboxStopped", sandboxId: "s1" }
const [example] = recordedEvents([{ event: stopped, cause: "e0", command: '{"_tag":"X","at":1}' }])

const decoded = (json: unknown) => {
  const result = decodeEvent(json)
  assert.ok(Result.isSuccess(result), JSON.stringify(Result.isFailure(result) && result.failure))
  return result.success
}
const problemOf = (json: unknown) => {
  const result = decodeEvent(json)
  assert.ok(Result.isFailure(result), "it was taken for an event")
  return result.failure
}
const changed = (change: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  ...toCloudEvent(example!),
  ...change
})

describe("every event type", () => {
  for (const definition of catalogue) {
    it(`${definition.tag}: decoding what was encoded gives the same event (seed ${seed})`, async () => {
      const schema = definition.schema as unknown as Schema.Codec<NodeEvent>
      const same = Schema.toEquivalence(schema)
      const result = await Effect.runPromise(
        Arbitrary.checkEffect(
          Arbitrary.schema(schema),
          (event) => {
            const actor = definition.kind === "any" ? web : actorId(definition.kind, "default", "web.app")
            const [recorded] = recordedEvents([{ event, actor, cause: "e0", command: "{}" }])
            const text = encode(recorded!)
            assert.equal(text, JSON.stringify(toCloudEvent(recorded!)))
            if (misreadsEscapedKeys && escapedKey.test(text)) return true
            const { event: back, ...rest } = decoded(JSON.parse(text))
            const { event: _, ...before } = recorded!
            assert.deepEqual(rest, before)
            return same(back as NodeEvent, event)
          },
          { runs, seed }
        )
      )
      assert.equal(Arbitrary.formatCheckFailure(result), undefined)
    })
  }
})

describe("an envelope", () => {
  it("has the attributes of CloudEvents and the extensions, in one order", () => {
    assert.equal(
      encode(example!),
      '{"specversion":"1.0","id":"e1","source":"/nodes/node1/pod/default/web","type":"dev.chronode.SandboxStopped.v1",' +
        '"subject":"uid-web","time":"2026-01-15T09:30:00.000Z","datacontenttype":"application/json",' +
        '"sequence":"00000000000000000001","actorsequence":1,"recordedtime":"2026-01-15T09:30:00.000Z",' +
        '"causationid":"e0","correlationid":"uid-web","severitytext":"INFO","command":"{\\"_tag\\":\\"X\\",\\"at\\":1}",' +
        '"data":{"sandboxId":"s1"}}'
    )
  })

  it("keeps a type that is not in the catalogue raw", () => {
    const event = decoded(changed({ type: "dev.chronode.PodTeleported.v3", data: { to: ["mars"] } }))
    assert.deepEqual(event.event, { _tag: "Unknown", type: "dev.chronode.PodTeleported.v3", data: { to: ["mars"] } })
    assert.equal(event.actor.name, "web")
  })

  it("keeps a newer version of a known type raw", () => {
    const type = "dev.chronode.SandboxStopped.v99"
    assert.deepEqual(decoded(changed({ type, data: { sandbox: 1 } })).event, {
      _tag: "Unknown",
      type,
      data: { sandbox: 1 }
    })
  })

  it("ignores attributes and fields that it does not know", () => {
    const event = decoded(changed({ newattribute: "x", data: { sandboxId: "s1", newField: 1 } }))
    assert.deepEqual(event.event, stopped)
  })

  const bad: ReadonlyArray<readonly [title: string, change: Readonly<Record<string, unknown>>, where: string]> = [
    ["another specversion", { specversion: "0.3" }, "specversion"],
    ["no id", { id: undefined }, "id"],
    ["an empty id", { id: "" }, "id"],
    ["a type that is a number", { type: 7 }, "type"],
    ["no source", { source: undefined }, "source"],
    ["a source of another program", { source: "/elsewhere" }, "source"],
    ["a source of a kind that is not there", { source: "/nodes/n1/ship/_/enterprise" }, "source"],
    ["a time that is none", { time: "yesterday" }, "time"],
    ["a sequence that is a number", { sequence: 1 }, "sequence"],
    ["a sequence beyond what can be counted", { sequence: "9".repeat(20) }, "sequence"],
    ["an actor sequence that is text", { actorsequence: "1" }, "actorsequence"],
    ["data that is text", { data: "x" }, "data"],
    ["data without a field", { data: {} }, "data"],
    ["data with a field of another type", { data: { sandboxId: 5 } }, "data"]
  ]
  for (const [title, change, where] of bad) {
    it(`with ${title} is no event, and the problem names ${where}`, () => {
      assert.equal(problemOf(changed(change)).where, where)
    })
  }

  it("that is no JSON object is a problem, never an exception", () => {
    for (const line of ["", "{", "null", "[]", '"x"', "{}", "\u0000", "1e999"]) {
      assert.ok(Result.isFailure(decodeLine(line)), line)
    }
  })
})

describe("a source", () => {
  it("names the actor, and reads back, for every kind and for names that need escapes", () => {
    for (const kind of actorKinds) {
      for (const name of ["web", "docker.io/library/nginx:1.25@sha256:ab", "a b", "ü%2F", "x?y#z"]) {
        for (const namespace of ["", "kube-system"]) {
          const id = actorId(kind, namespace, name)
          const source = parseSource(sourceOf("n1", actorPath(id)))
          assert.deepEqual(source && parseActorPath(source.path), id, `${kind} ${namespace} ${name}`)
        }
      }
    }
  })

  it("with broken escapes is none", () => {
    assert.equal(parseSource("/nodes/n1/pod/default/%E0%A4%A"), undefined)
  })

  it("is said by the type attribute of each version", () => {
    for (const definition of catalogue) assert.match(typeName(definition), /^dev\.chronode\.[A-Za-z]+\.v\d+$/u)
  })
})
