/** Where traces go: an OpenTelemetry collector, or whatever else takes OTLP over HTTP. */
import { type Effect, Schema, type Scope } from "effect"

/**
 * `Refused`: the collector does not take it (an address without OTLP, missing rights, spans that it rejects);
 * `Unavailable`: nobody answers in time, also after attempts anew.
 */
export class OtelError extends Schema.TaggedError<OtelError>()("OtelError", {
  reason: Schema.Literals(["Refused", "Unavailable"]),
  /** Never with credentials. */
  url: Schema.String,
  message: Schema.String
}) {}

export type TraceAttributes = Readonly<Record<string, string | number | boolean>>

/** Times in milliseconds since the epoch. */
export interface TraceSpan {
  /** The span's id is made of it: the same key, the same id. */
  readonly key: string
  /** Key of the span above. */
  readonly parent: string | undefined
  readonly name: string
  readonly start: number
  readonly end: number
  readonly attributes: TraceAttributes
  readonly events: ReadonlyArray<{ readonly name: string; readonly at: number; readonly attributes: TraceAttributes }>
  readonly droppedEvents: number
  readonly error: string | undefined
}

export interface Trace {
  /** The trace's id is made of it, where there is no `traceparent`. */
  readonly key: string
  readonly node: string
  /** W3C trace context: the trace is that one's, and spans without a parent are below its span. */
  readonly traceparent: string | undefined
  readonly spans: ReadonlyArray<TraceSpan>
}

/** Spans in one request, about; one trace is not divided. */
export const batchSpans = 512
/** Milliseconds for one batch, with all attempts. */
export const exportTimeout = 10_000

export interface TraceExporter {
  /** Where to, without credentials. */
  readonly url: string
  /** One request; answers when the collector has taken all of it. */
  readonly send: (traces: ReadonlyArray<Trace>) => Effect.Effect<void, OtelError>
}

/** @param version of this program */
export type OpenTraceExporter = (url: string, version: string) => Effect.Effect<TraceExporter, OtelError, Scope.Scope>
