/** What the publisher's tests share: events to publish, a publisher to start and stop, and waiting for it. */
import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { Context, Duration, Effect, Fiber, type Layer, Stream, SubscriptionRef } from "effect"
import type { StreamCommand } from "../../../src/actors/stream/decider.ts"
import { publishJournal, type RetryTimes } from "../../../src/actors/stream/publisher.ts"
import { type PublisherReport, PublisherStatus } from "../../../src/actors/stream/status.ts"
import type { NatsTarget } from "../../../src/adapters/nats/connection.ts"
import type { EventStream, StreamSettings } from "../../../src/adapters/nats/port.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import type { EventDraft, Journal as JournalTag } from "../../../src/events/journal/port.ts"
import { Journal } from "../../../src/events/journal/port.ts"

export type OpenJournal = JournalTag["Service"]

export const node = "lab.example"
export const settings: StreamSettings = {
  name: "CHRONODE_lab_example",
  subjects: ["chronode.lab_example.>"],
  maxAgeSeconds: 0,
  maxBytes: -1,
  replicas: 1,
  denyDelete: false
}

/** Quick enough for tests; the real ones are `retryTimes`. */
export const quickRetries: RetryTimes = {
  first: Duration.millis(10),
  most: Duration.millis(100),
  refused: Duration.millis(200)
}

export const targetOf = (url: string, authentication: NatsTarget["authentication"] = { _tag: "None" }): NatsTarget => ({
  servers: [url],
  authentication,
  tls: undefined,
  inboxPrefix: undefined,
  domain: undefined
})

let written = 0
/** Drafts of small events of a few actors. */
export const drafts = (count: number): ReadonlyArray<EventDraft> =>
  Array.from({ length: count }, () => {
    const n = ++written
    return {
      id: randomUUID(),
      time: new Date().toISOString(),
      actor: actorId("pod", "default", `web-${n % 5}.v1`),
      subject: undefined,
      actorSequence: Math.floor(n / 5) + 1,
      cause: undefined,
      correlation: undefined,
      traceparent: undefined,
      severity: "INFO",
      command: undefined,
      event: { _tag: "StreamDisconnected", server: "größer ✓", message: `event ${n}` }
    }
  })

export const append = (journal: OpenJournal, count: number): Promise<unknown> =>
  Effect.runPromise(journal.append(drafts(count)))

export const linesOf = async (journal: OpenJournal, from = 1): Promise<ReadonlyArray<string>> =>
  (await Effect.runPromise(Stream.runCollect(journal.read({ from })))).map(({ line }) => line)

export interface Running {
  readonly reports: ReadonlyArray<StreamCommand>
  readonly status: () => PublisherReport
  /** Interrupts it, as the agent does at its end. */
  readonly stop: () => Promise<void>
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

export const startPublisher = async (
  journal: OpenJournal,
  stream: Layer.Layer<EventStream>,
  report: (command: StreamCommand) => Effect.Effect<void> = () => Effect.void
): Promise<Running> => {
  const reports: Array<StreamCommand> = []
  const status = await Effect.runPromise(PublisherStatus.pipe(Effect.provide(PublisherStatus.layer)))
  const fiber = Effect.runFork(
    publishJournal((command) => {
      reports.push(command)
      return report(command)
    }, quickRetries).pipe(
      Effect.provide(Context.make(Journal, journal).pipe(Context.add(PublisherStatus, status))),
      Effect.provide(stream)
    )
  )
  return {
    reports,
    fiber,
    status: () => Effect.runSync(SubscriptionRef.get(status.report)),
    stop: () => Effect.runPromise(Fiber.interrupt(fiber))
  }
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Waits until it is so; fails with what it was instead. */
export const eventually = async (what: string, is: () => boolean | Promise<boolean>, limit = 20_000): Promise<void> => {
  const deadline = Date.now() + limit
  while (!(await is())) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`)
    await pause(10)
  }
}

/** The two are the same, told by the first difference instead of by both in full. */
export const assertSame = (stream: ReadonlyArray<string>, journal: ReadonlyArray<string>): void => {
  const first = stream.findIndex((line, index) => line !== journal[index])
  if (first >= 0) {
    const place = journal.indexOf(stream[first] as string)
    assert.fail(`message ${first + 1} of ${stream.length} is row ${place + 1} of ${journal.length}: ${stream[first]}`)
  }
  assert.equal(stream.length, journal.length)
}

/** A repeatable source of chance in [0, 1): mulberry32. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
