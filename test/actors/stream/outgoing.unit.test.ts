import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { makeOutgoing, sequenceIn } from "../../../src/actors/stream/outgoing.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { append, drafts, linesOf, node } from "./lab.ts"

const row = (line: string) => ({ sequence: 1, line, hash: "ab".repeat(32) })

describe("what is sent for a row", () => {
  it("is the stored line itself, on the subject and with the id that stand in it", async () => {
    const { journal } = await Effect.runPromise(makeMemoryJournal({ node }))
    const [draft] = drafts(1)
    assert.ok(draft)
    await Effect.runPromise(journal.append([draft]))
    const [line = ""] = await linesOf(journal)
    const sent = makeOutgoing(node)(row(line))
    const name = draft.actor.name.replace(".", "_")
    assert.deepEqual(sent, {
      subject: `chronode.lab_example.pod.default.${name}.StreamDisconnected`,
      id: draft.id,
      line,
      chainHead: `1:${"ab".repeat(32)}`
    })
    assert.equal(sequenceIn(node, line), 1)
  })

  it("does not depend on the order of keys", () => {
    const line = JSON.stringify({
      type: "dev.chronode.PodAdmitted.v2",
      source: "/nodes/lab.example/node/_/lab.example",
      id: "x"
    })
    assert.deepEqual(makeOutgoing(node)(row(line)), {
      subject: "chronode.lab_example.node._.lab_example.PodAdmitted",
      id: "x",
      line,
      chainHead: `1:${"ab".repeat(32)}`
    })
  })

  it("keeps a type of somebody else's apart", () => {
    const line = JSON.stringify({ type: "com.example.thing>x", source: "/nodes/lab.example/pod/a/b", id: "x" })
    assert.equal(makeOutgoing(node)(row(line)).subject, "chronode.lab_example.pod.a.b.com_example_thing_x")
  })

  it("is sent in its place even where nothing can be read of it", () => {
    for (const line of ["", "{", "[]", '{"id":1}', '{"id":"i","source":"nonsense","type":"t"}']) {
      const sent = makeOutgoing(node)(row(line))
      assert.equal(sent.subject, "chronode.lab_example.unknown._._.Unknown")
      assert.equal(sent.line, line)
      assert.ok(sent.id.length > 0)
    }
  })
})

describe("the sequence in a line", () => {
  it("is only that of this node's events", async () => {
    const { journal } = await Effect.runPromise(makeMemoryJournal({ node: "other" }))
    await append(journal, 1)
    const [line = ""] = await linesOf(journal)
    assert.equal(sequenceIn("other", line), 1)
    assert.equal(sequenceIn(node, line), undefined)
    for (const foreign of ["", "hello", "{}", "null", '{"source":"/nodes/other/pod/a/b","sequence":7}']) {
      assert.equal(sequenceIn("other", foreign), undefined)
    }
  })
})
