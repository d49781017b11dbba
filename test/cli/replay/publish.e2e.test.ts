/** An incident played back onto a real NATS server. Each case starts the runtime itself. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { jetstreamManager } from "@nats-io/jetstream"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { type NatsServer, natsServerMissing, startNats } from "../../../scripts/lab/nats.ts"
import { subjectOf } from "../../../src/events/actor-id.ts"
import { contents } from "../../adapters/nats/admin.ts"
import { binary, chronode, runtimesOf } from "../program.ts"
import { story } from "../story.ts"
import { writeJournal } from "../write-journal.ts"

const skip = natsServerMissing() ?? false
const options = { timeout: 60_000, skip }

let directory = ""
let file = ""
let server: NatsServer
let connection: NatsConnection

before(async () => {
  if (skip !== false) return
  directory = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "t-"))
  server = await startNats(join(directory, "nats"))
  connection = await connect({ servers: server.url })
  await writeJournal(join(directory, "data"), story)
  file = join(directory, "incident.ndjson")
  const exported = await chronode("bun", ["export", "--out", file, "--data-dir", join(directory, "data")])
  assert.equal(exported.code, 0, exported.err)
})
after(async () => {
  await connection?.close()
  await server?.kill()
  if (directory !== "") await rm(directory, { recursive: true, force: true })
})

const subjects = (prefix: string) => story.map(({ actor, event }) => prefix + subjectOf("node1", actor, event._tag))
/** The events of the file as they were stored, with the chain's head after each. */
const storedEvents = async () =>
  (await readFile(file, "utf8"))
    .split("\n")
    .slice(1, -1)
    .map((text) => {
      const line = text.replace(/(?:,"chainprev":"[0-9a-f]+")?,"chainhash":"[0-9a-f]+"\}$/u, "}")
      const { id, sequence } = JSON.parse(line)
      return { line, id, head: `${Number(sequence)}:${/"chainhash":"([0-9a-f]+)"\}$/u.exec(text)?.[1]}` }
    })

for (const runtime of runtimesOf("deno")) {
  describe(`playback on ${runtime}`, () => {
    const play = (...words: ReadonlyArray<string>) =>
      chronode(runtime, ["replay", file, "--publish", server.url, "--speed", "max", ...words])

    it("reaches a subscriber with the same events in the same order, under the prefix", options, async () => {
      const prefix = `again.${runtime}.`
      const subscription = connection.subscribe(`${prefix}>`, { max: story.length })
      await connection.flush()
      const finished = await play("--subject-prefix", prefix)
      assert.deepEqual([finished.code, finished.err], [0, ""])
      assert.equal(
        finished.out,
        `published 10 events under ${prefix}> to 127.0.0.1:${server.port}; no stream takes them\n`
      )
      const received = []
      for await (const message of subscription) received.push(message)
      assert.deepEqual(
        received.map(({ subject }) => subject),
        subjects(prefix)
      )
      assert.deepEqual(
        received.map((message) => ({
          line: message.string(),
          id: message.headers?.get("Nats-Msg-Id"),
          head: message.headers?.get("Chronode-Chain-Head")
        })),
        await storedEvents()
      )
      assert.ok(received.every(({ headers }) => headers?.get("Content-Type") === "application/cloudevents+json"))
    })

    it("is stored by a stream that takes the subjects, and not twice unless asked for", options, async () => {
      const stream = `REPLAY_${runtime}`
      const prefix = `kept.${runtime}`
      const manager = await jetstreamManager(connection)
      await manager.streams.add({ name: stream, subjects: [`${prefix}.>`] })
      const first = await play("--subject-prefix", prefix, "-o", "json")
      const counted = { published: 10, stored: 10, duplicates: 0 }
      const { published, stored, duplicates, streams } = JSON.parse(first.out)
      assert.deepEqual({ published, stored, duplicates, streams }, { ...counted, streams: [stream] })
      const again = await play("--subject-prefix", prefix)
      assert.deepEqual([again.code, /10 of them were in the stream already/u.test(again.err)], [0, true], again.err)
      const fresh = await play("--subject-prefix", prefix, "--fresh-ids", "--until", "e3")
      assert.deepEqual([fresh.code, fresh.err], [0, ""])
      const lines = (await contents(server.url, stream)).map(({ line }) => JSON.parse(line).id)
      assert.deepEqual(lines, [...story.map(({ id }) => id), "e1", "e2", "e3"])
    })

    it("goes on step by step where lines of stdin say so, until q", options, async () => {
      const prefix = `steps.${runtime}`
      const subscription = connection.subscribe(`${prefix}.>`)
      await connection.flush()
      const words = ["replay", file, "--publish", server.url, "--step", "--subject-prefix", prefix]
      const child = spawn(binary, words, {
        env: { ...process.env, CHRONODE_RUNTIME: runtime },
        stdio: ["pipe", "ignore", "pipe"]
      })
      let said = ""
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text
      })
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
      const received = subscription[Symbol.asyncIterator]()
      for (const id of ["e1", "e2", "e3"]) {
        child.stdin.write("\n")
        const next = await received.next()
        assert.equal(JSON.parse(next.value.string()).id, id)
      }
      child.stdin.write("q\n")
      assert.equal(await ended, 0)
      assert.match(said, /each line of stdin is one step; q: end/u)
    })

    it(
      "refuses the subjects of real events, a server that is not there and a line that is no event",
      options,
      async () => {
        const real = await play("--subject-prefix", "chronode")
        assert.equal(real.code, 2)
        assert.match(real.err, /where real events are/u)
        const words = ["replay", file, "--publish", "nats://127.0.0.1:1"]
        const nobody = await chronode(runtime, words)
        assert.deepEqual([nobody.code, /connection refused/iu.test(nobody.err)], [1, true], nobody.err)
        const torn = join(directory, `torn-${runtime}.ndjson`)
        const text = await readFile(file, "utf8")
        await writeFile(
          torn,
          text
            .split("\n")
            .map((line, i) => (i === 4 ? line.slice(0, 99) : line))
            .join("\n")
        )
        const rest = await chronode(runtime, ["replay", torn, "--publish", server.url, "--speed", "max"])
        assert.equal(rest.code, 1)
        assert.match(rest.err, /line 5 is no event/u)
        assert.match(rest.out, /^published 9 events/u)
      }
    )
  })
}

describe("a timeline that is played", () => {
  it("shows as many events as lines of stdin ask for, then the state they led to", options, async () => {
    const child = spawn(binary, ["replay", file, "--step"], { stdio: ["pipe", "pipe", "ignore"] })
    let out = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
    })
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
    child.stdin.end("\n\nq\n")
    assert.equal(await ended, 0)
    assert.match(out, /ManifestRead[\s\S]*PodAdmitted[\s\S]*\n2 events over 1s/u)
    assert.ok(!out.includes("ContainerStarted"))
  })
})
