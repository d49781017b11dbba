/**
 * The actor kernel without a journal: messages a second through one actor and through many, and what an idle actor
 * costs. Limits: at least 500,000 messages a second, at most 2 KB an idle actor.
 *
 *   bun bench/actors.ts [messages] [actors]
 */
import { Effect, Schema } from "effect"
import type { Behavior } from "../src/actors/kernel/behavior.ts"
import { mailboxCapacity } from "../src/actors/kernel/limits.ts"
import { makeActorSystem } from "../src/actors/kernel/system.ts"
import { nodeDecider } from "../src/actors/node/decider.ts"
import { actorId } from "../src/events/actor-id.ts"
import type { EventOf } from "../src/events/catalogue.ts"
import { makeMemoryJournal } from "../src/events/journal/memory.ts"
import { Journal } from "../src/events/journal/port.ts"
import { machine } from "./machine.ts"

const messages = Number(process.argv[2] ?? 2_000_000)
const actors = Number(process.argv[3] ?? 100_000)
const requiredRate = 500_000
const allowedBytes = 2_048

interface Idle {
  readonly seen: number
}
const idle: Behavior<Idle, { readonly _tag: "Look"; readonly at: number }, EventOf<"VolumeUnmounted">, never> = {
  kind: "volume",
  stateVersion: 1,
  command: Schema.TaggedStruct("Look", { at: Schema.Number }) as never,
  initial: () => ({ seen: 0 }),
  decide: () => [],
  evolve: (state) => state
}

const heap = (): number => {
  const collect = (globalThis as { readonly gc?: () => void }).gc
  collect?.()
  return process.memoryUsage().heapUsed
}

const rate = (name: string, count: number, milliseconds: number) => {
  const perSecond = Math.round((count / milliseconds) * 1000)
  const ratio = (perSecond / requiredRate).toFixed(2)
  console.log(
    `${name.padEnd(34)} ${perSecond.toLocaleString("en").padStart(12)} /s   ${ratio}× of the required ${requiredRate.toLocaleString("en")}/s`
  )
}

const program = Effect.gen(function* () {
  const { journal } = yield* makeMemoryJournal({ node: "bench" })
  const system = yield* makeActorSystem<never>([nodeDecider, idle], { recording: "events" }).pipe(
    Effect.provideService(Journal, journal)
  )
  yield* system.start([])
  const look = { _tag: "Look", at: 0 } as const

  const one = actorId("volume", "default", "one")
  let started = performance.now()
  for (let sent = 0; sent < messages; ) {
    while (sent < messages && system.offer(one, look)) sent += 1
    yield* system.idle
  }
  rate("one actor, mailbox always full", messages, performance.now() - started)

  const before = heap()
  const ids = Array.from({ length: actors }, (_, i) => actorId("volume", "default", `volume-${i}`))
  for (const [i, id] of ids.entries()) {
    system.offer(id, look)
    if (i % mailboxCapacity === 0) yield* system.idle
  }
  yield* system.idle
  const bytes = (heap() - before) / actors
  console.log(
    `${`${actors.toLocaleString("en")} idle actors`.padEnd(34)} ${Math.round(bytes).toLocaleString("en").padStart(12)} B/actor   ${(bytes / allowedBytes).toFixed(2)}× of the allowed ${allowedBytes} B (with its id and name)`
  )

  started = performance.now()
  const rounds = Math.max(1, Math.floor(messages / actors))
  for (let round = 0; round < rounds; round++) {
    for (const id of ids) system.offer(id, look)
    yield* system.idle
  }
  rate("idle actors woken in turn", rounds * actors, performance.now() - started)
})

console.log(machine())
await Effect.runPromise(Effect.scoped(program))
process.exit(0)
