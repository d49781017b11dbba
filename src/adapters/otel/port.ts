/** Where traces, metrics and logs go: an OpenTelemetry collector, or whatever else takes OTLP over HTTP. */
import { type Effect, Schema, type Scope } from "effect"
import type { Severity } from "../../events/definition.ts"
import type { FamilyValues } from "../metrics/registry.ts"

export const signals = ["traces", "metrics", "logs"] as const
export type Signal = (typeof signals)[number]

/** The address of a signal at a collector (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request): that of another is not its own. */
export const signalUrl = (text: string, signal: Signal): URL | undefined => {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return undefined
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined
  const base = url.pathname.replace(/(?:\/v1\/(?:traces|metrics|logs))?\/?$/u, "")
  url.pathname = `${base}/v1/${signal}`
  return url
}

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

/** All metrics at one moment. */
export interface MetricsReport {
  readonly node: string
  /** Since when it is counted, and when this was; milliseconds since the epoch. */
  readonly startedAt: number
  readonly at: number
  readonly families: ReadonlyArray<FamilyValues>
}

/** An event as a line of a log. */
export interface LogEntry {
  readonly node: string
  /** When it happened, and when it was written down; milliseconds since the epoch. */
  readonly at: number
  readonly observedAt: number
  readonly severity: Severity
  /** Type of the event: `dev.chronode.ContainerStarted.v1`. */
  readonly name: string
  readonly body: string
  readonly attributes: TraceAttributes
  /** Of which trace it is a part, and of which span: their keys. */
  readonly trace: { readonly key: string; readonly traceparent: string | undefined; readonly span: string } | undefined
}

export interface Exporter<A> {
  /** Where to, without credentials. */
  readonly url: string
  /** One request; answers when the collector has taken all of it. */
  readonly send: (items: ReadonlyArray<A>) => Effect.Effect<void, OtelError>
}
export type TraceExporter = Exporter<Trace>

/** @param version of this program */
export type OpenExporter<A> = (url: string, version: string) => Effect.Effect<Exporter<A>, OtelError, Scope.Scope>
export type OpenTraceExporter = OpenExporter<Trace>

export interface OpenExporters {
  readonly traces: OpenExporter<Trace>
  readonly metrics: OpenExporter<MetricsReport>
  readonly logs: OpenExporter<LogEntry>
}
