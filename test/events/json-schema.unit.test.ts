import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { sample } from "../../scripts/docs/sample.ts"
import { byTag, catalogue, type NodeEvent } from "../../src/events/catalogue.ts"
import { typeName } from "../../src/events/definition.ts"
import { toCloudEvent } from "../../src/events/envelope.ts"
import { catalogueSchema, dialect, eventSchema } from "../../src/events/json-schema.ts"
import { misfits } from "../support/json-schema.ts"
import { recordedEvents } from "./recorded.ts"

type Json = { readonly [keyword: string]: unknown }
const object = (value: unknown): Json => value as Json

/** All `$ref`s of a document. */
const references = (value: unknown): ReadonlyArray<string> =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) =>
        key === "$ref" && typeof inner === "string" ? [inner] : references(inner)
      )

describe("the JSON Schema of an event", () => {
  const schema = eventSchema(byTag.get("ContainerExited")!)

  it("is a self-contained document of draft 2020-12", () => {
    assert.equal(schema.$schema, dialect)
    assert.equal(schema.$id, "urn:chronode:event:dev.chronode.ContainerExited.v1")
  })

  it("describes the data as it is on the wire, without the program's own tag", () => {
    const data = object(object(schema.properties).data)
    assert.ok("exitCode" in object(data.properties))
    assert.ok(!("_tag" in object(data.properties)))
    assert.ok((data.required as ReadonlyArray<string>).includes("exitCode"))
    assert.ok(!(data.required as ReadonlyArray<string>).includes("signal"))
  })

  it("fixes the type attribute and the kind of the source", () => {
    assert.deepEqual(object(schema.properties).type, { const: "dev.chronode.ContainerExited.v1" })
    assert.match("/nodes/n1/pod/default/web", new RegExp(String(object(object(schema.properties).source).pattern), "u"))
    assert.doesNotMatch(
      "/nodes/n1/node/_/n1",
      new RegExp(String(object(object(schema.properties).source).pattern), "u")
    )
  })

  it("requires, of every type, only attributes that the program writes, and knows all of them", () => {
    for (const definition of catalogue) {
      const event = sample(definition) as unknown as NodeEvent
      const [recorded] = recordedEvents([{ event, cause: "e0", command: "{}" }])
      const written = { ...toCloudEvent(recorded!), traceparent: "00-…" }
      const own = eventSchema(definition)
      for (const name of own.required as ReadonlyArray<string>) assert.ok(name in written, `${definition.tag} ${name}`)
      for (const name of Object.keys(written)) assert.ok(name in object(own.properties), `${definition.tag} ${name}`)
    }
  })

  it("resolves every reference within itself", () => {
    for (const definition of catalogue) {
      const own = eventSchema(definition)
      for (const reference of references(own)) {
        const name = /^#\/\$defs\/(.+)$/u.exec(reference)?.[1]
        assert.ok(name !== undefined && name in object(own.$defs), `${definition.tag}: ${reference}`)
      }
    }
  })
})

describe("the JSON Schema of the catalogue", () => {
  const schema = catalogueSchema()

  it("has every type, and resolves every reference within itself", () => {
    assert.equal((schema.oneOf as ReadonlyArray<unknown>).length, catalogue.length)
    for (const definition of catalogue) assert.ok(typeName(definition) in object(schema.$defs))
    for (const reference of references(schema)) {
      assert.ok(reference.replace("#/$defs/", "") in object(schema.$defs), reference)
    }
  })
})

describe("what the program writes", () => {
  const schemas = new Map(catalogue.map((definition) => [typeName(definition), eventSchema(definition)]))

  it("fits the schema of its type: an instance of every type", () => {
    for (const definition of catalogue) {
      const [recorded] = recordedEvents([{ event: sample(definition) as unknown as NodeEvent, cause: "e0" }])
      const actor = { ...recorded!.actor, kind: definition.kind === "any" ? "pod" : definition.kind }
      const event = JSON.parse(JSON.stringify(toCloudEvent({ ...recorded!, actor } as never))) as Json
      const schema = schemas.get(typeName(definition))!
      assert.deepEqual(misfits(schema, event), [], definition.tag)
      const wrong = Object.fromEntries(Object.keys(object(event.data)).map((field) => [field, { not: "it" }]))
      if (Object.keys(wrong).length > 0) assert.notDeepEqual(misfits(schema, { ...event, data: wrong }), [])
      assert.notDeepEqual(misfits(schema, { ...event, type: "dev.chronode.Other.v1" }), [])
    }
  })

  it("fits the schema of its type: every event of the golden logs", () => {
    const golden = new URL("../golden/", import.meta.url)
    let events = 0
    for (const name of readdirSync(golden, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ndjson")) continue
      for (const line of readFileSync(new URL(name, golden), "utf8").split("\n")) {
        const event = line === "" ? {} : (JSON.parse(line) as Json)
        const schema = schemas.get(String(event.type))
        if (schema === undefined) continue
        assert.deepEqual(misfits(schema, event), [], `${name}: ${event.id}`)
        events += 1
      }
    }
    assert.ok(events > 1_000)
  })
})
