/** The gate for new pods: closed while the journal's disk is full. Whoever brings a new pod waits at it. */
import { Context, Effect, Latch, Layer } from "effect"

export class Admission extends Context.Service<
  Admission,
  {
    /** Answers while the gate is open, else as soon as it opens. */
    readonly passed: Effect.Effect<void>
    readonly open: Effect.Effect<void>
    readonly close: Effect.Effect<void>
  }
>()("chronode/Admission") {
  static readonly layer = Layer.effect(
    Admission,
    Effect.map(Latch.make(true), (latch) =>
      Admission.of({ passed: latch.await, open: Effect.asVoid(latch.open), close: Effect.asVoid(latch.close) })
    )
  )
}
