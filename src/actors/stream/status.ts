/** How far the journal has been published, for whoever asks: the API, the doctor, retention, metrics. */
import { Context, Effect, Layer, Metric, SubscriptionRef } from "effect"

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

const lagGauge = Metric.gauge("chronode_publisher_lag_events", {
  description: "Events in the journal that are not in the NATS stream yet"
})
const connectedGauge = Metric.gauge("chronode_publisher_connected", {
  description: "1 while the publisher is connected to NATS"
})
const publishedGauge = Metric.gauge("chronode_publisher_published_sequence", {
  description: "Journal sequence up to which events are in the NATS stream"
})

export class PublisherStatus extends Context.Service<
  PublisherStatus,
  {
    readonly report: SubscriptionRef.SubscriptionRef<PublisherReport>
    /** Changes the report; `lag` and the gauges follow. */
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
      const update = Effect.fnUntraced(function* (change: Partial<Omit<PublisherReport, "lag">>) {
        const next = yield* SubscriptionRef.updateAndGet(report, (old) => {
          const changed = { ...old, ...change }
          return { ...changed, lag: Math.max(0, changed.head - (changed.published ?? 0)) }
        })
        yield* Metric.update(lagGauge, next.lag)
        yield* Metric.update(connectedGauge, next.connected ? 1 : 0)
        yield* Metric.update(publishedGauge, next.published ?? 0)
      })
      return PublisherStatus.of({ report, update })
    })
  )
}
