/** Says that pods came, went or changed what they ask for: the cgroups above them are looked at soon, not at the next minute. */
import { Context, Effect, Layer, Queue } from "effect"

export class TierHints extends Context.Service<
  TierHints,
  {
    readonly touch: Effect.Effect<void>
    /** Answers after the next touch, at once where there was one since the last answer. */
    readonly touched: Effect.Effect<void>
  }
>()("chronode/TierHints") {
  static readonly layer = Layer.effect(
    TierHints,
    Effect.map(Queue.sliding<void>(1), (queue) =>
      TierHints.of({ touch: Effect.asVoid(Queue.offer(queue, undefined)), touched: Effect.asVoid(Queue.take(queue)) })
    )
  )
}
