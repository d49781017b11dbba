/** Says that the node takes pods again: who brings pods asks for all of them anew. */
import { Context, Effect, Layer, Queue } from "effect"

export class Reopening extends Context.Service<
  Reopening,
  {
    /** `because`: id of the event. */
    readonly tell: (because: string) => Effect.Effect<void>
    /** Answers after the next time, at once where there was one since the last answer. */
    readonly awaited: Effect.Effect<string>
  }
>()("chronode/Reopening") {
  static readonly layer = Layer.effect(
    Reopening,
    Effect.map(Queue.sliding<string>(1), (queue) =>
      Reopening.of({ tell: (because) => Effect.asVoid(Queue.offer(queue, because)), awaited: Queue.take(queue) })
    )
  )
}
