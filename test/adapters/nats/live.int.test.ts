import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Effect, Redacted } from "effect"
import { natsServerMissing, startNats } from "../../../scripts/lab/nats.ts"
import type { NatsTarget } from "../../../src/adapters/nats/connection.ts"
import { layerLive } from "../../../src/adapters/nats/live.ts"
import {
  EventStream,
  type StreamError,
  type StreamSession,
  type StreamSettings
} from "../../../src/adapters/nats/port.ts"
import { contentType } from "../../../src/events/envelope.ts"
import { contents, manage, writeForeign } from "./admin.ts"
import { describeEventStream, messages, settings } from "./event-stream-contract.ts"

const skip = natsServerMissing()
const skipped = skip === undefined ? {} : { skip }
const timeout = 60_000
const start = { sequence: 0, messageId: undefined }

const targetOf = (url: string, changes: Partial<NatsTarget> = {}): NatsTarget => ({
  servers: [url],
  authentication: { _tag: "None" },
  tls: undefined,
  inboxPrefix: undefined,
  domain: undefined,
  ...changes
})

describeEventStream(
  "nats-server",
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "chronode-nats-"))
    const server = await startNats(dir)
    return {
      layer: layerLive(targetOf(server.url), settings),
      goAway: () => server.kill(),
      comeBack: (options) => server.restart(options),
      purge: () => manage(server.url, async (manager) => void (await manager.streams.purge(settings.name))),
      remove: (sequence) =>
        manage(server.url, async (m) => void (await m.streams.deleteMessage(settings.name, sequence))),
      write: (subject, line) => writeForeign(server.url, subject, line),
      lines: async () => (await contents(server.url, settings.name)).map(({ line }) => line),
      reset: () => manage(server.url, async (m) => void (await m.streams.delete(settings.name).catch(() => false))),
      stop: async () => {
        await server.stop()
        rmSync(dir, { recursive: true, force: true })
      }
    }
  },
  skip
)

