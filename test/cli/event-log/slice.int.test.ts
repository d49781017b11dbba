// runtimes: bun (deno)
import assert from "node:assert/strict"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "node:test"
import { fileURLToPath } from "node:url"
import { Effect, Result, Stream } from "effect"
import { deciders } from "../../../src/actors/deciders.ts"
import type { NodeFold } from "../../../src/actors/kernel/fold.ts"
import { canonical } from "../../../src/actors/kernel/json.ts"
import { Redecision } from "../../../src/actors/kernel/redecide.ts"
import { beginFold, foldLines, hashOf, upTo } from "../../../src/cli/event-log/fold-log.ts"
import { openIncidentLog } from "../../../src/cli/event-log/incident-log.ts"
import { redecideLines } from "../../../src/cli/event-log/redecide-log.ts"
import { cutSlice } from "../../../src/cli/event-log/slice.ts"
import { type EventFilter, isOfPod } from "../../../src/cli/filter.ts"
import { actorPath } from "../../../src/events/actor-id.ts"
import { readFirstState, readIncidentHeader } from "../../../src/events/incident/reader.ts"
import { verifyIncident } from "../../../src/events/incident/verify.ts"
import { writeIncident } from "../../../src/events/incident/writer.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const golden = fileURLToPath(new URL("../../golden/0.1.0", import.meta.url))
const logs = readdirSync(golden).filter((name) => name.endsWith(".ndjson"))
const pod = { namespace: "default", name: "web" }

/** As `chronode export --from` does. */
const exported = (from: string, out: string, filter: EventFilter) =>
  Effect.gen(function* () {
    const log = yield* openIncidentLog(from)
    const slice = yield* cutSlice(log, filter)
    assert.ok(slice !== undefined)
    const { configuration, first, span } = slice
    const origin = { node: log.node, chronodeVersion: "0.1.0", exportedAt: 0, filter: { slice: true }, configuration }
    const rows = log.rows(filter.pod === undefined ? {} : { pod: filter.pod, starts: true }, span)
    yield* writeIncident(out, first === undefined ? origin : { ...origin, first }, rows, { overwrite: true })
    return span
  })

const folded = (path: string, until?: string) =>
  Effect.gen(function* () {
    const log = yield* openIncidentLog(path)
    const lines = upTo(log, until === undefined ? undefined : { _tag: "Event", id: until })
    return (yield* foldLines(lines, undefined, yield* beginFold(log))).fold
  })

const redecided = (path: string) =>
  Effect.gen(function* () {
    const log = yield* openIncidentLog(path)
    const { flags } = log.configuration
    const options = {
      isCut: true,
      fold: yield* beginFold(log),
      ...(flags === undefined ? {} : { flags: new Set(flags) })
    }
    const redecision = new Redecision(deciders, options)
    yield* redecideLines(upTo(log, undefined), redecision, { all: true })
    return redecision
  })

const eventsOf = (path: string) =>
  Effect.gen(function* () {
    const log = yield* openIncidentLog(path)
    const lines = yield* Stream.runCollect(log.read({}, false))
    return lines.map(({ event }) => Result.getOrThrow(event))
  })

/** Of a pod's actors, as text. */
const statesOf = (fold: NodeFold): string =>
  canonical(
    [...fold.actors]
      .filter(([, { id }]) => isOfPod(id, pod))
      .map(([path, { state, actorSequence }]) => [path, actorSequence, state])
      .sort()
  )

