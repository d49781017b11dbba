/** How a command that follows ends without a signal: nobody reads what it prints, or the time that it was asked for is over. */
import { Effect } from "effect"
import type { Neighbours } from "./neighbours.ts"

/** Milliseconds between looks whether stdout is still read. A look is one call of the kernel. */
const lookPeriod = 500
/** Milliseconds after the end of the time that was asked for in which what happened in it may still arrive. */
const arrival = 1_000

/** Ends when the reader of stdout has gone (`| head -1`): a command with nothing to print would not notice by writing. */
export const readerLeft = ({ watchReader }: Pick<Neighbours, "watchReader">): Effect.Effect<void> =>
  Effect.flatMap(Effect.promise(watchReader), (hasLeft) =>
    Effect.whileLoop({
      while: () => !hasLeft(),
      body: () => Effect.sleep(lookPeriod),
      step: () => {}
    })
  )

/** Ends when `until` (milliseconds since the epoch) is past, and what happened before it has had time to arrive. */
export const timeOver = (until: number, now: () => number): Effect.Effect<void> =>
  Effect.suspend(() => Effect.sleep(Math.max(0, until + arrival - now())))
