/**
 * What waits for a collector: so much and no more, sent in batches by one fiber. Whoever offers something never waits. A
 * collector that does not answer is tried again, ever more seldom, and told of once; what it refuses is dropped.
 */
import { Effect, Latch, Result, type Scope, Semaphore } from "effect"
import type { Exporter, OtelError } from "./port.ts"

/** Milliseconds: between attempts, doubling. */
const firstPause = 1_000
const longestPause = 60_000
/** What the last attempt at the end may take, milliseconds. */
const flushTimeout = 2_000

export interface SendingOptions<A> {
  readonly exporter: Exporter<A>
  /** What is sent, for people: `traces`. */
  readonly what: string
  /** Items that wait at most, with those that are under way. */
  readonly capacity: number
  /** What goes where there is no room: the new one, or the one that waited longest. */
  readonly drops: "newest" | "oldest"
  /** Items in one request. */
  readonly batch: number
  /** Milliseconds from the first item to its request, unless a batch is full before. */
  readonly period: number
  /** Tests: the pause after the first failure, milliseconds. */
  readonly firstPause?: number
}

export interface Sending<A> {
  /** False: there was no room, and it is dropped. */
  readonly offer: (item: A) => boolean
  readonly counts: () => { readonly sent: number; readonly dropped: number; readonly waiting: number }
}

/** Sends until the scope ends, and then what is left, as far as that goes at once. */
export const makeSending = <A>(options: SendingOptions<A>): Effect.Effect<Sending<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { exporter, what, capacity, drops, batch, period } = options
    const queue: Array<A> = []
    const some = Latch.makeUnsafe(false)
    const full = Latch.makeUnsafe(false)
    const oneAtATime = yield* Semaphore.make(1)
    let [sent, dropped, underWay] = [0, 0, 0]
    let failures = 0

    const told = (error: OtelError): Effect.Effect<void> => {
      failures += 1
      if (failures > 1) return Effect.logDebug(`${what} to ${error.url}: ${error.message}`)
      const next = error.reason === "Refused" ? "what is refused is dropped" : `${capacity} wait at most`
      return Effect.logWarning(`${what} cannot be sent to ${error.url}: ${error.message}; ${next}`)
    }
    const good = Effect.suspend(() => {
      if (failures === 0) return Effect.void
      failures = 0
      return Effect.logInfo(`${what} are sent to ${exporter.url} again; ${dropped} were dropped so far`)
    })
    const pause = (): number =>
      Math.min((options.firstPause ?? firstPause) * 2 ** Math.min(failures - 1, 16), longestPause)

    /** One batch, again and again until it is taken or refused; where `once`, it is tried once. */
    const deliver = (items: ReadonlyArray<A>, once: boolean): Effect.Effect<void> =>
      Effect.gen(function* () {
        for (;;) {
          const result = yield* Effect.result(exporter.send(items))
          if (Result.isSuccess(result)) {
            sent += items.length
            return yield* good
          }
          yield* told(result.failure)
          if (result.failure.reason === "Refused" || once) {
            dropped += items.length
            return
          }
          yield* Effect.sleep(pause())
        }
      })

    const drain = (once: boolean): Effect.Effect<void> =>
      oneAtATime.withPermits(1)(
        Effect.gen(function* () {
          while (queue.length > 0) {
            const items = queue.splice(0, batch)
            if (queue.length < batch) full.closeUnsafe()
            if (queue.length === 0) some.closeUnsafe()
            underWay = items.length
            yield* Effect.ensuring(
              deliver(items, once),
              Effect.sync(() => {
                underWay = 0
              })
            )
          }
        })
      )
    const send = Effect.andThen(
      some.await,
      Effect.andThen(Effect.raceFirst(Effect.sleep(period), full.await), drain(false))
    )
    yield* Effect.forkScoped(Effect.forever(send))
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(drain(true), flushTimeout)))

    return {
      offer: (item) => {
        if (queue.length + underWay >= capacity) {
          dropped += 1
          if (drops === "newest" || queue.length === 0) return false
          queue.shift()
        }
        queue.push(item)
        some.openUnsafe()
        if (queue.length >= batch) full.openUnsafe()
        return true
      },
      counts: () => ({ sent, dropped, waiting: queue.length + underWay })
    }
  })