describe("a slice of a log", () => {
  for (const name of logs)
    liveTest(
      `of ${name} leads to the same states as the whole log, from wherever it begins, and decides again`,
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const whole = join(golden, name)
        const events = yield* eventsOf(whole)
        const end = hashOf(yield* folded(whole))
        // A log that retention has cut begins with actors of which it does not know all.
        const unknown = (yield* redecided(whole)).skipped
        assert.ok(unknown === 0 || name === "journal-pruned.ndjson")
        for (let i = 1; i < events.length; i += 9) {
          const out = join(directory, i % 2 === 0 ? "slice.ndjson" : "slice.ndjson.zst")
          const span = yield* exported(whole, out, { since: Date.parse(events[i]!.time) })
          assert.equal((yield* verifyIncident(out)).broken, undefined)
          const fold = yield* folded(out)
          assert.equal(hashOf(fold), end, `from sequence ${span.from}`)
          assert.equal(fold.partial.size, 0)
          const { differences, skipped, decisions } = yield* redecided(out)
          assert.deepEqual(differences, [], `from sequence ${span.from}`)
          assert.ok(skipped <= unknown, `from sequence ${span.from}`)
          if (i < events.length / 2) assert.ok(decisions > 0)
        }
      }),
      { timeout: 120_000 }
    )

  liveTest(
    "around the middle, a slice of a slice, and one of a pod go on from the states before them",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const whole = join(golden, "liveness-kill.ndjson")
      const events = yield* eventsOf(whole)
      const [since, until] = [Date.parse(events[28]!.time), Date.parse(events[50]!.time)]
      const [middle, again, ofPod] = ["middle.ndjson", "again.ndjson", "pod.ndjson"].map((name) =>
        join(directory, name)
      ) as [string, string, string]
      const span = yield* exported(whole, middle, { since, until })
      const last = events.find(({ sequence }) => sequence === span.to)!
      const there = yield* folded(whole, last.id)
      assert.equal(hashOf(yield* folded(middle)), hashOf(there))
      const inner = yield* exported(middle, again, { since: since + 4000 })
      assert.ok(inner.from > span.from && inner.to === span.to)
      assert.equal(hashOf(yield* folded(again)), hashOf(there))
      yield* exported(whole, ofPod, { pod, since, until })
      const own = yield* eventsOf(ofPod)
      const lastOwn = own.at(-1)!
      assert.equal(statesOf(yield* folded(ofPod)), statesOf(yield* folded(whole, lastOwn.id)))
      const first = yield* readFirstState(ofPod)
      assert.ok(first !== undefined && first.actors.every(({ id }) => isOfPod(id, pod)))
      const { decisions, differences } = yield* redecided(ofPod)
      assert.ok(decisions > 5)
      assert.deepEqual(differences, [])
      const header = yield* readIncidentHeader(ofPod)
      assert.equal(header?.configuration?.agent?.host, "simulation")
      assert.deepEqual(header?.configuration?.flags, [])
    })
  )

  liveTest(
    "whose first state or header was changed by a byte is found, and is not folded",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const slice = join(directory, "slice.ndjson")
      const whole = join(golden, "crash-loop-over-agent-restarts.ndjson")
      yield* exported(whole, slice, { since: Date.parse((yield* eventsOf(whole))[30]!.time) })
      const good = readFileSync(slice)
      const header = yield* readIncidentHeader(slice)
      const headerEnd = good.indexOf("\n")
      let end = headerEnd
      for (let i = 0; i < header!.firstState!.lines; i++) end = good.indexOf("\n", end + 1)
      const bad = join(directory, "bad.ndjson")
      for (let at = 0; at < end; at += at < headerEnd ? 1 : 7) {
        const changed = Buffer.from(good)
        changed[at] = good[at]! ^ (1 << (at % 8))
        writeFileSync(bad, changed)
        const verdict = yield* Effect.match(verifyIncident(bad), {
          onFailure: ({ reason }) => reason as string,
          onSuccess: ({ broken, chain }) => `${chain} at ${broken?.line}`
        })
        assert.ok(/^(?:broken at \d|NewerVersion)/u.test(verdict), `byte ${at}: ${verdict}`)
        if (at <= headerEnd) continue
        const state = yield* Effect.exit(readFirstState(bad))
        assert.equal(state._tag, "Failure", `byte ${at}`)
      }
      // A cut within the first state is one, too.
      for (let length = headerEnd; length < end; length += 11) {
        writeFileSync(bad, good.subarray(0, length))
        assert.notEqual((yield* verifyIncident(bad)).broken, undefined, `cut to ${length}`)
        assert.equal((yield* Effect.flip(readFirstState(bad))).reason, "Damaged")
      }
    }),
    { timeout: 120_000 }
  )

  liveTest(
    "with a state that is longer than a line carries it in pieces",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const whole = join(golden, "liveness-kill.ndjson")
      const log = yield* openIncidentLog(whole)
      const since = Date.parse((yield* eventsOf(whole))[30]!.time)
      const slice = yield* cutSlice(log, { since })
      const { first, span, configuration } = slice!
      const large = { text: `"ü\u0001${'ż"\\'.repeat(60_000)}` }
      const actors = first!.state.actors.map((actor) => (actor.id.kind === "pod" ? { ...actor, state: large } : actor))
      const origin = {
        ...{ node: log.node, chronodeVersion: "0.1.0", exportedAt: 0, filter: {}, configuration },
        first: { ...first!, state: { actors, finished: [["pod/default/gone", 7] as const] } }
      }
      const out = join(directory, "large.ndjson")
      yield* writeIncident(out, origin, log.rows({}, span))
      assert.equal((yield* verifyIncident(out)).broken, undefined)
      const read = yield* readFirstState(out)
      assert.deepEqual(read, origin.first.state)
      assert.ok(read?.actors.some(({ id }) => actorPath(id) === "pod/default/web"))
    })
  )
})
