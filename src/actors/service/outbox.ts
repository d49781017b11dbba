/**
 * Commands for the actors of Services and endpoints on their way: in order for each Service, and in turn between Services, so
 * many at a time. A Service of 100,000 endpoints that comes all at once keeps neither other Services waiting nor the rest of
 * the agent (probes, pods), whose commands would stand behind a hundred thousand turns.
 */
import { Effect, Latch } from "effect"
import { serviceOfEndpoint } from "../endpoint/identity.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { serviceKey } from "./identity.ts"
import type { Table } from "./table.ts"

/** Commands that are on their way at one time. */
export const atOnce = 512
/** Of these, how many of one Service before the next has its turn. */
const share = 32
/** Beyond so many that wait, the directory is not looked at again. */
export const maxWaiting = 100_000
/** Milliseconds between looks whether they have arrived, and looks without any arrival after which it goes on. */
const pause = 1
const maxQuietLooks = 50

interface Waiting {
  readonly commands: Array<Outgoing>
  /** How many of them have gone. */
  gone: number
}

const keyOf = ({ to }: Outgoing): string =>
  to.kind === "endpoint" ? serviceKey({ namespace: to.namespace, name: serviceOfEndpoint(to) }) : serviceKey(to)

export class Outbox {
  /** By Service, in the order of their turns. */
  private readonly waiting = new Map<string, Waiting>()
  private readonly filled = Latch.makeUnsafe(false)
  private readonly table: Table
  private count = 0

  constructor(table: Table) {
    this.table = table
  }

  get size(): number {
    return this.count
  }

  add(outgoing: ReadonlyArray<Outgoing>): void {
    for (const one of outgoing) {
      const key = keyOf(one)
      const own = this.waiting.get(key)
      if (own === undefined) this.waiting.set(key, { commands: [one], gone: 0 })
      else own.commands.push(one)
    }
    this.count += outgoing.length
    if (this.count > 0) this.filled.openUnsafe()
  }

  /** The next ones, at most `atOnce`. */
  take(): ReadonlyArray<Outgoing> {
    const taken: Array<Outgoing> = []
    while (taken.length < atOnce) {
      const [next] = this.waiting
      if (next === undefined) break
      const [key, own] = next
      const until = Math.min(own.commands.length, own.gone + Math.min(share, atOnce - taken.length))
      for (; own.gone < until; own.gone++) taken.push(own.commands[own.gone] as Outgoing)
      this.waiting.delete(key)
      if (own.gone < own.commands.length) this.waiting.set(key, own)
    }
    this.count -= taken.length
    if (this.count === 0) this.filled.closeUnsafe()
    return taken
  }

  /** Sends them on as they come. Runs until interrupted. */
  drain(emit: (outgoing: Outgoing) => Effect.Effect<void>): Effect.Effect<never> {
    return Effect.forever(
      Effect.gen({ self: this }, function* () {
        yield* this.filled.await
        const before = this.arrivals
        const some = this.take()
        yield* Effect.forEach(some, emit, { discard: true })
        if (this.count > 0) yield* this.arrived(before + some.length)
      })
    )
  }

  private get arrivals(): number {
    return this.table.changes.services + this.table.changes.endpoints
  }

  /** Until there were so many arrivals, or no more come: some commands change nothing. */
  private arrived(wanted: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      let last = this.arrivals
      for (let quiet = 0; quiet < maxQuietLooks && this.arrivals < wanted; ) {
        yield* Effect.sleep(pause)
        quiet = this.arrivals === last ? quiet + 1 : 0
        last = this.arrivals
      }
    })
  }

  /** Until there is room for more. */
  readonly room: Effect.Effect<void> = Effect.suspend(() =>
    this.count <= maxWaiting ? Effect.void : Effect.andThen(Effect.sleep(pause), this.room)
  )
}
