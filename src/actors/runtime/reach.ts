/**
 * Whether somebody listens at the runtime's socket. What was decided for it waits while nobody does: each attempt would fail
 * at once, for every pod of the node, and be written down each time. Who looks at the runtime every second says what it saw.
 */
import { Context, Effect, Latch, Layer } from "effect"
import type { CriError } from "../../adapters/cri/port.ts"

export class RuntimeReach extends Context.Service<
  RuntimeReach,
  {
    /** `failure`: of the last look at the runtime; absent: it answered. */
    readonly looked: (failure?: CriError) => Effect.Effect<void>
    /** Answers as soon as the runtime does not refuse connections; at once where nobody has looked yet. */
    readonly reached: Effect.Effect<void>
  }
>()("chronode/RuntimeReach") {
  static readonly layer = Layer.effect(
    RuntimeReach,
    Effect.map(Latch.make(true), (latch) =>
      RuntimeReach.of({
        // One that hangs or refuses a call is asked all the same: deadlines bound how often.
        looked: (failure) => (failure?.reason === "Unavailable" ? latch.close : latch.open),
        reached: latch.await
      })
    )
  )
}

/** Work at the runtime, begun when the runtime can be reached. */
export const whenReached = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | RuntimeReach> =>
  Effect.flatMap(RuntimeReach, ({ reached }) => Effect.andThen(reached, work))
