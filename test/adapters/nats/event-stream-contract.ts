/** What every `EventStream` must keep. The subject under test brings a server that it can be made to fail with. */
import assert from "node:assert/strict"
import { after, afterEach, before, describe, it } from "node:test"
import { Effect, Fiber, type Layer, type Scope } from "effect"
import {
  EventStream,
  maxWindow,
  type OutgoingMessage,
  type StreamError,
  type StreamSession,
  type StreamSettings
} from "../../../src/adapters/nats/port.ts"

export const settings: StreamSettings = {
  name: "CHRONODE_lab",
  subjects: ["chronode.lab.>"],
  maxAgeSeconds: 3600,
  maxBytes: 64 * 1024 * 1024,
  replicas: 1,
  denyDelete: false
}

export interface Subject {
  readonly layer: Layer.Layer<EventStream>
  readonly goAway: () => Promise<void>
  readonly comeBack: (options: { readonly wipe: boolean }) => Promise<void>
  readonly purge: () => Promise<void>
  readonly remove: (streamSequence: number) => Promise<void>
  /** What another client writes. */
  readonly write: (subject: string, line: string) => Promise<void>
  /** The stream's content, oldest first. */
  readonly lines: () => Promise<ReadonlyArray<string>>
  /** Makes the server as new, for the next test. */
  readonly reset: () => Promise<void>
  readonly stop: () => Promise<void>
}

let ids = 0
export const messages = (count: number, from = 1): ReadonlyArray<OutgoingMessage> =>
  Array.from({ length: count }, (_, index) => {
    const line = `{"n":${from + index},"text":"größer als ASCII: ✓"}`
    return { subject: `chronode.lab.pod.default.web.Tested${index % 3}`, id: `id-${++ids}`, line }
  })

const timeout = 60_000

