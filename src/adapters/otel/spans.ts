/** Recorded spans as the library takes them: they do not come from a running tracer. */
import { type Attributes, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api"
import type { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import type { Origin } from "./exchange.ts"
import { hrTime, spanIdOf, traceIdOf, traceparentPattern } from "./ids.ts"
import type { Trace, TraceSpan } from "./port.ts"

export type ReadableSpan = Parameters<OTLPTraceExporter["export"]>[0][number]

export const toReadable = (trace: Trace, span: TraceSpan, origin: Origin): ReadableSpan => {
  const outer = trace.traceparent === undefined ? null : traceparentPattern.exec(trace.traceparent)
  const traceId = traceIdOf(trace.key, trace.traceparent)
  const context = (spanId: string, isRemote: boolean) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote })
  const above =
    span.parent !== undefined
      ? context(spanIdOf(span.parent), false)
      : outer === null
        ? undefined
        : context(outer[2] as string, true)
  const own = context(spanIdOf(span.key), false)
  return {
    name: span.name,
    kind: SpanKind.INTERNAL,
    spanContext: () => own,
    ...(above === undefined ? {} : { parentSpanContext: above }),
    startTime: hrTime(span.start),
    endTime: hrTime(span.end),
    duration: hrTime(span.end - span.start),
    status:
      span.error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: span.attributes as Attributes,
    links: [],
    events: span.events.map(({ at, attributes, name }) => ({
      name,
      time: hrTime(at),
      attributes: attributes as Attributes
    })),
    ended: true,
    resource: origin.resource,
    instrumentationScope: origin.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: span.droppedEvents,
    droppedLinksCount: 0
  }
}
