/** How far the journal has been published, for whoever asks: the API, the doctor, retention, metrics. */
import { Context, Effect, Layer, SubscriptionRef } from "effect"

export interface PublisherReport {
  readonly connected: boolean
  readonly server: string
  readonly serverVersion: string
  readonly stream: string
  /** The journal's last sequence, as last seen. */
  readonly head: number
  /** Events up to and including this journal sequence are in the stream; `undefined` while nobody knows. */
  readonly published: number | undefined
  /** Events in the journal that are not known to be in the stream. */
  readonly lag: number
  /** Why it is not connected. */
  readonly problem: string | undefined
}

export class PublisherStatus extends Context.Service<
  PublisherStatus,
  {
    readonly report: SubscriptionRef.SubscriptionRef<PublisherReport>
    /** Changes the report; `lag` follows. */
    readonly update: (change: Partial<Omit<PublisherReport, "lag">>) => Effect.Effect<void>
  }
>()("chronode/PublisherStatus") {
  static readonly layer: Layer.Layer<PublisherStatus> = Layer.effect(
    this,
    Effect.gen(function* () {
      const report = yield* SubscriptionRef.make<PublisherReport>({
        connected: false,
        server: "",
        serverVersion: "",
        stream: "",
        head: 0,
        published: undefined,
        lag: 0,
        problem: undefined
      })
      const update = (change: Partial<Omit<PublisherReport, "lag">>) =>
        SubscriptionRef.update(report, (old) => {
          const changed = { ...old, ...change }
          return { ...changed, lag: Math.max(0, changed.head - (changed.published ?? 0)) }
        })
      return PublisherStatus.of({ report, update })
    })
  )
}
