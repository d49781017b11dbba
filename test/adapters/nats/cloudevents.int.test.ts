/** Our messages, read off a real NATS server by somebody who knows nothing of Chronode: the public CloudEvents SDK. */
import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { jetstream } from "@nats-io/jetstream"
import { type CloudEventV1, HTTP } from "cloudevents"
import { Effect } from "effect"
import { type NatsServer, natsServerMissing, startNats } from "../../../scripts/lab/nats.ts"
import { layerLive } from "../../../src/adapters/nats/live.ts"
import { type CloudEvent, toCloudEvent } from "../../../src/events/envelope.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import type { EventDraft } from "../../../src/events/journal/port.ts"
import { eventually, node, type Running, settings, startPublisher, targetOf } from "../../actors/stream/lab.ts"
import { story } from "../../cli/story.ts"
import { withClient } from "./admin.ts"

const skip = natsServerMissing() ?? false

/** The story, and one event that has every attribute there is. */
const drafts: ReadonlyArray<EventDraft> = [
  ...story,
  {
    ...(story[6] as EventDraft),
    id: "e11",
    subject: "größer ✓",
    cause: "e10",
    correlation: "uid-web",
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    severity: "ERROR",
    command: '{"_tag":"ContainersSeen","at":1}'
  }
]

describe("the CloudEvents SDK", { skip }, () => {
  let directory = ""
  let server: NatsServer
  let publisher: Running
  let recorded: ReadonlyArray<CloudEvent> = []

  before(async () => {
    directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
    server = await startNats(join(directory, "nats"))
    const { journal } = await Effect.runPromise(makeMemoryJournal({ node }))
    recorded = (await Effect.runPromise(journal.append(drafts))).map(toCloudEvent)
    publisher = await startPublisher(journal, layerLive(targetOf(server.url), settings))
    await eventually("everything is published", () => publisher.status().published === drafts.length)
  })
  after(async () => {
    await publisher?.stop()
    await server?.kill()
    await rm(directory, { recursive: true, force: true })
  })

  /** Every message of the stream as the SDK reads it: structured mode, told by the content type alone. */
  const received = (): Promise<ReadonlyArray<CloudEventV1<unknown>>> =>
    withClient({ servers: server.url }, async (connection) => {
      const found: Array<CloudEventV1<unknown>> = []
      const consumer = await jetstream(connection).consumers.get(settings.name)
      for await (const message of await consumer.fetch({ max_messages: drafts.length })) {
        const headers = { "content-type": message.headers?.get("Content-Type") ?? "" }
        const event = HTTP.toEvent<unknown>({ headers, body: message.string() })
        assert.ok(!Array.isArray(event))
        found.push(event as CloudEventV1<unknown>)
      }
      return found
    })

  it("reads each message, with all attributes, extensions and data", { timeout: 60_000 }, async () => {
    const events = await received()
    assert.deepEqual(
      events.map((event) => JSON.parse(JSON.stringify(event))),
      recorded
    )
    const last = events.at(-1)
    assert.ok(last)
    const extensions = ["sequence", "actorsequence", "recordedtime", "causationid", "correlationid", "traceparent"]
    for (const name of [...extensions, "severitytext", "command"]) assert.ok(last[name] !== undefined, name)
  })

  it("finds each of them valid by the specification, also after a change of its own", { timeout: 60_000 }, async () => {
    for (const event of await received()) {
      const { cloneWith } = event as unknown as {
        readonly cloneWith: (options: object) => { readonly validate: () => boolean; readonly handledby: unknown }
      }
      const changed = cloneWith.call(event, { handledby: "a-consumer" })
      assert.deepEqual([changed.validate(), changed.handledby], [true, "a-consumer"])
    }
  })
})
