import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Context, Effect, Fiber } from "effect"
import type { Outgoing } from "../../../src/actors/kernel/behavior.ts"
import { knownFlags } from "../../../src/actors/kernel/flags.ts"
import { makeStreamBehavior, streamActor } from "../../../src/actors/stream/behavior.ts"
import { PublisherStatus } from "../../../src/actors/stream/status.ts"
import { makeMemoryServer } from "../../../src/adapters/nats/memory.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { Journal } from "../../../src/events/journal/port.ts"
import { append, assertSame, eventually, linesOf, node, quickRetries, settings } from "./lab.ts"

describe("the stream actor's observation", () => {
  const behavior = makeStreamBehavior(quickRetries)

  it("is one and the same, whatever is known", () => {
    const state = behavior.initial(streamActor)
    const keys = (from: typeof state) => behavior.observe?.(from, streamActor).map(({ key }) => key)
    assert.deepEqual(keys(state), ["publisher"])
    assert.deepEqual(keys({ ...state, connection: "disconnected", problems: ["x"] }), ["publisher"])
  })

  it("publishes and sends the actor what happens, in commands that it takes", { timeout: 30_000 }, async () => {
    const { layer, server } = makeMemoryServer(settings)
    const { journal } = await Effect.runPromise(makeMemoryJournal({ node }))
    await append(journal, 5)
    const sent: Array<Outgoing> = []
    const [observation] = behavior.observe?.(behavior.initial(streamActor), streamActor) ?? []
    assert.ok(observation)
    const fiber = Effect.runFork(
      observation
        .run((outgoing) => Effect.sync(() => void sent.push(outgoing)))
        .pipe(
          Effect.provide(Context.make(Journal, journal)),
          Effect.provide(layer),
          Effect.provide(PublisherStatus.layer)
        )
    )
    await eventually("it is told", () => sent.length === 3 && server.messages().length === 5)
    server.goAway()
    await eventually("the outage is told", () => sent.length >= 6)
    await Effect.runPromise(Fiber.interrupt(fiber))
    let state = behavior.initial(streamActor)
    const events = sent.flatMap(({ command, to }) => {
      assert.deepEqual(to, streamActor)
      const decided = behavior.decide(state, command as never, knownFlags).map(({ event }) => event)
      for (const event of decided) state = behavior.evolve(state, event, { id: "e", time: "1970-01-01T00:00:00.000Z" })
      return decided
    })
    assert.deepEqual(
      events.map(({ _tag }) => _tag),
      ["StreamCreated", "StreamConnected", "StreamDisconnected"]
    )
    assertSame(
      server.messages().map(({ line }) => line),
      await linesOf(journal)
    )
  })
})
