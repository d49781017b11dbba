/** What every journal must keep. Each implementation's test runs the whole of it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Fiber, Result, type Scope, Stream } from "effect"
import { decodeLine } from "../../../src/events/decode.ts"
import { chainHash, genesisHash, makeChain } from "../../../src/events/journal/chain.ts"
import type { Journal, JournalQuery, JournalRow } from "../../../src/events/journal/port.ts"
import { sampleDraft, sampleDrafts, sampleId, sampleNodeDraft, sampleTime } from "./sample.ts"

type Service = Journal["Service"]
export type OpenJournal = Effect.Effect<Service, unknown, Scope.Scope>

export const rowsOf = (journal: Pick<Service, "read">, query: JournalQuery = {}) =>
  Effect.map(Stream.runCollect(journal.read(query)), (rows) => rows as ReadonlyArray<JournalRow>)
const sequencesOf = (journal: Service, query: JournalQuery = {}) =>
  Effect.map(rowsOf(journal, query), (rows) => rows.map((row) => row.sequence))

export const journalContract = (name: string, open: OpenJournal): void => {
  const on = (sentence: string, body: (journal: Service) => Effect.Effect<void, unknown, Scope.Scope>) =>
    it(sentence, { timeout: 60_000 }, () => Effect.runPromise(Effect.scoped(Effect.flatMap(open, body))))

  describe(`journal contract: ${name}`, () => {
    on("an empty journal has head 0, is whole and reads as nothing", (journal) =>
      Effect.gen(function* () {
        assert.deepEqual(yield* journal.head, { sequence: 0, hash: genesisHash })
        assert.deepEqual(yield* rowsOf(journal), [])
        assert.equal((yield* journal.verify).broken, undefined)
      })
    )

    on("append gives contiguous sequences from 1 and answers what it stored", (journal) =>
      Effect.gen(function* () {
        const first = yield* journal.append(sampleDrafts(1, 3))
        const second = yield* journal.append([sampleDraft(4)])
        assert.deepEqual(
          [...first, ...second].map((e) => e.sequence),
          [1, 2, 3, 4]
        )
        const rows = yield* rowsOf(journal)
        for (const [i, recorded] of [...first, ...second].entries())
          assert.deepEqual(Result.getOrThrow(decodeLine((rows[i] as JournalRow).line)), recorded)
        assert.deepEqual(yield* journal.append([]), [])
      })
    )

    on("appends made at once are stored in the order of the calls, each batch contiguous", (journal) =>
      Effect.gen(function* () {
        const answers = yield* Effect.all(
          Array.from({ length: 40 }, (_, i) => journal.append(sampleDrafts(1 + i * 5, 1 + (i % 5)))),
          { concurrency: "unbounded" }
        )
        const sequences = answers.flat().map((e) => e.sequence)
        assert.deepEqual(
          sequences,
          sequences.map((_, i) => i + 1)
        )
        const ids = (yield* rowsOf(journal)).map((row) => (JSON.parse(row.line) as { id: string }).id)
        assert.deepEqual(
          ids,
          answers.flat().map((e) => e.id)
        )
        assert.equal((yield* journal.verify).broken, undefined)
      })
    )

    on("each row's hash follows from the one before, and the head is the last", (journal) =>
      Effect.gen(function* () {
        yield* journal.append(sampleDrafts(1, 20))
        const rows = yield* rowsOf(journal)
        const chain = makeChain()
        for (const row of rows) assert.equal(chain.next(row.line), row.hash)
        assert.equal(rows[0]?.hash, chainHash(genesisHash, (rows[0] as JournalRow).line))
        assert.deepEqual(yield* journal.head, { sequence: 20, hash: chain.head() })
        assert.equal((yield* journal.verify).events, 20)
      })
    )

    on("a row that does not follow the one read before comes with the hash before it", (journal) =>
      Effect.gen(function* () {
        yield* journal.append([...sampleDrafts(1, 4), sampleNodeDraft(5), ...sampleDrafts(6, 2)])
        const all = yield* rowsOf(journal)
        assert.equal(all[0]?.previousHash, genesisHash)
        assert.ok(all.slice(1).every((row) => row.previousHash === undefined))
        const pod = yield* rowsOf(journal, { from: 3, types: ["ContainerExited"] })
        assert.deepEqual(
          pod.map((row) => [row.sequence, row.previousHash]),
          [
            [3, all[1]?.hash],
            [4, undefined],
            [6, all[4]?.hash],
            [7, undefined]
          ]
        )
      })
    )

    on("an id that is stored already is refused, and with it the whole batch", (journal) =>
      Effect.gen(function* () {
        yield* journal.append([sampleDraft(1)])
        const error = yield* Effect.flip(journal.append([sampleDraft(2), sampleDraft(1)]))
        assert.equal(error.reason, "DuplicateEvent")
        assert.match(error.message, new RegExp(sampleId(1), "u"))
        assert.equal((yield* Effect.flip(journal.append([sampleDraft(3), sampleDraft(3)]))).reason, "DuplicateEvent")
        assert.deepEqual(yield* sequencesOf(journal), [1])
      })
    )

    on("a refused append leaves no gap for the others that were made at the same time", (journal) =>
      Effect.gen(function* () {
        const tooLarge = sampleDraft(900, { text: "x".repeat(65 * 1024) })
        const results = yield* Effect.all(
          [
            journal.append(sampleDrafts(1, 3)),
            journal.append([sampleDraft(4), sampleDraft(2)]),
            journal.append(sampleDrafts(10, 2)),
            journal.append([tooLarge]),
            journal.append([sampleDraft(10)]),
            journal.append(sampleDrafts(20, 2))
          ].map(Effect.result),
          { concurrency: "unbounded" }
        )
        const told = results.map((r) => (Result.isSuccess(r) ? r.success.map((e) => e.sequence) : r.failure.reason))
        assert.deepEqual(told, [[1, 2, 3], "DuplicateEvent", [4, 5], "EventTooLarge", "DuplicateEvent", [6, 7]])
        assert.deepEqual(yield* sequencesOf(journal), [1, 2, 3, 4, 5, 6, 7])
        const stored = (yield* rowsOf(journal)).map((row) => Result.getOrThrow(decodeLine(row.line)).sequence)
        assert.deepEqual(stored, [1, 2, 3, 4, 5, 6, 7])
        assert.equal((yield* journal.verify).broken, undefined)
      })
    )

    on("what is appended at once after a refusal has the next place", (journal) =>
      Effect.gen(function* () {
        yield* journal.append(sampleDrafts(1, 3))
        const refused = [sampleDraft(2), sampleDraft(900, { text: "x".repeat(65 * 1024) })]
        for (const [i, draft] of refused.entries()) {
          yield* Effect.flip(journal.append([sampleDraft(100 + i), draft]))
          assert.equal((yield* journal.append([sampleDraft(200 + i)]))[0]?.sequence, 4 + i)
        }
        assert.deepEqual(yield* sequencesOf(journal), [1, 2, 3, 4, 5])
        assert.equal((yield* journal.verify).broken, undefined)
      })
    )

    on("more appends than one transaction holds, some of them refused, leave no gap either", (journal) =>
      Effect.gen(function* () {
        // Every ninth holds an event of the one before it.
        const refused = (i: number) => i % 9 === 8
        const drafts = Array.from({ length: 60 }, (_, i) => sampleDrafts(1 + i * 100 - (refused(i) ? 1 : 0), 100))
        const results = yield* Effect.all(
          drafts.map((of) => Effect.result(journal.append(of))),
          { concurrency: "unbounded" }
        )
        assert.deepEqual(
          results.map((r) => (Result.isSuccess(r) ? "stored" : r.failure.reason)),
          drafts.map((_, i) => (refused(i) ? "DuplicateEvent" : "stored"))
        )
        const answered = results.flatMap((r) => (Result.isSuccess(r) ? r.success : []))
        assert.deepEqual(
          answered.map((e) => e.sequence),
          answered.map((_, i) => i + 1)
        )
        const stored = (yield* rowsOf(journal)).map((row) => Result.getOrThrow(decodeLine(row.line)))
        assert.deepEqual(stored, answered)
        assert.equal((yield* journal.verify).broken, undefined)
      })
    )

    on("an event over 64 KiB and an event that does not fit its schema are refused with a reason", (journal) =>
      Effect.gen(function* () {
        const large = yield* Effect.flip(journal.append([sampleDraft(1, { text: "ä".repeat(33 * 1024) })]))
        assert.equal(large.reason, "EventTooLarge")
        const draft = sampleDraft(2)
        const wrong = { ...draft, event: { ...draft.event, exitCode: "one" } }
        const invalid = yield* Effect.flip(journal.append([sampleDraft(3), wrong as never]))
        assert.equal(invalid.reason, "EventInvalid")
        assert.match(invalid.message, /exitCode/u)
        const unknown = { ...draft, event: { _tag: "NoSuchEvent" } }
        assert.equal((yield* Effect.flip(journal.append([unknown as never]))).reason, "EventInvalid")
        const time = yield* Effect.flip(journal.append([{ ...draft, time: "yesterday" }]))
        assert.equal(time.reason, "EventInvalid")
        assert.equal((yield* journal.head).sequence, 0)
      })
    )

    on("a field that the schema does not name is not stored", (journal) =>
      Effect.gen(function* () {
        const draft = sampleDraft(1)
        yield* journal.append([{ ...draft, event: { ...draft.event, password: "s3cret" } as never }])
        assert.doesNotMatch((yield* rowsOf(journal))[0]?.line ?? "", /s3cret/u)
      })
    )

    on("text of any kind comes back as it was", (journal) =>
      Effect.gen(function* () {
        const texts = ["", '\u0000\n"\\', "zażółć 🦆 \u2028", "\ufffd", "\ud800 alone", "x".repeat(60_000)]
        yield* journal.append(texts.map((text, i) => sampleDraft(i + 1, { text })))
        const rows = yield* rowsOf(journal)
        const back = rows.map((row) => (JSON.parse(row.line) as { data: { message: string } }).data.message)
        assert.deepEqual(back, texts)
        assert.equal((yield* journal.verify).broken, undefined)
      })
    )

    on("a query's conditions hold together", (journal) =>
      Effect.gen(function* () {
        yield* journal.append([
          ...sampleDrafts(1, 3, { pod: "web" }),
          ...sampleDrafts(4, 3, { pod: "db" }),
          sampleNodeDraft(7),
          ...sampleDrafts(8, 2, { pod: "web.1" }),
          sampleDraft(10, { pod: "web", at: sampleTime })
        ])
        const cases: ReadonlyArray<readonly [JournalQuery, ReadonlyArray<number>]> = [
          [{}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
          [{ from: 3, to: 5 }, [3, 4, 5]],
          [{ from: 11 }, []],
          [{ to: 2, reverse: true }, [2, 1]],
          [{ reverse: true, limit: 2 }, [10, 9]],
          [{ limit: 0 }, []],
          [{ actor: "pod/default/web" }, [1, 2, 3, 10]],
          [{ actor: "pod/default/web", reverse: true, limit: 3 }, [10, 3, 2]],
          [{ actor: "pod/default/none" }, []],
          [{ actorPrefix: "pod/default/web" }, [1, 2, 3, 8, 9, 10]],
          [{ actorPrefix: "pod/" }, [1, 2, 3, 4, 5, 6, 8, 9, 10]],
          [{ actorPrefix: "pod/", actor: "node/_/n1" }, []],
          [{ actor: "pod/default/db", actorPrefix: "pod/", from: 5 }, [5, 6]],
          [{ types: ["NodeStopped"] }, [7]],
          [{ types: ["NodeStopped", "ContainerExited"], from: 6, to: 8 }, [6, 7, 8]],
          [{ types: ["NodeStopped", "ContainerExited"], reverse: true, limit: 4 }, [10, 9, 8, 7]],
          [{ types: ["ContainerExited", "ContainerExited"], from: 9 }, [9, 10]],
          [{ types: [] }, []],
          [{ types: ["PodRemoved"] }, []],
          [{ correlation: "uid-db" }, [4, 5, 6]],
          [{ correlation: "uid-db", types: ["NodeStopped"] }, []],
          [{ id: sampleId(5) }, [5]],
          [{ id: sampleId(5), actor: "pod/default/web" }, []],
          [{ id: "none" }, []],
          [{ since: sampleTime + 8000 }, [8, 9]],
          [{ since: sampleTime + 3000, until: sampleTime + 5000 }, [3, 4, 5]],
          [{ until: sampleTime + 1000 }, [1, 10]],
          [{ since: sampleTime + 60_000 }, []],
          [{ since: sampleTime, until: sampleTime, actor: "pod/default/web" }, [10]],
          [{ since: sampleTime + 2000, types: ["ContainerExited"], limit: 2 }, [2, 3]],
          [{ until: sampleTime + 2000, actorPrefix: "pod/", reverse: true }, [10, 2, 1]]
        ]
        for (const [query, expected] of cases)
          assert.deepEqual(yield* sequencesOf(journal, query), expected, JSON.stringify(query))
      })
    )

    on("a read longer than one chunk gives each row once, in order, by every way of reading", (journal) =>
      Effect.gen(function* () {
        const count = 5000
        for (let at = 1; at <= count; at += 1000)
          yield* journal.append(
            Array.from({ length: 1000 }, (_, i) =>
              (at + i) % 3 === 0 ? sampleNodeDraft(at + i) : sampleDraft(at + i, { pod: `p${(at + i) % 100}` })
            )
          )
        const all = Array.from({ length: count }, (_, i) => i + 1)
        const pods = all.filter((n) => n % 3 !== 0)
        assert.deepEqual(yield* sequencesOf(journal), all)
        assert.deepEqual(yield* sequencesOf(journal, { reverse: true }), [...all].reverse())
        assert.deepEqual(yield* sequencesOf(journal, { types: ["ContainerExited"] }), pods)
        assert.deepEqual(
          yield* sequencesOf(journal, { types: ["ContainerExited"], reverse: true }),
          [...pods].reverse()
        )
        assert.deepEqual(yield* sequencesOf(journal, { types: ["ContainerExited", "NodeStopped"] }), all)
        assert.deepEqual(yield* sequencesOf(journal, { actorPrefix: "pod/default/" }), pods)
        assert.deepEqual(
          yield* sequencesOf(journal, { since: sampleTime + 4000_000, actorPrefix: "pod/" }),
          pods.filter((n) => n >= 4000)
        )
        assert.deepEqual(yield* sequencesOf(journal, { since: sampleTime + 1, limit: 700 }), all.slice(0, 700))
        assert.deepEqual(
          yield* sequencesOf(journal, { actor: "pod/default/p7", from: 1000 }),
          pods.filter((n) => n % 100 === 7 && n >= 1000)
        )
      })
    )

    on("awaitBeyond answers at once when the head is beyond, else when it gets there", (journal) =>
      Effect.gen(function* () {
        const waiting = yield* Effect.forkChild(journal.awaitBeyond(1), { startImmediately: true })
        yield* journal.append([sampleDraft(1)])
        assert.equal(waiting.pollUnsafe(), undefined)
        yield* journal.append([sampleDraft(2)])
        assert.equal((yield* Fiber.join(waiting)).sequence, 2)
        assert.equal((yield* journal.awaitBeyond(0)).sequence, 2)
      })
    )

    on("prune drops a prefix, keeps the chain and says the hash at the cut", (journal) =>
      Effect.gen(function* () {
        yield* journal.append(sampleDrafts(1, 2500))
        const before = yield* rowsOf(journal, { from: 1100, to: 1101 })
        assert.deepEqual(yield* journal.prune(1100), { events: 1100, hash: before[0]?.hash })
        assert.equal((yield* journal.size).first, 1101)
        const rows = yield* rowsOf(journal, { to: 1102 })
        assert.deepEqual(
          rows.map((row) => row.sequence),
          [1101, 1102]
        )
        assert.equal(rows[0]?.previousHash, before[0]?.hash)
        assert.deepEqual(yield* journal.prune(50), { events: 0, hash: before[0]?.hash })
        const report = yield* journal.verify
        assert.deepEqual([report.broken, report.first, report.events], [undefined, 1101, 1400])
        assert.deepEqual(
          (yield* journal.append([sampleDraft(3000)])).map((e) => e.sequence),
          [2501]
        )
      })
    )

    on("a journal that is pruned to its head goes on where it was", (journal) =>
      Effect.gen(function* () {
        yield* journal.append(sampleDrafts(1, 10))
        const head = yield* journal.head
        assert.deepEqual(yield* journal.prune(999), { events: 10, hash: head.hash })
        assert.deepEqual(yield* rowsOf(journal), [])
        assert.equal((yield* journal.append([sampleDraft(11, { pod: "new" })]))[0]?.sequence, 11)
        assert.equal((yield* rowsOf(journal, { actor: "pod/default/new" }))[0]?.previousHash, head.hash)
        assert.equal((yield* journal.verify).broken, undefined)
      })
    )

    on("notes are kept, replaced and bounded", (journal) =>
      Effect.gen(function* () {
        assert.equal(yield* journal.note("cursor"), undefined)
        yield* journal.setNote("cursor", "12")
        yield* journal.setNote("cursor", "13")
        assert.equal(yield* journal.note("cursor"), "13")
        assert.equal((yield* Effect.flip(journal.setNote("cursor", "x".repeat(5000)))).reason, "EventTooLarge")
      })
    )

    on("space begins with the present state", (journal) =>
      Effect.gen(function* () {
        assert.equal((yield* journal.space).state, "ok")
        const first = yield* Stream.runCollect(Stream.take(journal.spaceChanges, 1))
        assert.equal(first[0]?.state, "ok")
      })
    )
  })
}
