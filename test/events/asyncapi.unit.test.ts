/** The document against the official parser of asyncapi.com, which checks it by the specification's own schema and rules. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { DiagnosticSeverity, Parser } from "@asyncapi/parser"
import { subjectOf } from "../../src/events/actor-id.ts"
import { asyncApiDocument } from "../../src/events/asyncapi.ts"
import { catalogue } from "../../src/events/catalogue.ts"
import { encode } from "../../src/events/envelope.ts"
import { recordedEvents, web } from "./recorded.ts"

const parse = async (document: unknown) => await new Parser().parse(JSON.stringify(document))
/** Parsed once: it takes a second. */
const parsed = parse(asyncApiDocument("0.1.0"))

describe("the AsyncAPI document", () => {
  it("is valid, without a warning", { timeout: 60_000 }, async () => {
    const { diagnostics, document } = await parsed
    const told = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning)
    assert.deepEqual(told, [])
    assert.equal(document?.version(), "3.0.0")
    assert.equal(document?.operations().length, catalogue.length)
  })

  it("has a channel for each type, whose address is the subject with its names left open", async () => {
    const { document } = await parsed
    const channel = document?.channels().get("ContainerExited")
    const filled = channel
      ?.address()
      ?.replace("{node}", "edge-7")
      .replace("{namespace}", "default")
      .replace("{name}", "web")
    assert.equal(filled, subjectOf("edge-7", web, "ContainerExited"))
    assert.deepEqual(
      channel
        ?.parameters()
        .all()
        .map((p) => p.id()),
      ["node", "namespace", "name"]
    )
    assert.equal(
      document?.channels().get("ActorFailed")?.address(),
      "chronode.{node}.{kind}.{namespace}.{name}.ActorFailed"
    )
  })

  it("describes each message with envelope, data and headers, all references resolved", async () => {
    const { document } = await parsed
    const message = document?.channels().get("ContainerExited")?.messages().get("ContainerExited")
    assert.equal(message?.contentType(), "application/cloudevents+json")
    assert.ok(message?.headers()?.property("Chronode-Chain-Head"))
    const [envelope, own] = message?.payload()?.allOf() ?? []
    const [recorded] = recordedEvents([
      { event: { _tag: "SandboxStopped", sandboxId: "s1" }, cause: "e0", command: "{}" }
    ])
    assert.ok(recorded)
    const attributes = Object.keys(JSON.parse(encode(recorded)))
    assert.deepEqual(
      attributes.filter((name) => envelope?.property(name) === undefined),
      []
    )
    assert.equal(own?.property("type")?.const(), "dev.chronode.ContainerExited.v1")
    assert.equal(own?.property("data")?.property("exitCode")?.type(), "integer")
  })

  it("is refused by the parser when it is wrong, so that the checks above mean something", async () => {
    const { operations: _, ...wrong } = asyncApiDocument("0.1.0")
    const broken = { ...wrong, channels: { x: { adress: "typing error" } } }
    const { diagnostics } = await parse(broken)
    assert.ok(diagnostics.some(({ severity }) => severity === DiagnosticSeverity.Error))
  })
})
