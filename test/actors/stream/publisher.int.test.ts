// runtimes: bun (deno)
/**
 * The publisher between a journal on SQLite and a real nats-server, either of which is killed. What must always hold: the
 * stream is the journal, line by line, none lost, none twice. `CHRONODE_ROUNDS` says how many kills (10),
 * `CHRONODE_SEED` repeats a run.
 */
import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, afterEach, before, beforeEach, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Effect, Exit, Redacted, Scope, Stream } from "effect"
import { type NatsServer, type NatsServerOptions, natsServerMissing, startNats } from "../../../scripts/lab/nats.ts"
import { cursorNote } from "../../../src/actors/stream/cursor.ts"
import { layerLive } from "../../../src/adapters/nats/live.ts"
import { contentType } from "../../../src/events/envelope.ts"
import { makeSqliteJournal } from "../../../src/events/journal/sqlite.ts"
import { contents, manage, writeForeign } from "../../adapters/nats/admin.ts"
import {
  append,
  assertSame,
  eventually,
  linesOf,
  node,
  type OpenJournal,
  pause,
  type Running,
  seeded,
  settings,
  startPublisher,
  targetOf
} from "./lab.ts"

const skip = natsServerMissing()
const rounds = Number(process.env.CHRONODE_ROUNDS ?? 10)
const seed = Number(process.env.CHRONODE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const timeout = 60_000 + rounds * 10_000
const foreign = "chronode.lab_example.foreign"

describe("publishing to a real nats-server", { ...(skip === undefined ? {} : { skip }) }, () => {
  let root: string
  let dir: string
  let count = 0
  let server: NatsServer | undefined
  let journal: OpenJournal
  let scope: Scope.Closeable
  let running: Running | undefined

  before(() => {
    root = mkdtempSync(join(tmpdir(), "chronode-publisher-"))
  })
  after(() => rmSync(root, { recursive: true, force: true }))
  beforeEach(async () => {
    dir = join(root, String(++count))
    running = undefined
    server = undefined
    await openJournal()
  })
  afterEach(async () => {
    await running?.stop()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await server?.kill()
  })

  const journalPath = () => join(dir, "journal", "events.db")
  const openJournal = async (): Promise<void> => {
    scope = await Effect.runPromise(Scope.make())
    const options = { path: journalPath(), node, reserveBytes: 0, lowBytes: 0 }
    journal = await Effect.runPromise(makeSqliteJournal(options).pipe(Effect.provideService(Scope.Scope, scope)))
  }
  const nats = async (options: NatsServerOptions = {}): Promise<NatsServer> => {
    server = await startNats(join(dir, "nats"), options)
    return server
  }
  const publish = async (url: string, password?: string): Promise<Running> => {
    const authentication =
      password === undefined
        ? ({ _tag: "None" } as const)
        : ({ _tag: "Password", user: "agent", password: Redacted.make(password) } as const)
    running = await startPublisher(journal, layerLive(targetOf(url, authentication), settings))
    return running
  }
  const caughtUp = () =>
    eventually("the publisher has caught up", async () => {
      const { sequence } = await Effect.runPromise(journal.head)
      return running?.status().published === sequence && running.status().connected
    })
  const streamed = async (url: string) => (await contents(url, settings.name)).map(({ line }) => line)
  const tags = () => (running?.reports ?? []).map(({ _tag }) => _tag)

  it("publishes every row with its own id, subject and content type, and the chain's head after it", {
    timeout
  }, async () => {
    const { url } = await nats()
    await append(journal, 1_000)
    await publish(url)
    await caughtUp()
    const stored = await contents(url, settings.name)
    const rows = await Effect.runPromise(Stream.runCollect(journal.read({})))
    assertSame(
      stored.map(({ line, headers }) => `${headers.get("Chronode-Chain-Head")} ${line}`),
      rows.map(({ hash, line, sequence }) => `${sequence}:${hash} ${line}`)
    )
    for (const { headers, line, subject } of stored) {
      const event = JSON.parse(line)
      assert.equal(headers.get("Nats-Msg-Id"), event.id)
      assert.equal(headers.get("Content-Type"), contentType)
      assert.match(subject, /^chronode\.lab_example\.pod\.default\.web-\d_v1\.StreamDisconnected$/u)
    }
  })

  it("waits for a server that is absent at the start, without holding up the journal", { timeout }, async () => {
    const started = await nats()
    await started.kill()
    await publish(started.url)
    await append(journal, 500)
    await eventually("the lag is seen", () => running?.status().lag === 500)
    await started.restart()
    await caughtUp()
    assertSame(await streamed(started.url), await linesOf(journal))
    assert.deepEqual(tags().filter((tag) => tag === "PublisherConnected").length, 1)
    assert.ok(tags().includes("PublisherDisconnected"))
  })

  it("goes on after the server was away and came back with its data", { timeout }, async () => {
    const started = await nats()
    await publish(started.url)
    await append(journal, 300)
    await caughtUp()
    await started.stop()
    await append(journal, 300)
    await eventually("it is told", () => running?.status().connected === false)
    await started.restart()
    await caughtUp()
    assertSame(await streamed(started.url), await linesOf(journal))
  })

  it("publishes everything again to a server that came back without its data", { timeout }, async () => {
    const started = await nats()
    await publish(started.url)
    await append(journal, 700)
    await caughtUp()
    await started.restart({ wipe: true })
    await append(journal, 50)
    await caughtUp()
    await eventually("it is connected again", async () => (await streamed(started.url)).length === 750)
    assertSame(await streamed(started.url), await linesOf(journal))
  })

  it("goes on behind a purge, also one while it was not running", { timeout }, async () => {
    const { url } = await nats()
    await publish(url)
    await append(journal, 300)
    await caughtUp()
    const purge = () => manage(url, async (m) => void (await m.streams.purge(settings.name)))
    await purge()
    await append(journal, 10)
    await caughtUp()
    assertSame(await streamed(url), await linesOf(journal, 301))
    await running?.stop()
    await purge()
    await append(journal, 10)
    await publish(url)
    await caughtUp()
    assertSame(await streamed(url), await linesOf(journal, 311))
  })

  it("keeps its place over a purge and a restart of the server", { timeout }, async () => {
    const started = await nats()
    await publish(started.url)
    await append(journal, 300)
    await caughtUp()
    await running?.stop()
    await manage(started.url, async (m) => void (await m.streams.purge(settings.name)))
    await started.restart()
    await append(journal, 10)
    await publish(started.url)
    await caughtUp()
    assertSame(await streamed(started.url), await linesOf(journal, 301))
  })

  it("does not need the duplicate window", { timeout }, async () => {
    const started = await nats()
    // The shortest there is: what is sent again later than that would be stored again.
    await manage(started.url, async (m) => {
      await m.streams.add({ name: settings.name, subjects: [...settings.subjects], duplicate_window: 100_000_000 })
    })
    await publish(started.url)
    await append(journal, 400)
    await caughtUp()
    await running?.stop()
    await Effect.runPromise(journal.setNote(cursorNote, ""))
    await pause(300)
    await started.restart()
    await append(journal, 5)
    await publish(started.url)
    await caughtUp()
    assertSame(await streamed(started.url), await linesOf(journal))
  })

  it("finds its place behind another client's bytes", { timeout }, async () => {
    const { url } = await nats()
    await publish(url)
    await append(journal, 20)
    await caughtUp()
    await writeForeign(url, foreign, new Uint8Array([0xff, 0xfe, 0, 1]))
    await append(journal, 20)
    await caughtUp()
    await running?.stop()
    await writeForeign(url, foreign, "foreign")
    await writeForeign(url, foreign, "")
    await append(journal, 20)
    await publish(url)
    await caughtUp()
    const lines = await streamed(url)
    assertSame(
      lines.filter((line) => line.startsWith("{")),
      await linesOf(journal)
    )
    assert.equal(lines.length, 63)
    assert.ok(!tags().includes("PublisherDisconnected"))
  })

  it("leaves an existing stream's settings as they are and says what differs", { timeout }, async () => {
    const { url } = await nats()
    const make = { name: settings.name, subjects: ["chronode.>"], max_age: 3_600e9, max_bytes: 10_000_000 }
    const { config } = await manage(url, (m) => m.streams.add(make))
    await append(journal, 10)
    await publish(url)
    await caughtUp()
    const now = await manage(url, (m) => m.streams.info(settings.name))
    assert.deepEqual(now.config, config)
    const told = running?.reports.find(({ _tag }) => _tag === "PublisherComparedSettings")
    assert.ok(told?._tag === "PublisherComparedSettings" && told.differences.length === 3)
    assertSame(await streamed(url), await linesOf(journal))
  })

  it("says that a password is wrong, goes on trying, and blocks nothing", { timeout }, async () => {
    const started = await nats({ user: "agent", password: "right" })
    await publish(started.url, "wrong")
    await append(journal, 10)
    await eventually("it was tried three times", () => tags().filter((t) => t === "PublisherDisconnected").length >= 3)
    const texts = running?.reports.map((report) => (report._tag === "PublisherDisconnected" ? report.message : ""))
    assert.deepEqual(new Set(texts), new Set(["the server refuses these credentials (authorization violation)"]))
    await eventually("the lag is seen", () => running?.status().lag === 10)
    await running?.stop()
    await publish(started.url, "right")
    await caughtUp()
    assert.equal(running?.status().lag, 0)
  })

  it(`loses and doubles nothing when the server is killed while publishing, ${rounds} times`, { timeout }, async () => {
    console.log(`seed ${seed}`)
    const chance = seeded(seed)
    const started = await nats()
    await publish(started.url)
    let writing = true
    const writer = (async () => {
      while (writing) {
        await append(journal, 1 + Math.floor(chance() * 200))
        await pause(chance() * 3)
      }
    })()
    for (let round = 0; round < rounds; round++) {
      await pause(50 + chance() * 250)
      await started.kill()
      if (chance() < 0.5) await pause(chance() * 200)
      await started.restart()
    }
    writing = false
    await writer
    await caughtUp()
    const lines = await linesOf(journal)
    console.log(`${rounds} kills of the server, ${lines.length} events`)
    assertSame(await streamed(started.url), lines)
  })

  it(`loses and doubles nothing when the publisher is killed, ${rounds} times`, { timeout }, async () => {
    console.log(`seed ${seed}`)
    const chance = seeded(seed)
    const started = await nats()
    await Effect.runPromise(Scope.close(scope, Exit.void))
    const children: Array<ChildProcess> = []
    try {
      for (let round = 0; round < rounds; round++) {
        const file = fileURLToPath(new URL("./publisher-child.ts", import.meta.url))
        const runtime = process.versions.deno === undefined ? [file] : ["run", "-A", "--no-check", file]
        const child = spawn(process.execPath, [...runtime, journalPath(), started.url, "100", "1"], {
          stdio: ["ignore", "pipe", "inherit"]
        })
        children.push(child)
        const exited = new Promise((resolve) => child.once("exit", resolve))
        await Promise.race([
          new Promise((resolve) => child.stdout?.once("data", resolve)),
          exited.then((code) => assert.fail(`the publisher ended by itself with ${code}`))
        ])
        await pause(chance() * 400)
        process.kill(child.pid ?? 0, "SIGKILL")
        await exited
      }
    } finally {
      for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
      await openJournal()
    }
    await publish(started.url)
    await caughtUp()
    const lines = await linesOf(journal)
    console.log(`${rounds} kills of the publisher, ${lines.length} events`)
    assert.ok(lines.length > 0)
    assertSame(await streamed(started.url), lines)
  })
})
