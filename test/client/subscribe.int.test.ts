/** The library against a real nats-server that is restarted, and whose streams are made anew. */
import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, afterEach, before, describe, it } from "node:test"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import { type NatsServer, natsServerMissing, startNats } from "../../scripts/lab/nats.ts"
import type { Delivery } from "../../src/client/delivery.ts"
import type { SubscribeOptions } from "../../src/client/options.ts"
import { subscribe, subscribeLooking } from "../../src/client/subscribe.ts"
import { nodeSubjects, nodeToken, subjectOf } from "../../src/events/actor-id.ts"
import { encode } from "../../src/events/envelope.ts"
import { manage, withClient } from "../adapters/nats/admin.ts"
import { story } from "../cli/story.ts"

const skip = natsServerMissing() ?? false
const options = { timeout: 60_000 }
const ids = story.map(({ id }) => id)

describe("subscribing with the library", { skip }, () => {
  let directory = ""
  let server: NatsServer

  const connect = () => ({ servers: server.url, reconnectTimeWait: 50 })
  const streamOf = (node: string) => `CHRONODE_${nodeToken(node)}`
  const create = (node: string, name = streamOf(node), subjects = nodeSubjects(node)) =>
    manage(server.url, async (m) => void (await m.streams.add({ name, subjects: [subjects] })))
  const remove = (node: string) => manage(server.url, async (m) => void (await m.streams.delete(streamOf(node))))
  /** The story's events from one on, as this node's; behind a prefix of their subjects. */
  const publish = (node: string, from = 1, to = story.length, prefix = "") =>
    withClient({ servers: server.url }, async (connection) => {
      const client = jetstream(connection)
      for (const [i, draft] of story.entries()) {
        if (i + 1 < from || i + 1 > to) continue
        const recorded = { ...draft, node, sequence: i + 1, recordedTime: draft.time }
        await client.publish(prefix + subjectOf(node, draft.actor, draft.event._tag), encode(recorded))
      }
    })
  /** So many deliveries; then the loop is left. */
  const take = async (count: number, asked: SubscribeOptions, each: (d: Delivery) => unknown = () => {}) => {
    const taken: Array<Delivery> = []
    if (count === 0) return taken
    for await (const delivery of subscribeLooking({ connect: connect(), ...asked }, 250)) {
      taken.push(delivery)
      await each(delivery)
      if (taken.length === count) break
    }
    return taken
  }
  const idsOf = (deliveries: ReadonlyArray<Delivery>) => deliveries.map(({ event }) => event.id)

  before(async () => {
    directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
    server = await startNats(join(directory, "nats"))
  })
  afterEach(() =>
    manage(server.url, async (m) => {
      for await (const { config } of m.streams.list()) await m.streams.delete(config.name)
    })
  )
  after(async () => {
    await server?.kill()
    await rm(directory, { recursive: true, force: true })
  })

  it("gives what is stored and then what comes, in order, with its place in the stream", options, async () => {
    await create("edge.7")
    await publish("edge.7", 1, 6)
    const taken = await take(10, { node: "edge.7" }, async ({ event }) => {
      if (event.id === "e6") await publish("edge.7", 7)
    })
    assert.deepEqual(idsOf(taken), ids)
    const last = taken[6]
    assert.equal(last?.event.tag === "ContainerExited" ? last.event.data.exitCode : undefined, 137)
    assert.deepEqual(
      [last?.subject, last?.stream, last?.streamSequence, last?.event.node],
      ["chronode.edge_7.pod.default.web.ContainerExited", "CHRONODE_edge_7", 7, "edge.7"]
    )
  })

  it("gives only what is selected, by one value or several", options, async () => {
    await create("a")
    await publish("a")
    assert.deepEqual(idsOf(await take(2, { node: "a", kind: "probe" })), ["e4", "e5"])
    assert.deepEqual(idsOf(await take(1, { node: "a", type: "ContainerExited" })), ["e7"])
    const several = { node: "a", type: ["ContainerExited", "NodeStopped"] } as const
    assert.deepEqual(idsOf(await take(2, several)), ["e7", "e9"])
    assert.deepEqual(idsOf(await take(1, { node: "a", name: "web.v2" })), ["e10"])
  })

  it("begins at a place, at a time, or with what is new", options, async () => {
    await create("a")
    await publish("a", 1, 2)
    // Times on the wire have milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 20))
    await publish("a", 3, 8)
    assert.deepEqual(idsOf(await take(2, { node: "a", from: { streamSequence: 7 } })), ["e7", "e8"])
    const [third] = await take(1, { node: "a", from: { streamSequence: 3 } })
    assert.deepEqual(idsOf(await take(1, { node: "a", from: { time: third?.storedAt as Date }, name: "web" })), ["e3"])
    const subscription = subscribe({ node: "a", from: "new", connect: connect() })
    const next = subscription[Symbol.asyncIterator]().next()
    await new Promise((resolve) => setTimeout(resolve, 500))
    await publish("a", 9, 9)
    assert.equal((await next).value?.event.id, "e9")
    await subscription.close()
  })

  it("remembers what was acknowledged to a durable consumer, and gives the rest again", options, async () => {
    await create("a")
    await publish("a")
    const durable = { node: "a", durable: "worker", ackWait: 300 }
    const first = await take(5, durable, (delivery) => (delivery.event.id === "e3" ? false : delivery.ackConfirmed()))
    assert.deepEqual(idsOf(first), ids.slice(0, 5))
    const rest = await take(6, durable, (delivery) => delivery.ackConfirmed())
    assert.deepEqual(new Set(idsOf(rest)), new Set(["e3", ...ids.slice(5)]))
    assert.deepEqual(rest.find(({ event }) => event.id === "e3")?.deliveries, 2)
    const nothing = subscribe({ ...durable, connect: connect(), signal: AbortSignal.timeout(700) })
    for await (const { event } of nothing) assert.fail(`${event.id} was acknowledged and came again`)
  })

  it("has an event come again on request, and never again when it is given up", options, async () => {
    await create("a")
    await publish("a", 1, 2)
    const durable = { node: "a", durable: "worker" }
    const taken = await take(3, durable, ({ ack, deliveries, event, nak, term }) => {
      if (event.id === "e1") term("cannot be dealt with")
      else if (deliveries === 1) nak()
      else ack()
    })
    assert.deepEqual(idsOf(taken), ["e1", "e2", "e2"])
  })

  it("refuses a durable consumer that selects something else", options, async () => {
    await create("a")
    await publish("a", 1, 1)
    await take(1, { node: "a", durable: "worker" }, ({ ackConfirmed }) => ackConfirmed())
    await assert.rejects(
      take(1, { node: "a", durable: "worker", kind: "pod" }),
      /worker of CHRONODE_a selects everything/u
    )
  })

  it("reads the streams of all nodes, also of one that comes later", options, async () => {
    await create("a")
    await create("b")
    await publish("a", 1, 2)
    await publish("b", 1, 2)
    const taken = await take(6, {}, async (_) => {
      if (_.event.id !== "e2" || _.event.node !== "a") return
      await create("c")
      await publish("c", 1, 2)
    })
    const of = (node: string) => taken.filter(({ event }) => event.node === node).map(({ event }) => event.id)
    assert.deepEqual(
      [of("a"), of("b"), of("c")],
      [
        ["e1", "e2"],
        ["e1", "e2"],
        ["e1", "e2"]
      ]
    )
  })

  it("goes on over a restart of the server, without losing or doubling an event", options, async () => {
    await create("a")
    await publish("a", 1, 5)
    const taken = await take(10, { node: "a" }, async ({ event }) => {
      if (event.id !== "e5") return
      await server.restart()
      await publish("a", 6)
    })
    assert.deepEqual(idsOf(taken), ids)
  })

  it("reads a stream that was made anew from its beginning, also with a durable consumer", options, async () => {
    for (const durable of [{}, { durable: "worker" }]) {
      await create("a")
      await publish("a", 1, 3)
      const taken = await take(5, { node: "a", ...durable }, async ({ ack, event }) => {
        ack()
        if (event.id !== "e3") return
        await remove("a")
        await create("a")
        await publish("a", 1, 2)
      })
      assert.deepEqual(idsOf(taken), ["e1", "e2", "e3", "e1", "e2"])
      await remove("a")
    }
  })

  it("waits for a stream if asked to, and says what is missing if not", options, async () => {
    await assert.rejects(take(1, { node: "late" }), /no stream of node late holds chronode\.late\.>/u)
    const waiting = take(1, { node: "late", wait: true })
    await new Promise((resolve) => setTimeout(resolve, 300))
    await create("late")
    await publish("late", 1, 1)
    assert.deepEqual(idsOf(await waiting), ["e1"])
  })

  it("asks for no more than its buffer while the loop is busy", options, async () => {
    await create("a")
    for (let round = 0; round < 5; round++) await publish("a")
    const durable = { node: "a", durable: "slow", buffer: 4 }
    await take(1, durable, async () => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      await manage(server.url, async (m) => {
        const { num_ack_pending } = await m.consumers.info(streamOf("a"), "slow")
        assert.equal(num_ack_pending, 4)
      })
    })
  })

  it("keeps unknown types raw, tells of what is no event, and reads replays under their prefix", options, async () => {
    await create("a", "REPLAY", "replay.>")
    const told: Array<string> = []
    await publish("a", 1, 1, "replay.")
    await withClient({ servers: server.url }, async (connection) => {
      const subject = "replay.chronode.a.pod.default.web"
      await jetstream(connection).publish(`${subject}.Nonsense`, "nonsense")
      const [draft] = story
      assert.ok(draft)
      const line = encode({ ...draft, node: "a", sequence: 2, recordedTime: draft.time })
      await jetstream(connection).publish(
        `${subject}.Newer`,
        line.replace("dev.chronode.ManifestRead", "dev.chronode.Newer")
      )
    })
    const taken = await take(2, {
      stream: "REPLAY",
      subjectPrefix: "replay",
      onNoEvent: (problem, { text }) => told.push(`${text}: ${problem}`)
    })
    assert.deepEqual(
      taken.map(({ event }) => [event.tag, event.type]),
      [
        ["ManifestRead", "dev.chronode.ManifestRead.v1"],
        ["Unknown", "dev.chronode.Newer.v1"]
      ]
    )
    assert.deepEqual([told.length, told[0]?.startsWith("nonsense: ")], [1, true])
  })

  it("ends when the signal says so, when it is closed, and at once when that was said before", options, async () => {
    await create("a")
    await publish("a")
    const controller = new AbortController()
    const seen: Array<string> = []
    for await (const { event } of subscribe({ node: "a", connect: connect(), signal: controller.signal })) {
      seen.push(event.id)
      if (event.id === "e4") controller.abort()
    }
    assert.deepEqual(seen, ["e1", "e2", "e3", "e4"])
    for await (const _ of subscribe({ node: "a", connect: connect(), signal: AbortSignal.abort() })) assert.fail()
    await withClient({ servers: server.url }, async (connection) => {
      const subscription = subscribe({ node: "a", connect: connection })
      for await (const { event } of subscription) if (event.id === "e10") await subscription.close()
      assert.equal(connection.isClosed(), false, "a connection that was given stays open")
    })
  })

  it("needs no more rights than docs/subscribing.md says", options, async () => {
    const rights = `publish: ["$JS.API.STREAM.INFO.CHRONODE_a", "$JS.API.CONSUMER.*.CHRONODE_a.>",
      "$JS.API.CONSUMER.DURABLE.CREATE.CHRONODE_a.>", "$JS.API.CONSUMER.MSG.NEXT.CHRONODE_a.>", "$JS.ACK.CHRONODE_a.>"],
      subscribe: "_INBOX.>"`
    const users = `{ user: admin, password: a }, { user: reader, password: r, permissions: { ${rights} } }`
    const guarded = await startNats(join(directory, "guarded"), { config: `authorization { users: [${users}] }` })
    try {
      await withClient({ servers: guarded.url, user: "admin", pass: "a" }, async (connection) => {
        await (await jetstreamManager(connection)).streams.add({ name: "CHRONODE_a", subjects: ["chronode.a.>"] })
        for (const [i, draft] of story.entries()) {
          const recorded = { ...draft, node: "a", sequence: i + 1, recordedTime: draft.time }
          await jetstream(connection).publish(subjectOf("a", draft.actor, draft.event._tag), encode(recorded))
        }
      })
      const asked = { node: "a", connect: { servers: guarded.url, user: "reader", pass: "r" } }
      assert.deepEqual(idsOf(await take(10, asked)), ids)
      const confirmed: Array<boolean> = []
      const kept = { ...asked, durable: "worker", type: "ContainerExited" as const }
      await take(1, kept, async ({ ackConfirmed }) => confirmed.push(await ackConfirmed()))
      assert.deepEqual(confirmed, [true])
    } finally {
      await guarded.kill()
    }
  })

  it("fails where the server cannot be reached or is left", options, async () => {
    await assert.rejects(take(1, { node: "a", connect: { servers: "nats://127.0.0.1:1" } }), /refused/iu)
    await create("a")
    await withClient({ servers: server.url }, async (connection) => {
      const next = subscribe({ node: "a", connect: connection })[Symbol.asyncIterator]().next()
      await new Promise((resolve) => setTimeout(resolve, 300))
      await connection.close()
      await assert.rejects(next, /connection was closed|closed/u)
    })
  })
})
