/** The publisher on a stream and a journal in memory: every way in which the two can part. */
import assert from "node:assert/strict"
import { afterEach, beforeEach, describe, it } from "node:test"
import { Effect, Fiber } from "effect"
import { cursorNote } from "../../../src/actors/stream/cursor.ts"
import { publishWindow } from "../../../src/actors/stream/pump.ts"
import { type MemoryServer, makeMemoryServer } from "../../../src/adapters/nats/memory.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
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
  startPublisher
} from "./lab.ts"

const timeout = 60_000
const foreign = "chronode.lab_example.foreign"

describe("the publisher", () => {
  let server: MemoryServer
  let layer: ReturnType<typeof makeMemoryServer>["layer"]
  let journal: OpenJournal
  let running: Running | undefined

  beforeEach(async () => {
    const made = makeMemoryServer(settings)
    server = made.server
    layer = made.layer
    journal = (await Effect.runPromise(makeMemoryJournal({ node }))).journal
    running = undefined
  })
  afterEach(async () => {
    await running?.stop()
  })

  const start = async (): Promise<Running> => {
    running = await startPublisher(journal, layer)
    return running
  }
  const restart = async (): Promise<Running> => {
    await running?.stop()
    return start()
  }
  /** SIGKILL, as far as one process can: the note is not written, nothing is finished. */
  const forgetNote = () => Effect.runPromise(journal.setNote(cursorNote, ""))
  const streamed = () => server.messages().map(({ line }) => line)
  const ours = () => streamed().filter((line) => !line.startsWith("foreign"))
  const caughtUp = () =>
    eventually("the publisher has caught up", async () => {
      const { sequence } = await Effect.runPromise(journal.head)
      return running?.status().published === sequence && running.status().connected
    })
  const tags = () => (running?.reports ?? []).map(({ _tag }) => _tag)

  it("publishes what is there and what comes, and says so", { timeout }, async () => {
    await append(journal, 1_000)
    await start()
    await caughtUp()
    await append(journal, 500)
    await caughtUp()
    assertSame(streamed(), await linesOf(journal))
    assert.deepEqual(tags(), ["PublisherCreatedStream", "PublisherComparedSettings", "PublisherConnected"])
    const connected = running?.reports.at(-1)
    assert.ok(connected?._tag === "PublisherConnected")
    assert.deepEqual([connected.resumeFrom, connected.lag], [1, 1_000])
    assert.equal(running?.status().lag, 0)
  })

  it("publishes single events as they come", { timeout }, async () => {
    await start()
    for (let n = 1; n <= 20; n++) {
      await append(journal, 1)
      await eventually("it is published", () => server.messages().length === n)
    }
    assertSame(streamed(), await linesOf(journal))
  })

  it("never has more than a window under way", { timeout }, async () => {
    await append(journal, 2_000)
    let most = 0
    let acknowledged = 0
    server.setFault((_, streamSequence) => {
      acknowledged = running?.status().published ?? 0
      most = Math.max(most, streamSequence - acknowledged)
      return "none"
    })
    await start()
    await caughtUp()
    assert.ok(most > 0 && most <= publishWindow, `${most} under way`)
  })

  it("goes on after the stream's last event when it starts again", { timeout }, async () => {
    await append(journal, 300)
    await start()
    await caughtUp()
    await running?.stop()
    await append(journal, 50)
    await restart()
    await caughtUp()
    const connected = running?.reports.find(({ _tag }) => _tag === "PublisherConnected")
    assert.ok(connected?._tag === "PublisherConnected")
    assert.deepEqual([connected.resumeFrom, connected.lag], [301, 50])
    assertSame(streamed(), await linesOf(journal))
  })

  it("needs neither note nor duplicate window to go on", { timeout }, async () => {
    await append(journal, 300)
    await start()
    await caughtUp()
    await running?.stop()
    await forgetNote()
    server.forgetDuplicates()
    await append(journal, 10)
    await restart()
    await caughtUp()
    assertSame(streamed(), await linesOf(journal))
  })

  it("waits for a server that is absent, with the lag growing, and blocks nothing", { timeout }, async () => {
    server.goAway()
    await start()
    await append(journal, 40)
    await eventually("the lag is seen", () => running?.status().lag === 40)
    assert.equal(running?.status().connected, false)
    assert.equal(running?.status().problem, "connection refused")
    server.comeBack()
    await caughtUp()
    assertSame(streamed(), await linesOf(journal))
    assert.equal(running?.status().lag, 0)
  })

  it("is not stopped by an actor that takes no reports", { timeout }, async () => {
    running = await startPublisher(journal, layer, () => Effect.never)
    for (let n = 0; n < 30; n++) {
      await append(journal, 5)
      await caughtUp()
      server.goAway()
      server.comeBack()
    }
    await caughtUp()
    assertSame(streamed(), await linesOf(journal))
  })

  it("keeps trying after a refusal and goes on when it is lifted", { timeout }, async () => {
    server.goAway("AuthorizationViolation")
    await append(journal, 5)
    await start()
    await eventually("the refusal is told", () => tags().includes("PublisherDisconnected"))
    server.comeBack()
    await caughtUp()
    assertSame(streamed(), await linesOf(journal))
  })

  it("starts over with the first row the journal has when the stream was wiped", { timeout }, async () => {
    await append(journal, 300)
    await start()
    await caughtUp()
    await Effect.runPromise(journal.prune(100))
    server.goAway()
    server.comeBack({ wipe: true })
    await append(journal, 20)
    await caughtUp()
    await eventually(
      "the stream is made again",
      () => tags().filter((tag) => tag === "PublisherCreatedStream").length === 2
    )
    assertSame(streamed(), await linesOf(journal))
    assert.equal(streamed().length, 220)
  })

  it("starts over when the stream was wiped while nobody looked and made again by somebody else", {
    timeout
  }, async () => {
    await append(journal, 30)
    await start()
    await caughtUp()
    server.comeBack({ wipe: true })
    server.create(["max_age is 60 s, asked for unlimited"])
    await append(journal, 1)
    await caughtUp()
    assertSame(streamed(), await linesOf(journal))
  })

  it("believes no note of a stream that was there before, also where this one is as long", { timeout }, async () => {
    await append(journal, 30)
    await start()
    await caughtUp()
    await running?.stop()
    server.comeBack({ wipe: true })
    server.create([])
    for (let n = 0; n < 40; n++) server.write(foreign, `foreign ${n}`)
    await append(journal, 1)
    await restart()
    await caughtUp()
    assertSame(ours(), await linesOf(journal))
  })

  it("goes on behind what was purged, by its note", { timeout }, async () => {
    await append(journal, 300)
    await start()
    await caughtUp()
    await running?.stop()
    server.purge()
    server.forgetDuplicates()
    await append(journal, 7)
    await restart()
    await caughtUp()
    assertSame(streamed(), await linesOf(journal, 301))
  })

  it("is not disturbed by a purge while it runs", { timeout }, async () => {
    await append(journal, 300)
    await start()
    await caughtUp()
    server.purge()
    await append(journal, 7)
    await caughtUp()
    assertSame(streamed(), await linesOf(journal, 301))
  })

  it("leaves nothing out where stream and note are both gone", { timeout }, async () => {
    await append(journal, 20)
    await start()
    await caughtUp()
    await running?.stop()
    await forgetNote()
    server.purge()
    server.forgetDuplicates()
    await append(journal, 3)
    await restart()
    await caughtUp()
    assertSame(streamed(), await linesOf(journal))
  })

  it("takes the server's word for what it has had, where stream and note are both gone", { timeout }, async () => {
    await append(journal, publishWindow * 2)
    await start()
    await caughtUp()
    await running?.stop()
    await forgetNote()
    server.purge()
    await append(journal, 3)
    await restart()
    await caughtUp()
    assertSame(streamed(), await linesOf(journal, publishWindow * 2 + 1))
  })

  it("goes on where other clients' messages stand at the end", { timeout }, async () => {
    await append(journal, 10)
    await start()
    await caughtUp()
    await running?.stop()
    const [copy = ""] = await linesOf(journal, 4)
    for (let n = 0; n < 150; n++) server.write(foreign, `foreign ${n}`)
    server.write(
      "chronode.lab_example.pod.default.web.X",
      '{"specversion":"1.0","source":"/nodes/lab.example/pod/a/b"}'
    )
    await forgetNote()
    await append(journal, 5)
    await restart()
    await caughtUp()
    const lines = await linesOf(journal)
    assert.deepEqual(streamed().slice(0, 10), lines.slice(0, 10))
    assert.deepEqual(streamed().slice(-5), lines.slice(10))
    assert.equal(streamed().filter((line) => line === copy).length, 1)
  })

  it("believes no event that claims a sequence the journal does not have so", { timeout }, async () => {
    await append(journal, 10)
    await start()
    await caughtUp()
    await running?.stop()
    const [line = ""] = await linesOf(journal, 10)
    server.write(foreign, line.replace(/"sequence":"\d+"/u, '"sequence":"00000000000000000900"'))
    server.write(foreign, line.replace("event", "other"))
    await append(journal, 5)
    await restart()
    await caughtUp()
    assert.deepEqual(streamed().slice(-5), await linesOf(journal, 11))
  })

  it("tells its own stream apart from that of an earlier journal of the same node", { timeout }, async () => {
    await append(journal, 20)
    await start()
    await caughtUp()
    await running?.stop()
    const before = streamed()
    journal = (await Effect.runPromise(makeMemoryJournal({ node }))).journal
    await append(journal, 8)
    await start()
    await caughtUp()
    assertSame(streamed(), [...before, ...(await linesOf(journal))])
  })

  it("keeps order and loses nothing while another client writes in between", { timeout }, async () => {
    const chance = seeded(7)
    server.setFault(() => {
      if (chance() < 0.01) server.write(foreign, "foreign")
      return "none"
    })
    await append(journal, 3_000)
    await start()
    await caughtUp()
    assertSame(ours(), await linesOf(journal))
    assert.ok(streamed().length > 3_000)
    assert.ok(!tags().includes("PublisherDisconnected"))
  })

  it("loses and doubles nothing when messages and acknowledgements get lost", { timeout }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.log(`seed ${seed}`)
    const chance = seeded(seed)
    let faults = 0
    server.setFault(() => {
      const roll = chance()
      if (roll < 0.004) faults++
      return roll < 0.002 ? "lose" : roll < 0.004 ? "lose-ack" : "none"
    })
    await append(journal, 2_000)
    await start()
    await eventually("enough went wrong", async () => {
      if (faults >= 10) return true
      await append(journal, 200)
      return false
    })
    server.setFault(() => "none")
    await append(journal, 10)
    await caughtUp()
    assertSame(streamed(), await linesOf(journal))
  })

  it("loses and doubles nothing whatever happens", { timeout: 120_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    console.log(`seed ${seed}`)
    const chance = seeded(seed)
    const pick = (most: number) => Math.floor(chance() * most)
    await start()
    for (let step = 0; step < 150; step++) {
      await append(journal, 1 + pick(400))
      await pause(pick(8))
      switch (pick(7)) {
        case 0:
          await restart()
          break
        case 1:
          server.goAway()
          await pause(pick(30))
          server.comeBack()
          break
        case 2:
          server.goAway()
          server.comeBack({ wipe: true })
          break
        case 3:
          server.write(foreign, "foreign")
          break
        case 4:
          server.forgetDuplicates()
          break
        case 5: {
          const after = pick(50)
          let arrived = 0
          server.setFault(() => (arrived++ === after ? (chance() < 0.5 ? "lose" : "lose-ack") : "none"))
          break
        }
        default:
          await running?.stop()
          await forgetNote()
          await start()
      }
    }
    await append(journal, 1)
    await caughtUp()
    assertSame(ours(), await linesOf(journal))
  })

  it("writes its note at most once a second", { timeout }, async () => {
    let notes = 0
    journal = {
      ...journal,
      setNote: (key, value) => {
        notes++
        assert.equal(key, cursorNote)
        assert.ok(value.length < 4_096)
        return Effect.void
      }
    }
    const began = Date.now()
    await start()
    for (let n = 0; n < 40; n++) {
      await append(journal, 1)
      await eventually("it is published", () => server.messages().length === n + 1)
    }
    const seconds = (Date.now() - began) / 1_000
    assert.ok(notes <= Math.floor(seconds) + 1, `${notes} notes in ${seconds} s`)
  })

  it("ends with the journal's error when the journal cannot be read", { timeout }, async () => {
    const { JournalError } = await import("../../../src/events/journal/port.ts")
    const corrupt = new JournalError({ reason: "Corrupt", path: "p", message: "m" })
    journal = { ...journal, awaitBeyond: () => Effect.fail(corrupt) }
    const { fiber } = await start()
    assert.deepEqual(await Effect.runPromise(Effect.flip(Fiber.join(fiber) as Effect.Effect<never, unknown>)), corrupt)
  })
})
