/** The recorded logs of every release are replayed for ever: same decisions, same states, on every runtime. */
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Effect, Result, Stream } from "effect"
import { deciders } from "../../src/actors/deciders.ts"
import { Redecision } from "../../src/actors/kernel/redecide.ts"
import { stateHash } from "../../src/actors/kernel/state-hash.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import { readIncident } from "../../src/events/incident/reader.ts"
import { verifyIncident } from "../../src/events/incident/verify.ts"

const root = fileURLToPath(new URL(".", import.meta.url))
const versions = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

const eventsOf = async (path: string): Promise<ReadonlyArray<RecordedEvent>> => {
  const events: Array<RecordedEvent> = []
  await Effect.runPromise(
    Stream.runForEach(readIncident(path), ({ event, lineNumber }) =>
      Effect.sync(() => {
        assert.ok(Result.isSuccess(event), `line ${lineNumber}`)
        events.push(event.success)
      })
    )
  )
  return events
}

describe("golden logs", () => {
  it("are there", () => assert.ok(versions.length > 0))
  for (const { name: version } of versions) {
    const states = JSON.parse(readFileSync(join(root, version, "states.json"), "utf8")) as Record<string, { events: number; state: string }>
    const files = readdirSync(join(root, version)).filter((file) => file.endsWith(".ndjson"))
    it(`of ${version} each have a recorded state`, () =>
      assert.deepEqual(files.map((file) => file.replace(".ndjson", "")).sort(), Object.keys(states).sort()))
    for (const file of files) {
      it(`of ${version}: ${file} is whole, decides as it did, and leads to the same state`, async () => {
        const path = join(root, version, file)
        const expected = states[file.replace(".ndjson", "")]
        assert.equal((await Effect.runPromise(verifyIncident(path))).broken, undefined)
        const redecision = new Redecision(deciders)
        for (const event of await eventsOf(path)) redecision.apply(event)
        const { fold } = redecision
        assert.deepEqual(redecision.end(), [])
        assert.ok(redecision.decisions > 0)
        // Only what was before a pruned log's beginning cannot be decided again.
        if (fold.lastSequence === fold.events) assert.equal(redecision.skipped, 0)
        assert.deepEqual({ events: fold.events, state: stateHash(fold, sha256) }, expected)
        assert.ok(!readFileSync(path, "utf8").includes("s3cret"), "no secret value is in a log")
      })
    }
  }
})

describe("a decision flag", () => {
  it("is taken from the log: without its number the same kill is decided as before, with it as now", async () => {
    const events = await eventsOf(join(root, "0.1.0", "agent-upgraded.ndjson"))
    const starts = events.flatMap(({ event }) => (event._tag === "NodeStarted" ? [event.flags] : []))
    assert.deepEqual(starts, [[], [1]])
    const restarted = events.flatMap(({ actor, event }) =>
      event._tag === "ContainerStartRequested" && event.attempt > 0 ? [actor.name] : []
    )
    assert.deepEqual(restarted, ["after"])
    // Would today's way be taken for the whole log, the old life would not be decided as it was.
    const redecision = new Redecision(deciders)
    for (const recorded of events) {
      const { event } = recorded
      redecision.apply(event._tag === "NodeStarted" ? { ...recorded, event: { ...event, flags: [1] } } : recorded)
    }
    const [start, kill] = redecision.end()
    assert.equal(start?._tag === "DeterminismViolation" && start.command, "AgentStarted")
    assert.equal(kill?._tag === "DeterminismViolation" && kill.command, "ReportContainerStop")
    assert.equal(kill?.actor, "pod/default/before")
  })
})
