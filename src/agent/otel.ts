/** What a collector of OpenTelemetry is told while the agent runs, tied together. Part of the agent's wiring; off by default. */
import { Clock, Effect, type Scope } from "effect"
import type { NodeMetrics } from "../adapters/metrics/node-metrics.ts"
import { batchSpans, type LogEntry, type MetricsReport, type Signal, type Trace } from "../adapters/otel/port.ts"
import { makeSending, type Sending } from "../adapters/otel/sending.ts"
import type { OtelOptions } from "../cli/run/otel-settings.ts"
import { version } from "../cli/version.ts"
import type { NodeEvent } from "../events/catalogue.ts"
import type { RecordedEvent } from "../events/envelope.ts"
import { LogLines } from "../reports/log-entries.ts"
import { PodStarts } from "../reports/pod-starts.ts"
import type { MetricsTold } from "./metrics.ts"

/** Starts of pods, and events, that wait for the collector at most. */
const maxTraces = 500
const maxLogs = 10_000
/** Traces and log records of one request: a start has some ten spans. */
const batchTraces = Math.ceil(batchSpans / 16)
const batchLogs = 512
/** Milliseconds from the first to its request. */
const period = 2_000

export interface AgentOtel {
  /** For the kernel: events that were committed. Quick, and never waits. */
  readonly onCommit: (events: ReadonlyArray<RecordedEvent<NodeEvent>>) => void
  /** Sends all metrics again and again, until the scope ends. */
  readonly tell: (told: MetricsTold["Service"]) => Effect.Effect<void, never, Scope.Scope>
}

export const countSending = ({ registry }: NodeMetrics, sendings: ReadonlyMap<Signal, Sending<never>>): void => {
  const each = (read: (counts: ReturnType<Sending<never>["counts"]>) => number) => () =>
    Array.from(sendings, ([signal, { counts }]) => ({ labels: { signal }, value: read(counts()) }))
  const add = (name: string, help: string, type: "counter" | "gauge", look: ReturnType<typeof each>): void =>
    registry.lookedUp({ name: `chronode_otel_${name}`, help }, type, look)
  add(
    "sent_total",
    "What the collector took: traces, log records, reports of metrics.",
    "counter",
    each(({ sent }) => sent)
  )
  add(
    "dropped_total",
    "What it was not told: no room to wait, or refused.",
    "counter",
    each(({ dropped }) => dropped)
  )
  add(
    "waiting",
    "What waits for the collector.",
    "gauge",
    each(({ waiting }) => waiting)
  )
}

/** Opens what is asked for; the library is loaded only then. An address that is none was refused before. */
export const startOtel = (
  { traces, metrics: reports, logs, interval }: OtelOptions,
  nodeName: string,
  metrics: NodeMetrics
): Effect.Effect<AgentOtel, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { openExporters } = yield* Effect.promise(() => import("../adapters/otel/live.ts"))
    const sendings = new Map<Signal, Sending<never>>()
    const startedAt = yield* Clock.currentTimeMillis
    const keep = <A>(signal: Signal, sending: Sending<A>): Sending<A> => {
      sendings.set(signal, sending as Sending<never>)
      return sending
    }
    const ofTraces =
      traces === undefined
        ? undefined
        : keep<Trace>(
            "traces",
            yield* makeSending({
              exporter: yield* Effect.orDie(openExporters.traces(traces, version)),
              ...{ what: "traces", capacity: maxTraces, drops: "newest", batch: batchTraces, period }
            })
          )
    const ofLogs =
      logs === undefined
        ? undefined
        : keep<LogEntry>(
            "logs",
            yield* makeSending({
              exporter: yield* Effect.orDie(openExporters.logs(logs, version)),
              ...{ what: "logs", capacity: maxLogs, drops: "newest", batch: batchLogs, period }
            })
          )
    const ofMetrics =
      reports === undefined
        ? undefined
        : keep<MetricsReport>(
            "metrics",
            yield* makeSending({
              exporter: yield* Effect.orDie(openExporters.metrics(reports, version)),
              // Each report tells all: an older one is worth nothing beside it.
              ...{ what: "metrics", capacity: 1, drops: "oldest", batch: 1, period: 0 }
            })
          )
    countSending(metrics, sendings)
    const starts = new PodStarts()
    const lines = new LogLines()
    return {
      onCommit: (events) => {
        for (const recorded of events) {
          if (ofTraces !== undefined) for (const trace of starts.apply(recorded)) ofTraces.offer(trace)
          ofLogs?.offer(lines.apply(recorded))
        }
      },
      tell: (told) => {
        if (ofMetrics === undefined) return Effect.void
        const report = Effect.gen(function* () {
          const families = yield* told.values
          ofMetrics.offer({ node: nodeName, startedAt, at: yield* Clock.currentTimeMillis, families })
        })
        return Effect.asVoid(Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(interval), report))))
      }
    }
  })
