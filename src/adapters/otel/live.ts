/** Traces, metrics and logs over OTLP/HTTP (JSON), by opentelemetry-js. */
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http"
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { openExporter, originOf } from "./exchange.ts"
import { toLogRecord } from "./log-records.ts"
import { toResourceMetrics } from "./points.ts"
import { exportTimeout, type LogEntry, type MetricsReport, type OpenExporters, type Trace } from "./port.ts"
import { toReadable } from "./spans.ts"

export const openExporters: OpenExporters = {
  traces: (address, version) =>
    openExporter(
      address,
      "traces",
      (url) => new OTLPTraceExporter({ url, timeoutMillis: exportTimeout }),
      (traces: ReadonlyArray<Trace>) =>
        traces.flatMap((trace) => {
          const origin = originOf(trace.node, version)
          return trace.spans.map((span) => toReadable(trace, span, origin))
        })
    ),
  metrics: (address, version) =>
    openExporter(
      address,
      "metrics",
      (url) => new OTLPMetricExporter({ url, timeoutMillis: exportTimeout }),
      (reports: ReadonlyArray<MetricsReport>) => toResourceMetrics(reports, version)
    ),
  logs: (address, version) =>
    openExporter(
      address,
      "logs",
      (url) => new OTLPLogExporter({ url, timeoutMillis: exportTimeout }),
      (entries: ReadonlyArray<LogEntry>) => entries.map((entry) => toLogRecord(entry, version))
    )
}
