/**
 * What runs beside an actor because its state asks for it: timers, and observations of the world. After every fold the
 * wanted ones are compared with the armed ones.
 */
import { Cause, Effect, type Fiber, Latch } from "effect"
import type { ActorId } from "../../events/actor-id.ts"
import type { Command, Observation, Outgoing } from "./behavior.ts"
import type { Cell } from "./cell.ts"
import { observationPause } from "./limits.ts"
import { TimerHeap } from "./timers.ts"

export interface Arming {
  /** Makes timers and observations follow the state. Throws what the behaviour throws. */
  readonly arm: (cell: Cell) => void
  readonly disarm: (cell: Cell) => void
  /** Fires timers as they become due, for ever. */
  readonly clockwork: Effect.Effect<never>
  readonly timers: () => number
}

export const makeArming = <R>(
  now: () => number,
  fork: (effect: Effect.Effect<void, never, R>) => Fiber.Fiber<void>,
  offer: (to: ActorId, command: Command, cause?: string) => boolean,
  tell: (to: ActorId, command: Command, cause?: string) => Effect.Effect<void>
): Arming => {
  const timers = new TimerHeap<Cell>()
  const changed = Latch.makeUnsafe(false)
  /** Until when the clockwork sleeps, milliseconds since the epoch: a timer that is due no earlier need not wake it. */
  let sleepsUntil = Number.POSITIVE_INFINITY

  const armTimers = (cell: Cell): void => {
    const wanted = cell.behavior.timers?.(cell.state) ?? []
    if (wanted.length === 0 && cell.timers === undefined) return
    const armed: NonNullable<Cell["timers"]> = cell.timers ?? new Map()
    const keys = new Set(wanted.map((t) => t.key))
    for (const [key, timer] of armed) {
      if (keys.has(key)) continue
      timer.cancelled = true
      armed.delete(key)
    }
    for (const timer of wanted) {
      const known = armed.get(timer.key)
      if (known?.dueAt === timer.dueAt) continue
      if (known !== undefined) known.cancelled = true
      armed.set(timer.key, timers.add(cell, timer))
      if (timer.dueAt < sleepsUntil) changed.openUnsafe()
    }
    cell.timers = armed.size === 0 ? undefined : armed
  }

  const armObservations = (cell: Cell): void => {
    const wanted: ReadonlyArray<Observation<R>> = cell.behavior.observe?.(cell.state, cell.id) ?? []
    if (wanted.length === 0 && cell.observations === undefined) return
    const running: NonNullable<Cell["observations"]> = cell.observations ?? new Map()
    const keys = new Set(wanted.map((o) => o.key))
    for (const [key, fiber] of running) {
      if (keys.has(key)) continue
      running.delete(key)
      fiber.interruptUnsafe()
    }
    for (const observation of wanted) {
      if (!running.has(observation.key)) running.set(observation.key, watch(cell, observation))
    }
    cell.observations = running.size === 0 ? undefined : running
  }

  /** An observation that dies is said to have, and started again after a pause. */
  const watch = (cell: Cell, observation: Observation<R>): Fiber.Fiber<void> => {
    const emit = (outgoing: Outgoing) => tell(outgoing.to, outgoing.command, outgoing.cause ?? observation.because)
    const life: Effect.Effect<void, never, R> = Effect.suspend(() => observation.run(emit)).pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.logError(`observation ${observation.key} of ${cell.path} died`, cause).pipe(
              Effect.andThen(Effect.sleep(observationPause)),
              Effect.andThen(Effect.suspend(() => life))
            )
      )
    )
    return fork(life)
  }

  const clockwork = Effect.gen(function* () {
    while (true) {
      const due = timers.nextDue()
      const time = now()
      if (due === undefined || due > time) {
        sleepsUntil = due ?? Number.POSITIVE_INFINITY
        yield* due === undefined ? changed.await : Effect.raceFirst(Effect.sleep(due - time), changed.await)
        yield* changed.close
        continue
      }
      const timer = timers.take(time)
      if (timer === undefined || timer.owner.gone) continue
      // It stays in the cell's table, spent: as long as the state asks for the same moment it does not fire again.
      timer.cancelled = true
      const fired = { _tag: "TimerFired", at: time, key: timer.key, dueAt: timer.dueAt } as Command
      yield* Effect.sync(() => {
        // A full mailbox is waited for beside the clock: the timers of all others must not be late for it.
        if (!offer(timer.owner.id, fired, timer.because)) fork(tell(timer.owner.id, fired, timer.because))
      })
    }
  })

  return {
    arm: (cell) => {
      armTimers(cell)
      armObservations(cell)
    },
    disarm: (cell) => {
      for (const timer of cell.timers?.values() ?? []) timer.cancelled = true
      for (const fiber of cell.observations?.values() ?? []) fiber.interruptUnsafe()
      cell.timers = undefined
      cell.observations = undefined
    },
    clockwork,
    timers: () => timers.size
  }
}
