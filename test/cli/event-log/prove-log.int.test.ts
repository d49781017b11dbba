/**
 * Slices held against the heads that a node published on a real NATS server. The forger here is good: whatever he
 * changes, he computes the chain and the header anew, so that the file is whole in itself.
 */
import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { Effect, Stream } from "effect"
import { type NatsServer, natsServerMissing, startNats } from "../../../scripts/lab/nats.ts"
import { makeOutgoing } from "../../../src/actors/stream/outgoing.ts"
import { readHeads } from "../../../src/adapters/nats/heads.ts"
import { openPlayback } from "../../../src/adapters/nats/playback.ts"
import { journalPath } from "../../../src/cli/event-log/journal-path.ts"
import { encode } from "../../../src/events/envelope.ts"
import { writeIncident } from "../../../src/events/incident/writer.ts"
import { makeChain } from "../../../src/events/journal/chain.ts"
import type { JournalRow } from "../../../src/events/journal/port.ts"
import { openJournalReadOnly } from "../../../src/events/journal/sqlite-readonly.ts"
import { now, runMain } from "../in-process.ts"
import { story } from "../story.ts"
import { writeJournal } from "../write-journal.ts"

const skip = natsServerMissing() ?? false
const options = { timeout: 60_000, skip }
const neighbours = { readHeads: async () => readHeads }

let directory = ""
let server: NatsServer
let written = 0

/** Rows of these lines, with a chain of their own. */
const chained = (lines: ReadonlyArray<string>): ReadonlyArray<JournalRow> => {
  const chain = makeChain()
  return lines.map((line, i) => {
    const previousHash = chain.head()
    return { sequence: i + 1, line, hash: chain.next(line), previousHash }
  })
}
const lines = story.map((draft, i) => encode({ ...draft, node: "node1", sequence: i + 1, recordedTime: draft.time }))
const rows = chained(lines)
const head = `10:${rows[9]?.hash}`

/** An incident file of these rows. */
const incident = async (of: ReadonlyArray<JournalRow>, filter: Readonly<Record<string, unknown>> = {}) => {
  const path = join(directory, `${++written}.ndjson`)
  const origin = { node: "node1", chronodeVersion: "0.1.0", filter, exportedAt: now }
  await Effect.runPromise(writeIncident(path, origin, Stream.fromIterable(of)))
  return path
}
const verify = (path: string, ...words: ReadonlyArray<string>) => runMain(["verify", path, ...words], neighbours)
const fromNats = () => ["--head-from", "nats", "--nats", server.url]

const publish = (of: ReadonlyArray<JournalRow>) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const session = yield* openPlayback({ nats: server.url }, "chronode.node1.>")
        const outgoing = makeOutgoing("node1")
        for (const row of of) yield* session.publish(outgoing(row))
        yield* session.settle
        assert.equal(session.counts().stored, of.length)
      })
    )
  )

