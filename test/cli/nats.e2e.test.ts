/** Events read from a real NATS server, as another machine would. Each case starts the runtime itself. */
import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { type NatsServer, natsServerMissing, startNats } from "../../scripts/lab/nats.ts"
import { nodeSubjects, subjectOf } from "../../src/events/actor-id.ts"
import { encode } from "../../src/events/envelope.ts"
import type { EventDraft } from "../../src/events/journal/port.ts"
import { requires } from "../support/requires.ts"
import { binary, chronode, runtimesOf, startProgram } from "./program.ts"
import { onTerminal } from "./pseudo-terminal.ts"
import { story } from "./story.ts"

const skip = natsServerMissing() ?? false
const options = { timeout: 60_000, skip }

let directory = ""
let server: NatsServer
let connection: NatsConnection
let client: JetStreamClient

const addStream = async (node: string): Promise<void> => {
  const manager = await jetstreamManager(connection)
  await manager.streams.add({ name: `CHRONODE_${node}`, subjects: [nodeSubjects(node)] })
}
const publish = async (node: string, drafts: ReadonlyArray<EventDraft>, first: number): Promise<void> => {
  for (const [i, draft] of drafts.entries()) {
    const recorded = { ...draft, node, sequence: first + i, recordedTime: draft.time }
    await client.publish(subjectOf(node, draft.actor, draft.event._tag), encode(recorded))
  }
}

before(async () => {
  if (skip !== false) return
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  server = await startNats(join(directory, "nats"), { user: "reader", password: "hunter2" })
  connection = await connect({ servers: server.url, user: "reader", pass: "hunter2" })
  client = jetstream(connection)
  await addStream("node1")
  await publish("node1", story, 1)
})
after(async () => {
  await connection?.close()
  await server?.kill()
  if (directory !== "") await rm(directory, { recursive: true, force: true })
})

const idsOf = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line).id)
const credentials = { NATS_USER: "reader", NATS_PASSWORD: "hunter2" }

for (const runtime of runtimesOf("deno")) {
  describe(`events from NATS on ${runtime}`, () => {
    const events = (...words: ReadonlyArray<string>) =>
      chronode(runtime, ["events", "-o", "json", "--nats", server.url, "--data-dir", directory, ...words], credentials)

    it("are those of the stream, filtered like those of the journal", options, async () => {
      const all = await events("--from", "nats")
      assert.deepEqual([all.code, all.err], [0, ""])
      assert.deepEqual(
        idsOf(all.out),
        story.map(({ id }) => id)
      )
      const ofPod = await events("--from", "nats", "--pod", "default/web")
      assert.deepEqual(idsOf(ofPod.out), ["e2", "e3", "e4", "e5", "e6", "e7", "e8"])
      const ofType = await events("--from", "nats", "--type", "ContainerExited", "--node-name", "node1")
      assert.deepEqual(idsOf(ofType.out), ["e7"])
    })

    it("are read where there is no journal, and stderr says so", options, async () => {
      const { code, out, err } = await events()
      assert.equal(code, 0)
      assert.equal(idsOf(out).length, story.length)
      assert.match(err, /no journal can be read at .*; reading from NATS/u)
    })

    it("are followed until Ctrl-C", options, async () => {
      const node = `live-${runtime}`
      await addStream(node)
      await publish(node, story.slice(0, 2), 1)
      const words = ["events", "--follow", "-o", "json", "--from", "nats", "--nats", server.url, "--node-name", node]
      const following = startProgram(binary, words, { CHRONODE_RUNTIME: runtime, ...credentials })
      await following.printed('"id":"e2"')
      await publish(node, story.slice(2), 3)
      await following.printed('"id":"e10"')
      following.signal("SIGINT")
      const { code, out, err } = await following.finished
      assert.deepEqual([code, err], [0, ""])
      assert.deepEqual(
        idsOf(out),
        story.map(({ id }) => id)
      )
      const manager = await jetstreamManager(connection)
      await manager.streams.delete(`CHRONODE_${node}`)
    })

    it("are refused with a wrong password, which no message repeats", options, async () => {
      const words = ["events", "--from", "nats", "--nats", server.url]
      const { code, err } = await chronode(runtime, words, { NATS_USER: "reader", NATS_PASSWORD: "hunter3" })
      assert.equal(code, 1)
      assert.match(err, /authorization violation/iu)
      assert.ok(!err.includes("hunter3"))
    })

    it("of a node without a stream are missing, with exit code 1", options, async () => {
      const { code, err } = await events("--from", "nats", "--node-name", "nobody")
      assert.equal(code, 1)
      assert.equal(err, "chronode: NATS: there is no stream CHRONODE_nobody\n  chronode doctor says more\n")
    })

    it("at what is no URL are wrong usage", options, async () => {
      const { code, out, err } = await chronode(runtime, ["events", "--from", "nats", "--nats", "http://x"])
      assert.deepEqual({ code, out }, { code: 2, out: "" })
      assert.equal(err, "chronode: --nats: is no nats:// or tls:// URL\nsee: chronode events --help\n")
    })

    it("and the doctor finds the server good, and one without credentials not", options, async () => {
      const words = ["doctor", "-o", "json", "--nats", server.url, "--data-dir", directory]
      const natsOf = (text: string) =>
        JSON.parse(text).checks.find(({ name }: { readonly name: string }) => name === "nats")
      const good = natsOf((await chronode(runtime, words, credentials)).out)
      assert.equal(good.status, "ok", JSON.stringify(good))
      assert.match(good.found, /nats-server \d+\.\d+\.\d+ at .* with JetStream/u)
      const bad = natsOf((await chronode(runtime, words)).out)
      assert.equal(bad.status, "fail")
      assert.match(bad.mend, /--creds/u)
    })
  })
}

describe("top", () => {
  const onScreen = { ...options, skip: skip === false ? requires("script").skip : skip }
  it("shows a node by what it published, and says that there are others", onScreen, async () => {
    await addStream("node2")
    await publish("node2", story.slice(0, 1), 1)
    const words = ["top", "--from", "nats", "--nats", server.url]
    const { code, out, err } = await chronode(
      "bun",
      [...words, "-o", "json", "--filter", "severity >= WARN"],
      credentials
    )
    const { node, sequence, pods, newest } = JSON.parse(out)
    assert.deepEqual(
      [code, node.name, sequence, pods[0].restarts, newest.map(({ id }: { readonly id: string }) => id)],
      [0, "node1", 10, 1, ["e7", "e6", "e4"]]
    )
    assert.equal(err, "chronode: events of 1 other node are left out; --node-name names the one to show\n")
    const terminal = onTerminal(
      `${binary} ${words.join(" ")} --node-name node1`,
      { columns: 80, rows: 24 },
      credentials
    )
    await terminal.shows((lines) => lines.some((line) => line?.includes("head 10")), "the newest event")
    terminal.type("\r")
    await terminal.shows(
      (lines) => lines.some((line) => line?.includes("It was set off 4s before")),
      "why, from what is kept"
    )
    terminal.type("qq")
    assert.equal(await terminal.finished, 0)
  })
})
