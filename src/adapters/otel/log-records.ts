/** Events as log records (https://opentelemetry.io/docs/specs/otel/logs/data-model/). */
import { type Attributes, TraceFlags } from "@opentelemetry/api"
import type { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http"
import type { Severity } from "../../events/definition.ts"
import { originOf } from "./exchange.ts"
import { hrTime, spanIdOf, traceIdOf } from "./ids.ts"
import type { LogEntry } from "./port.ts"

export type ReadableLogRecord = Parameters<OTLPLogExporter["export"]>[0][number]

/** The first of each range of the data model. */
const severityNumbers: Readonly<Record<Severity, number>> = {
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  ERROR: 17
}

export const toLogRecord = (entry: LogEntry, version: string): ReadableLogRecord => {
  const { resource, scope } = originOf(entry.node, version)
  const { trace } = entry
  return {
    hrTime: hrTime(entry.at),
    hrTimeObserved: hrTime(entry.observedAt),
    ...(trace === undefined
      ? {}
      : {
          spanContext: {
            traceId: traceIdOf(trace.key, trace.traceparent),
            spanId: spanIdOf(trace.span),
            traceFlags: TraceFlags.SAMPLED
          }
        }),
    severityText: entry.severity,
    severityNumber: severityNumbers[entry.severity],
    body: entry.body,
    eventName: entry.name,
    resource,
    instrumentationScope: scope,
    attributes: entry.attributes as Attributes,
    droppedAttributesCount: 0
  }
}
