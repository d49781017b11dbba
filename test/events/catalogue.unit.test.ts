import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result, Schema } from "effect"
import { sample } from "../../scripts/docs/sample.ts"
import { actorId, nodeSubjects, subjectOf } from "../../src/events/actor-id.ts"
import { byTag, byType, catalogue, type NodeEvent, tell } from "../../src/events/catalogue.ts"
import { actorKinds, severities, typeName } from "../../src/events/definition.ts"

describe("the catalogue", () => {
  it("holds each type once, under a name in the past tense's CamelCase", () => {
    assert.equal(byTag.size, catalogue.length)
    assert.equal(byType.size, catalogue.length)
    for (const { tag } of catalogue) assert.match(tag, /^([A-Z][a-z]+)+$/u)
  })

  it("gives every type a version, a kind that exists, a severity and a meaning that is a sentence", () => {
    for (const definition of catalogue) {
      assert.ok(definition.version >= 1, definition.tag)
      assert.ok([...actorKinds, "any"].includes(definition.kind), definition.tag)
      assert.ok(definition.severity in severities, definition.tag)
      assert.match(definition.about, /^[A-Z].*\.$/u, definition.tag)
      assert.equal(typeName(definition), `dev.chronode.${definition.tag}.v${definition.version}`)
    }
  })

  it("tells an instance of every type in one line, without an undefined in it", () => {
    for (const definition of catalogue) {
      const decoded = Schema.decodeUnknownResult(definition.schema as never)(sample(definition))
      assert.ok(Result.isSuccess(decoded), `${definition.tag}: ${String(Result.isFailure(decoded) && decoded.failure)}`)
      const sentence = tell(decoded.success as NodeEvent)
      assert.notEqual(sentence, "")
      assert.doesNotMatch(sentence, /undefined|\[object|NaN|\n/u, definition.tag)
    }
  })
})

describe("a NATS subject", () => {
  it("names node, kind, namespace, name and type", () => {
    assert.equal(
      subjectOf("node1", actorId("pod", "default", "web"), "ContainerExited"),
      "chronode.node1.pod.default.web.ContainerExited"
    )
  })

  it("stands an underscore for no namespace and for each dot within a name", () => {
    assert.equal(
      subjectOf("n1.example.org", actorId("probe", "default", "web.app.liveness"), "ProbeFailed"),
      "chronode.n1_example_org.probe.default.web_app_liveness.ProbeFailed"
    )
    assert.equal(subjectOf("n1", actorId("node", "", "n1"), "NodeStarted"), "chronode.n1.node._.n1.NodeStarted")
  })

  it("never has an empty token, a wildcard or a blank, whatever the name", () => {
    for (const name of ["", "a b", "*", ">", "docker.io/library/nginx:1.25", "a\tb", "x..y"]) {
      const tokens = subjectOf("n1", actorId("image", "", name), "ImageFound").split(".")
      assert.equal(tokens.length, 6, name)
      for (const token of tokens) assert.match(token, /^[^\s*>.]+$/u, name)
    }
  })

  it("lies within the subjects of its node", () => {
    const all = nodeSubjects("n1.example.org")
    assert.equal(all, "chronode.n1_example_org.>")
    assert.ok(subjectOf("n1.example.org", actorId("node", "", "n1"), "NodeStopped").startsWith(all.slice(0, -1)))
  })
})