before(async () => {
  if (skip !== false) return
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  server = await startNats(join(directory, "nats"))
  const connection = await connect({ servers: server.url })
  const manager = await jetstreamManager(connection)
  await manager.streams.add({ name: "CHRONODE_node1", subjects: ["chronode.node1.>"] })
  await connection.close()
  // The node's journal was made anew once: the stream holds both, and other people's messages.
  await publish(chained(lines.slice(0, 4).map((line) => line.replace(/"id":"e/u, '"id":"older-'))))
  await publish(rows)
})
after(async () => {
  await server?.kill()
  if (directory !== "") await rm(directory, { recursive: true, force: true })
})

const ofProbes = (row: JournalRow) => row.line.includes("dev.chronode.Probe")
const ofPod = (row: JournalRow) => row.sequence >= 2 && row.sequence <= 8

describe("a slice of the log", () => {
  it("is proven by its head, by the head alone, by a file of heads and by what was published", options, async () => {
    const file = await incident(rows)
    const heads = join(directory, "heads.txt")
    await writeFile(heads, `# kept by an auditor\n\n3:${rows[2]?.hash}\n${head}\n`)
    for (const words of [["--head", head], ["--head", head.slice(3)], ["--head-from", heads], fromNats()]) {
      const { code, err, out } = await verify(file, ...words)
      assert.deepEqual([code, err], [0, ""], out)
      assert.match(out, /^whole: .*\nproven: all 10 events belong to the chain\n$/u)
    }
  })

  it("of some time, some pod or some types is proven by what was published", options, async () => {
    const slices = [
      await incident(rows.slice(3, 7), { since: "2026-01-15T09:30:03.000Z", until: "2026-01-15T09:30:06.000Z" }),
      await incident(rows.filter(ofPod), { pod: "default/web" }),
      await incident(rows.filter(ofProbes), { types: ["ProbeFailed", "ProbeResultChanged"] }),
      await incident([rows[0] as JournalRow, rows[8] as JournalRow], { types: ["ManifestRead", "NodeStopped"] })
    ]
    for (const slice of slices) {
      const { code, err, out } = await verify(slice, ...fromNats(), "-o", "json")
      assert.deepEqual([code, err], [0, ""], out)
      assert.equal(JSON.parse(out).proof.holds, true)
    }
  })

  it("is not proven by a head that stands before its events or before a gap", options, async () => {
    const early = await verify(await incident(rows), "--head", `4:${rows[3]?.hash}`)
    assert.equal(early.code, 3)
    assert.match(early.out, /not proven: 6 of 10 events, sequences 5 to 10/u)
    const gap = await incident([rows[0] as JournalRow, rows[8] as JournalRow], {
      types: ["ManifestRead", "NodeStopped"]
    })
    const late = await verify(gap, "--head", `9:${rows[8]?.hash}`)
    assert.equal(late.code, 3)
    assert.match(late.out, /not proven: 1 of 2 events, sequences 1: no known head/u)
    assert.match(late.err, /--head-from nats has one behind each event/u)
  })
})

describe("a forged slice, whole in itself, is found", () => {
  const forged: ReadonlyArray<readonly [what: string, make: () => Promise<string>, byHead: RegExp, byNats: RegExp]> = [
    [
      "with a changed event",
      () => incident(chained(lines.map((line) => line.replace('"exitCode":137', '"exitCode":0')))),
      /at sequence 10: .*it was changed here or before/u,
      /at sequence 7: .*published was/u
    ],
    [
      "with two events swapped",
      () => {
        const [fourth = "", fifth = ""] = [lines[3], lines[4]]
        const numbered = (line: string, n: number) =>
          line.replace(/"sequence":"\d+"/u, `"sequence":"${String(n).padStart(20, "0")}"`)
        return incident(chained([...lines.slice(0, 3), numbered(fifth, 4), numbered(fourth, 5), ...lines.slice(5)]))
      },
      /at sequence 10/u,
      /at sequence 4: .*published was/u
    ],
    [
      "with an event taken out and the rest numbered anew",
      () =>
        incident(
          chained(
            [...lines.slice(0, 4), ...lines.slice(5)].map((line, i) =>
              line.replace(/"sequence":"\d+"/u, `"sequence":"${String(i + 1).padStart(20, "0")}"`)
            )
          )
        ),
      /at sequence 10: the head's event is missing: it ends at 9/u,
      /at sequence 5: .*published was/u
    ],
    [
      "with an event taken out as if it had been filtered",
      () => incident(rows.filter(({ sequence }) => sequence !== 5)),
      /at sequence 5: it is missing, though the file says that nothing was left out/u,
      /at sequence 5: it is missing, though the file says that nothing was left out/u
    ],
    [
      "with its end cut off",
      () => incident(rows.slice(0, 8)),
      /at sequence 10: the head's event is missing: it ends at 8/u,
      /^$/u
    ]
  ]
  for (const [what, make, byHead, byNats] of forged) {
    it(what, options, async () => {
      const file = await make()
      assert.equal((await verify(file)).code, 0, "the file is whole in itself")
      const given = await verify(file, "--head", head)
      assert.equal(given.code, 3, given.out)
      assert.match(given.out, byHead)
      const alone = await verify(file, "--head", head.slice(3))
      assert.equal(alone.code, 3, alone.out)
      // What a slice ends with is its exporter's choice: heads that were published say nothing of it.
      if (byNats.source === "^$") return
      const published = await verify(file, ...fromNats())
      assert.equal(published.code, 3, published.out)
      assert.match(published.out, byNats)
    })
  }

  it("with an event of a filtered pod taken out", options, async () => {
    const file = await incident(
      rows.filter((row) => ofPod(row) && row.sequence !== 6),
      { pod: "default/web" }
    )
    const { code, out } = await verify(file, ...fromNats())
    assert.equal(code, 3, out)
    assert.match(out, /at sequence 6: it was published, the file's filter takes it, and it is missing/u)
  })
})

describe("a journal", () => {
  it("is proven by what was published, but for what is on its way", options, async () => {
    const data = join(directory, "data")
    await writeJournal(
      data,
      story.map((draft) => ({ ...draft, id: `journal-${draft.id}` }))
    )
    const journalRows = await Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(openJournalReadOnly(journalPath(data)), (journal) => Stream.runCollect(journal.read({})))
      )
    )
    const held = () => runMain(["verify", "--journal", "--data-dir", data, ...fromNats()], neighbours)
    await publish(journalRows.slice(0, 7))
    const partly = await held()
    assert.equal(partly.code, 0, partly.out + partly.err)
    assert.match(partly.out, /\nproven: 7 events belong to the chain; 3 are not published yet\n$/u)
    await publish(journalRows.slice(7))
    assert.match((await held()).out, /\nproven: all 10 events belong to the chain\n$/u)
  })
})

describe("what is no head", () => {
  it(
    "is refused: by the flag, in a file by its line, and a stream that is not there by its name",
    options,
    async () => {
      const file = await incident(rows)
      const wrong = await verify(file, "--head", "193:abc")
      assert.deepEqual([wrong.code, /--head: '193:abc' is no head/u.test(wrong.err)], [2, true], wrong.err)
      const heads = join(directory, "bad.txt")
      await writeFile(heads, `${head}\nnonsense\n`)
      const inFile = await verify(file, "--head-from", heads)
      assert.deepEqual([inFile.code, /bad\.txt:2: no head/u.test(inFile.err)], [1, true], inFile.err)
      const absent = await verify(file, "--head-from", "nats", "--nats", "nats://127.0.0.1:1")
      assert.deepEqual([absent.code, /connection refused/u.test(absent.err)], [1, true], absent.err)
    }
  )
})
