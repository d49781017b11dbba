/**
 * A clock that jumps from one sleeper to the next: a simulated day in seconds. All that are due at the same millisecond wake
 * together, and the clock goes on only when they have come to rest.
 */
import { type Clock, Duration, Effect } from "effect"

interface Sleeper {
  readonly due: number
  readonly order: number
  wake: (() => void) | undefined
}

const isBefore = (a: Sleeper, b: Sleeper): boolean => a.due < b.due || (a.due === b.due && a.order < b.order)

export interface VirtualClock {
  readonly clock: Clock.Clock
  /** Lets the time go by to `until` (ms); `rest` answers when nothing moves any more without the clock. */
  readonly runTo: (until: number, rest: () => Promise<void>) => Promise<void>
  /** How often it stopped on the way. */
  readonly stops: () => number
}

const nanosecondsPerMillisecond = 1_000_000n

/** `start`: milliseconds since the epoch. */
export const makeVirtualClock = (start: number): VirtualClock => {
  let now = start
  let order = 0
  let stops = 0
  /** A heap by due time; who was interrupted stays in it without a `wake`. */
  const heap: Array<Sleeper> = []

  const push = (sleeper: Sleeper): void => {
    let at = heap.push(sleeper) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(sleeper, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = sleeper
  }
  const pop = (): Sleeper => {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }

  const nanoseconds = (): bigint => BigInt(now) * nanosecondsPerMillisecond
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanoseconds,
    currentTimeNanos: Effect.sync(nanoseconds),
    monotonicTimeNanosUnsafe: nanoseconds,
    monotonicTimeNanos: Effect.sync(nanoseconds),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const due = now + Math.ceil(Duration.toMillis(duration))
        if (due <= now) {
          resume(Effect.void)
          return undefined
        }
        order += 1
        const sleeper: Sleeper = { due, order, wake: () => resume(Effect.void) }
        push(sleeper)
        return Effect.sync(() => {
          sleeper.wake = undefined
        })
      })
  }
  const runTo = async (until: number, rest: () => Promise<void>): Promise<void> => {
    await rest()
    while (heap.length > 0 && heap[0]!.due <= until) {
      const first = pop()
      if (first.wake === undefined) continue
      stops += 1
      now = first.due
      first.wake()
      while (heap.length > 0 && heap[0]!.due === now) pop().wake?.()
      await rest()
    }
    now = until
  }
  return { clock, runTo, stops: () => stops }
}