export const describeEventStream = (name: string, make: () => Promise<Subject>, skip: string | undefined): void => {
  describe(`event stream: ${name}`, { ...(skip === undefined ? {} : { skip }) }, () => {
    let subject: Subject
    const run = <A, E>(effect: Effect.Effect<A, E, EventStream | Scope.Scope>): Promise<A> =>
      Effect.runPromise(Effect.provide(Effect.scoped(effect), subject.layer))
    const connected = <A>(use: (session: StreamSession) => Effect.Effect<A, StreamError>): Promise<A> =>
      run(Effect.flatMap(EventStream, (stream) => Effect.flatMap(stream.connect, use)))
    const publish = (session: StreamSession, batch: ReadonlyArray<OutgoingMessage>, behind: number) =>
      Effect.flatten(session.publish(batch, { sequence: behind, messageId: undefined }))
    const reasonOf = (effect: Effect.Effect<unknown, StreamError>) =>
      Effect.map(Effect.flip(effect as Effect.Effect<never, StreamError>), (error) => error.reason)

    before(async () => {
      subject = await make()
    })
    afterEach(() => subject.reset())
    after(() => subject.stop())

    it("creates the stream once, and says that it is absent before", { timeout }, async () => {
      await connected((session) =>
        Effect.gen(function* () {
          assert.equal(yield* reasonOf(session.state), "StreamAbsent")
          const first = yield* session.ensure
          assert.equal(first.created, true)
          assert.deepEqual(first.differences, [])
          assert.deepEqual(
            { ...first.state, createdAt: "" },
            { createdAt: "", messages: 0, firstSequence: 1, lastSequence: 0 }
          )
          const second = yield* session.ensure
          assert.equal(second.created, false)
          assert.equal(second.state.createdAt, first.state.createdAt)
          assert.match(session.serverVersion, /^\d+\.\d+/u)
        })
      )
    })

    it("stores a window in order and gives it back byte for byte", { timeout }, async () => {
      const batch = messages(maxWindow)
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          assert.deepEqual(yield* publish(session, batch, 0), { messages: maxWindow, lastSequence: maxWindow })
          const last = yield* session.message(maxWindow)
          assert.equal(last?.line, batch.at(-1)?.line)
          assert.equal(last?.subject, batch.at(-1)?.subject)
          assert.equal(last?.streamSequence, maxWindow)
          assert.equal(last?.expectedAfter, maxWindow - 1)
          assert.equal((yield* session.state).lastSequence, maxWindow)
        })
      )
      assert.deepEqual(
        await subject.lines(),
        batch.map(({ line }) => line)
      )
    })

    it("takes several windows at once and stores them in the order of the calls", { timeout }, async () => {
      const [one, two, three] = [messages(20), messages(20, 21), messages(20, 41)]
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          const first = yield* session.publish(one, { sequence: 0, messageId: undefined })
          const second = yield* session.publish(two, { sequence: 20, messageId: one.at(-1)?.id })
          const third = yield* session.publish(three, { sequence: 40, messageId: two.at(-1)?.id })
          assert.deepEqual(
            [(yield* third).lastSequence, (yield* first).lastSequence, (yield* second).lastSequence],
            [60, 20, 40]
          )
        })
      )
      assert.deepEqual(
        await subject.lines(),
        [...one, ...two, ...three].map(({ line }) => line)
      )
    })

    it("answers an empty window at once", { timeout }, async () => {
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          assert.deepEqual(yield* publish(session, [], 7), { messages: 0, lastSequence: 7 })
        })
      )
    })

    it("stores nothing of a window whose place is taken", { timeout }, async () => {
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          yield* publish(session, messages(3), 0)
          const batch = messages(5)
          const late = yield* session.publish(batch, { sequence: 2, messageId: undefined })
          const later = yield* session.publish(messages(5), { sequence: 7, messageId: batch.at(-1)?.id })
          assert.equal(yield* reasonOf(late), "WrongLastSequence")
          assert.equal(yield* reasonOf(later), "WrongLastSequence")
          assert.equal((yield* session.state).lastSequence, 3)
        })
      )
    })

    it("stores nothing behind another client's message that got in between", { timeout }, async () => {
      const ours = messages(4)
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          yield* publish(session, ours.slice(0, 2), 0)
          yield* Effect.promise(() => subject.write("chronode.lab.foreign", "not ours"))
          assert.equal(yield* reasonOf(publish(session, ours.slice(2), 2)), "WrongLastSequence")
          assert.equal((yield* session.message(3))?.expectedAfter, undefined)
          assert.equal((yield* publish(session, ours.slice(2), 3)).lastSequence, 5)
        })
      )
      assert.deepEqual(await subject.lines(), [ours[0]?.line, ours[1]?.line, "not ours", ours[2]?.line, ours[3]?.line])
    })

    it("stores nothing of what follows when another client's message takes the first place", { timeout }, async () => {
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          const [one, two] = [messages(3), messages(3)]
          yield* Effect.promise(() => subject.write("chronode.lab.foreign", "not ours"))
          const first = yield* session.publish(one, { sequence: 0, messageId: undefined })
          // Behind one.at(0)'s place stands the stranger, and one.at(1) would fit by sequence alone.
          const second = yield* session.publish(two, { sequence: 1, messageId: one.at(0)?.id })
          assert.equal(yield* reasonOf(first), "WrongLastSequence")
          assert.equal(yield* reasonOf(second), "WrongLastSequence")
        })
      )
      assert.deepEqual(await subject.lines(), ["not ours"])
    })

    it("takes a window that was stored already for stored", { timeout }, async () => {
      const batch = messages(10)
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          yield* publish(session, batch, 0)
          assert.deepEqual(yield* publish(session, batch, 0), { messages: 10, lastSequence: 10 })
          assert.equal((yield* session.state).messages, 10)
        })
      )
    })

    it("says which messages the stream has had at another place", { timeout }, async () => {
      const batch = messages(10)
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          yield* publish(session, batch.slice(0, 4), 0)
          yield* Effect.promise(() => subject.write("chronode.lab.foreign", "not ours"))
          // 0 to 3 stand at 1 to 4 already; the rest has to be sent again behind 5.
          assert.deepEqual(yield* publish(session, batch, 5), { messages: 4, lastSequence: 5 })
          assert.deepEqual(yield* publish(session, batch.slice(4), 5), { messages: 6, lastSequence: 11 })
        })
      )
    })

    it("keeps its last sequence when it is purged", { timeout }, async () => {
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          yield* publish(session, messages(10), 0)
          const { createdAt } = yield* session.state
          yield* Effect.promise(() => subject.purge())
          const state = yield* session.state
          assert.deepEqual(state, { createdAt, messages: 0, firstSequence: 11, lastSequence: 10 })
          assert.equal(yield* session.message(10), undefined)
          assert.equal((yield* publish(session, messages(1), 10)).lastSequence, 11)
        })
      )
    })

    it("has nothing where a message was deleted", { timeout }, async () => {
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          yield* publish(session, messages(3), 0)
          yield* Effect.promise(() => subject.remove(2))
          assert.equal(yield* session.message(2), undefined)
          assert.equal((yield* session.message(3))?.streamSequence, 3)
        })
      )
    })

    it("fails a session at once when the server goes away, and connects to it again later", { timeout }, async () => {
      await connected((session) =>
        Effect.gen(function* () {
          yield* session.ensure
          yield* publish(session, messages(2), 0)
          const broken = yield* Effect.forkChild(Effect.flip(session.broken))
          yield* Effect.promise(() => subject.goAway())
          assert.equal((yield* Fiber.join(broken)).reason, "Unavailable")
          assert.equal(yield* reasonOf(session.state), "Unavailable")
          assert.equal(yield* reasonOf(publish(session, messages(2), 2)), "Unavailable")
        })
      )
      assert.equal(await connected(() => Effect.void).catch((error: StreamError) => error.reason), "Unavailable")
      await subject.comeBack({ wipe: false })
      assert.equal(await connected((session) => Effect.map(session.state, (state) => state.lastSequence)), 2)
    })

    it("tells a recreated stream from the one that was", { timeout }, async () => {
      const fill = (session: StreamSession) =>
        Effect.gen(function* () {
          const { created, state } = yield* session.ensure
          yield* publish(session, messages(1), 0)
          return { created, createdAt: state.createdAt }
        })
      const one = await connected(fill)
      await subject.goAway()
      await subject.comeBack({ wipe: true })
      const two = await connected(fill)
      assert.equal(two.created, true)
      assert.notEqual(two.createdAt, one.createdAt)
    })

    it("refuses to publish where the stream is gone", { timeout }, async () => {
      await connected((session) =>
        Effect.gen(function* () {
          assert.equal(yield* reasonOf(publish(session, messages(2), 0)), "StreamAbsent")
        })
      )
    })
  })
}