describe("the live stream on nats-server", { ...skipped }, () => {
  const within = async <A>(
    options: Parameters<typeof startNats>[1],
    use: (server: Awaited<ReturnType<typeof startNats>>) => Promise<A>
  ): Promise<A> => {
    const dir = mkdtempSync(join(tmpdir(), "chronode-nats-"))
    const server = await startNats(dir, options)
    try {
      return await use(server)
    } finally {
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  }
  const session = <A>(
    target: NatsTarget,
    asked: StreamSettings,
    use: (session: StreamSession) => Effect.Effect<A, StreamError>
  ): Promise<A> =>
    Effect.runPromise(
      Effect.scoped(Effect.flatMap(EventStream, (stream) => Effect.flatMap(stream.connect, use))).pipe(
        Effect.provide(layerLive(target, asked))
      )
    )
  const failure = (promise: Promise<unknown>): Promise<StreamError> =>
    promise.then(
      () => assert.fail("it did not fail"),
      (error: StreamError) => error
    )

  it("creates the stream with the limits asked for, on files, and sends the headers of an event", { timeout }, () =>
    within({}, async (server) => {
      const asked = { ...settings, maxAgeSeconds: 7200, maxBytes: 1_000_000, denyDelete: true }
      const [message] = messages(1)
      assert.ok(message)
      await session(targetOf(server.url), asked, (s) =>
        Effect.andThen(s.ensure, Effect.flatten(s.publish([message], start)))
      )
      const { config } = await manage(server.url, (manager) => manager.streams.info(asked.name))
      assert.deepEqual(
        [config.storage, config.discard, config.max_age, config.max_bytes, config.num_replicas, config.deny_delete],
        ["file", "old", 7200e9, 1_000_000, 1, true]
      )
      const [stored] = await contents(server.url, asked.name)
      assert.equal(stored?.subject, message.subject)
      assert.equal(stored?.headers.get("Nats-Msg-Id"), message.id)
      assert.equal(stored?.headers.get("Content-Type"), contentType)
    })
  )

  it("leaves an existing stream as it is and names what differs", { timeout }, () =>
    within({}, async (server) => {
      await manage(server.url, (manager) =>
        manager.streams.add({ name: settings.name, subjects: ["chronode.>"], max_age: 60e9, max_msgs: 5_000 })
      )
      const before = await manage(server.url, (manager) => manager.streams.info(settings.name))
      const ensured = await session(targetOf(server.url), settings, (s) => s.ensure)
      assert.equal(ensured.created, false)
      assert.deepEqual(ensured.differences, [
        "subjects is chronode.>, asked for chronode.lab.>",
        "max_age is 60 s, asked for 3600 s",
        "max_bytes is unlimited, asked for 67108864 bytes",
        "max_msgs is 5000, asked for unlimited"
      ])
      const now = await manage(server.url, (manager) => manager.streams.info(settings.name))
      assert.deepEqual(now.config, before.config)
    })
  )

  it("refuses a stream that cannot serve, and says why", { timeout }, () =>
    within({}, async (server) => {
      await manage(server.url, (manager) => manager.streams.add({ name: settings.name, subjects: ["other.>"] }))
      const elsewhere = await failure(session(targetOf(server.url), settings, (s) => s.ensure))
      assert.equal(elsewhere.reason, "StreamRefused")
      assert.match(elsewhere.message, /listens to other\.>, not to chronode\.lab\.>/u)
      const overlap = await failure(
        session(targetOf(server.url), { ...settings, name: "SECOND", subjects: ["other.a"] }, (s) => s.ensure)
      )
      assert.equal(overlap.reason, "StreamRefused")
      assert.match(overlap.message, /overlap/u)
      const replicas = await failure(
        session(targetOf(server.url), { ...settings, name: "THIRD", replicas: 3 }, (s) => s.ensure)
      )
      assert.equal(replicas.reason, "StreamRefused")
    })
  )

  it("says that a server has no JetStream", { timeout }, () =>
    within({ jetstream: false }, async (server) => {
      const error = await failure(session(targetOf(server.url), settings, (s) => s.ensure))
      assert.equal(error.reason, "JetStreamDisabled")
    })
  )

  it("tells a wrong password from an absent server, without repeating it", { timeout }, () =>
    within({ user: "agent", password: "right-one" }, async (server) => {
      const as = (password: string) =>
        targetOf(server.url, {
          authentication: { _tag: "Password", user: "agent", password: Redacted.make(password) }
        })
      const error = await failure(session(as("wrong-one"), settings, (s) => s.ensure))
      assert.equal(error.reason, "AuthorizationViolation")
      assert.doesNotMatch(`${error.message} ${error.stack} ${JSON.stringify(error)}`, /wrong-one|right-one/u)
      assert.equal((await session(as("right-one"), settings, (s) => s.ensure)).created, true)
      await server.kill()
      assert.equal((await failure(session(as("right-one"), settings, (s) => s.ensure))).reason, "Unavailable")
    })
  )

  it("connects with a token", { timeout }, () =>
    within({ token: "t0ken" }, async (server) => {
      const authentication = { _tag: "Token", token: Redacted.make("t0ken") } as const
      assert.equal((await session(targetOf(server.url, { authentication }), settings, (s) => s.ensure)).created, true)
      assert.equal(
        (await failure(session(targetOf(server.url), settings, (s) => s.ensure))).reason,
        "AuthorizationViolation"
      )
    })
  )

  it("fails publishing at once where it is not permitted", { timeout }, () =>
    within(
      { user: "agent", password: "p", permissions: 'publish: ["$JS.API.>"], subscribe: "_INBOX.>"' },
      async (server) => {
        const target = targetOf(server.url, {
          authentication: { _tag: "Password", user: "agent", password: Redacted.make("p") }
        })
        const error = await failure(
          session(target, settings, (s) => Effect.andThen(s.ensure, Effect.flatten(s.publish(messages(3), start))))
        )
        assert.equal(error.reason, "PermissionDenied")
        assert.match(error.message, /not permitted: publish chronode\.lab/u)
      }
    )
  )

  it("gives up on a server that holds the connection and says nothing", { timeout }, () =>
    within({}, async (server) => {
      const error = await failure(
        session(targetOf(server.url), settings, (s) =>
          Effect.gen(function* () {
            yield* s.ensure
            server.freeze()
            return yield* Effect.flatten(s.publish(messages(3), start))
          })
        )
      )
      assert.equal(error.reason, "TimedOut")
      server.thaw()
      // What was still buffered on the way may be stored: in its place or not at all.
      const lines = (await contents(server.url, settings.name)).map(({ line }) => line)
      assert.deepEqual(
        lines,
        messages(3)
          .map(({ line }) => line)
          .slice(0, lines.length)
      )
    })
  )

  it("names an event that is larger than the server takes", { timeout }, () =>
    within({ config: "max_payload: 1024" }, async (server) => {
      const small = messages(1)
      const large = { subject: "chronode.lab.pod.default.web.Large", id: "the-large-one", line: "x".repeat(2_000) }
      const error = await failure(
        session(targetOf(server.url), settings, (s) =>
          Effect.andThen(s.ensure, Effect.flatten(s.publish([...small, large, ...messages(1)], start)))
        )
      )
      assert.equal(error.reason, "StreamRefused")
      assert.match(error.message, /the-large-one/u)
      assert.equal((await contents(server.url, settings.name)).length, 1)
    })
  )
})
