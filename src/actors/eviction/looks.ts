/** Says that a look at the node's resources is due at once: an evicted pod is gone. */
import { Context, Effect, Layer, Queue } from "effect"

export class EvictionLooks extends Context.Service<
  EvictionLooks,
  {
    readonly wake: Effect.Effect<void>
    /** Answers after the next wake, at once where there was one since the last answer. */
    readonly awoken: Effect.Effect<void>
  }
>()("chronode/EvictionLooks") {
  static readonly layer = Layer.effect(
    EvictionLooks,
    Effect.map(Queue.sliding<void>(1), (queue) =>
      EvictionLooks.of({ wake: Effect.asVoid(Queue.offer(queue, undefined)), awoken: Effect.asVoid(Queue.take(queue)) })
    )
  )
}
