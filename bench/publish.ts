/**
 * The publisher against a bare NATS client: events a second from a full journal into a JetStream stream.
 *
 *     bun bench/publish.ts [--events 30000] [--rounds 7]
 *
 * Bare means: lines, ids and subjects ready in memory, `jetstream.publish` with the same message id and content type, a
 * new one sent for each acknowledgement so that as many are under way as the publisher's window holds; no journal is
 * read, nothing is expected of the stream's last message and no head of a chain is said. Both send the same bytes to streams alike on the same private
 * server, in turns; the ratio is the median of those of the rounds.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { headers } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import { Context, Effect, Fiber, Stream, SubscriptionRef } from "effect"
import { natsServerMissing, startNats } from "../scripts/lab/nats.ts"
import { cursorNote } from "../src/actors/stream/cursor.ts"
import { makeOutgoing } from "../src/actors/stream/outgoing.ts"
import { publishJournal } from "../src/actors/stream/publisher.ts"
import { publishWindow } from "../src/actors/stream/pump.ts"
import { PublisherStatus } from "../src/actors/stream/status.ts"
import { layerLive } from "../src/adapters/nats/live.ts"
import type { StreamSettings } from "../src/adapters/nats/port.ts"
import { toConfig } from "../src/adapters/nats/settings.ts"
import { actorId, nodeSubjects } from "../src/events/actor-id.ts"
import { contentType } from "../src/events/envelope.ts"
import { type EventDraft, Journal } from "../src/events/journal/port.ts"
import { makeSqliteJournal } from "../src/events/journal/sqlite.ts"
import { machine } from "./machine.ts"

const { values } = parseArgs({
  options: { events: { type: "string", default: "30000" }, rounds: { type: "string", default: "7" } }
})
const [events, rounds] = [Number(values.events), Number(values.rounds)]
const node = "bench"
const settings: StreamSettings = {
  name: "CHRONODE_bench",
  subjects: [nodeSubjects(node)],
  maxAgeSeconds: 0,
  maxBytes: -1,
  replicas: 1,
  denyDelete: false
}

const missing = natsServerMissing()
if (missing !== undefined) {
  console.error(missing)
  process.exit(1)
}
const directory = mkdtempSync(join(tmpdir(), "chronode-bench-"))
const server = await startNats(join(directory, "nats"))

let made = 0
/** About 500 bytes as a line. */
const draft = (): EventDraft => {
  const n = ++made
  const pod = `web-${n % 1000}`
  return {
    id: `01930000-0000-7000-8000-${String(n).padStart(12, "0")}`,
    time: new Date().toISOString(),
    actor: actorId("pod", "default", pod),
    subject: `5f6c1f0e-0000-4000-8000-${String(n % 1000).padStart(12, "0")}`,
    actorSequence: Math.floor(n / 1000) + 1,
    cause: `01930000-0000-7000-8000-${String(Math.max(1, n - 1)).padStart(12, "0")}`,
    correlation: `5f6c1f0e-0000-4000-8000-${String(n % 1000).padStart(12, "0")}`,
    traceparent: undefined,
    severity: "INFO",
    command: undefined,
    event: { _tag: "StreamDisconnected", server: "127.0.0.1:4222", message: "about as long as most events' data are" }
  }
}

const median = (figures: ReadonlyArray<number>): number =>
  [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0
const rate = (seconds: number): string => `${Math.round(events / seconds)} events/s`

const dropStream = async (): Promise<void> => {
  const connection = await connect({ servers: server.url })
  const manager = await jetstreamManager(connection)
  await manager.streams.delete(settings.name).catch(() => false)
  await connection.close()
}
const stored = async (): Promise<number> => {
  const connection = await connect({ servers: server.url })
  const info = await (await jetstreamManager(connection)).streams.info(settings.name)
  await connection.close()
  return info.state.messages
}

/** Seconds from before the connection until the last acknowledgement. */
const bare = async (messages: ReadonlyArray<{ id: string; line: string; subject: string }>): Promise<number> => {
  const began = performance.now()
  const connection = await connect({ servers: server.url, noAsyncTraces: true })
  await (await jetstreamManager(connection)).streams.add(toConfig(settings))
  const client = jetstream(connection)
  let next = 0
  const lane = async (): Promise<void> => {
    for (let message = messages[next++]; message !== undefined; message = messages[next++]) {
      const set = headers()
      set.append("Content-Type", contentType)
      await client.publish(message.subject, message.line, { msgID: message.id, headers: set })
    }
  }
  await Promise.all(Array.from({ length: publishWindow }, lane))
  const seconds = (performance.now() - began) / 1_000
  await connection.close()
  return seconds
}

/** Seconds from its start until it knows that everything is stored. */
const ours = (journal: Journal["Service"]): Promise<number> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const status = yield* PublisherStatus
      yield* journal.setNote(cursorNote, "")
      const began = performance.now()
      const publisher = yield* Effect.forkChild(publishJournal(() => Effect.void))
      yield* SubscriptionRef.changes(status.report).pipe(
        Stream.takeUntil(({ published }) => published === events),
        Stream.runDrain
      )
      const seconds = (performance.now() - began) / 1_000
      yield* Fiber.interrupt(publisher)
      return seconds
    }).pipe(
      Effect.provide(Context.make(Journal, journal)),
      Effect.provide(
        layerLive(
          {
            servers: [server.url],
            authentication: { _tag: "None" },
            tls: undefined,
            inboxPrefix: undefined,
            domain: undefined
          },
          settings
        )
      ),
      Effect.provide(PublisherStatus.layer)
    )
  )

const program = Effect.gen(function* () {
  const journal = yield* makeSqliteJournal({ path: join(directory, "journal", "events.db"), node, reserveBytes: 0 })
  while (made < events) yield* journal.append(Array.from({ length: Math.min(256, events - made) }, draft))
  const rows = yield* Stream.runCollect(journal.read({ from: 1 }))
  const messages = rows.map(makeOutgoing(node))
  const bytes = rows.reduce((sum, { line }) => sum + Buffer.byteLength(line), 0) / rows.length
  console.log(machine())
  console.log(`${events} events of ${Math.round(bytes)} B, window ${publishWindow}, ${rounds} rounds in turns`)
  const [bareTimes, ourTimes]: [Array<number>, Array<number>] = [[], []]
  // Round 0 warms both up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const turn = [
      { name: "bare client", times: bareTimes, run: () => bare(messages) },
      { name: "publisher", times: ourTimes, run: () => ours(journal) }
    ]
    for (const { name, run, times } of round % 2 === 0 ? turn : turn.reverse()) {
      yield* Effect.promise(dropStream)
      const seconds = yield* Effect.promise(run)
      const count = yield* Effect.promise(stored)
      if (count !== events) return yield* Effect.die(new Error(`${name} stored ${count} of ${events}`))
      if (round > 0) times.push(seconds)
      console.log(`  ${round === 0 ? "warm-up" : `round ${round}`}  ${name.padEnd(11)}  ${rate(seconds)}`)
    }
  }
  const ratios = bareTimes.map((seconds, round) => seconds / (ourTimes[round] ?? Number.NaN))
  const percent = Math.round(median(ratios) * 100)
  console.log(`medians: bare client ${rate(median(bareTimes))}, publisher ${rate(median(ourTimes))}`)
  console.log(`publisher / bare client: ${percent} % (aim: 90 %)`)
})

try {
  await Effect.runPromise(Effect.scoped(program))
} finally {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
}
