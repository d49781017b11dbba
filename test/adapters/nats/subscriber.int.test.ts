import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, afterEach, before, describe, it } from "node:test"
import { jetstream } from "@nats-io/jetstream"
import { Effect, Fiber, Stream } from "effect"
import { type NatsServer, natsServerMissing, startNats } from "../../../scripts/lab/nats.ts"
import type { NatsTarget } from "../../../src/adapters/nats/connection.ts"
import type { StreamError } from "../../../src/adapters/nats/port.ts"
import { readEvents } from "../../../src/adapters/nats/read.ts"
import { readStream, type StreamedLine, type StreamRequest } from "../../../src/adapters/nats/subscriber.ts"
import { manage, withClient } from "./admin.ts"

const skip = natsServerMissing()
const timeout = 60_000
const stream = "CHRONODE_one"

describe("reading a stream", { ...(skip === undefined ? {} : { skip }) }, () => {
  let server: NatsServer
  let dir: string
  let target: NatsTarget

  const create = (name: string, node: string) =>
    manage(server.url, async (m) => void (await m.streams.add({ name, subjects: [`chronode.${node}.>`] })))
  const publish = (from: number, to: number, subject = "chronode.one.pod.default.web.ContainerExited") =>
    withClient({ servers: server.url }, async (connection) => {
      const client = jetstream(connection)
      for (let n = from; n <= to; n++) await client.publish(subject, `line ${n}`)
    })
  const all = (request: Omit<StreamRequest, "stream" | "follow">): Promise<ReadonlyArray<StreamedLine>> =>
    Effect.runPromise(Stream.runCollect(readStream(target, { stream, follow: false, ...request })))
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`)

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "chronode-nats-"))
    server = await startNats(dir)
    const authentication = { _tag: "None" } as const
    target = { servers: [server.url], authentication, tls: undefined, inboxPrefix: undefined, domain: undefined }
  })
  afterEach(() =>
    manage(server.url, async (m) => {
      for await (const { config } of m.streams.list()) await m.streams.delete(config.name)
    })
  )
  after(async () => {
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  it("gives everything that is there, in order, and ends", { timeout }, async () => {
    await create(stream, "one")
    await publish(1, 1_200)
    const read = await all({ from: { _tag: "First" } })
    assert.deepEqual(
      read.map(({ line }) => line),
      lines(1, 1_200)
    )
    assert.deepEqual(
      [read[0]?.streamSequence, read[0]?.subject, read[0]?.stream],
      [1, "chronode.one.pod.default.web.ContainerExited", stream]
    )
  })

  it("ends at once where there is nothing", { timeout }, async () => {
    await create(stream, "one")
    assert.deepEqual(await all({ from: { _tag: "First" } }), [])
    await publish(1, 3)
    assert.deepEqual(await all({ from: { _tag: "First" }, subject: "chronode.one.volume.>" }), [])
    assert.deepEqual(await all({ from: { _tag: "Sequence", sequence: 4 } }), [])
  })

  it("begins at a sequence or at a time", { timeout }, async () => {
    await create(stream, "one")
    await publish(1, 5)
    const [, , , fourth] = await all({ from: { _tag: "First" } })
    assert.ok(fourth)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const between = Date.now()
    await publish(6, 8)
    const texts = async (request: Omit<StreamRequest, "stream" | "follow">) =>
      (await all(request)).map(({ line }) => line)
    assert.deepEqual(await texts({ from: { _tag: "Sequence", sequence: 4 } }), lines(4, 8))
    assert.deepEqual(await texts({ from: { _tag: "Time", at: between } }), lines(6, 8))
    assert.ok(fourth.storedAt <= between && fourth.storedAt > between - 60_000)
  })

  it("gives only the subjects asked for", { timeout }, async () => {
    await create(stream, "one")
    await publish(1, 3)
    await publish(4, 5, "chronode.one.probe.default.web_app_liveness.ProbeFailed")
    await publish(6, 6)
    const read = await all({ from: { _tag: "First" }, subject: "chronode.*.pod.default.*.ContainerExited" })
    assert.deepEqual(
      read.map(({ line }) => line),
      [...lines(1, 3), ...lines(6, 6)]
    )
  })

  it("says that there is no such stream", { timeout }, async () => {
    const error = await all({ from: { _tag: "First" } }).catch((failed: StreamError) => failed)
    assert.equal((error as StreamError).reason, "StreamAbsent")
  })

  it("follows over a restart of the server, each line once", { timeout }, async () => {
    await create(stream, "one")
    await publish(1, 10)
    const following = Effect.runFork(
      Stream.runCollect(Stream.take(readStream(target, { stream, from: { _tag: "First" }, follow: true }), 30))
    )
    await publish(11, 15)
    await server.restart()
    await publish(16, 30)
    const read = await Effect.runPromise(Fiber.join(following))
    assert.deepEqual(
      read.map(({ line }) => line),
      lines(1, 30)
    )
  })

  it("follows the stream that is made anew after a wipe, from its beginning", { timeout }, async () => {
    await create(stream, "one")
    await publish(1, 10)
    const following = Effect.runFork(
      Stream.runCollect(Stream.take(readStream(target, { stream, from: { _tag: "First" }, follow: true }), 15))
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    await server.restart({ wipe: true })
    await create(stream, "one")
    await publish(101, 105)
    const read = await Effect.runPromise(Fiber.join(following))
    assert.deepEqual(
      read.map(({ line }) => line),
      [...lines(1, 10), ...lines(101, 105)]
    )
  })

  it("reads the streams of all nodes for the command line, or of one", { timeout }, async () => {
    await create(stream, "one")
    await create("CHRONODE_two", "two")
    await publish(1, 2)
    await publish(3, 4, "chronode.two.pod.default.web.ContainerExited")
    const read = (node: string | undefined) =>
      Effect.runPromise(
        Stream.runCollect(
          readEvents(
            { nats: server.url },
            { subject: "chronode.*.*.*.*.ContainerExited", since: undefined, follow: false, node }
          )
        )
      )
    assert.deepEqual(await read(undefined), lines(1, 4))
    assert.deepEqual(await read("two"), lines(3, 4))
    await assert.rejects(read("three"), (error: StreamError) => error.reason === "StreamAbsent")
  })
})
