/** A little collector of OpenTelemetry: an HTTP server that takes OTLP/JSON and remembers it. */
import { createServer } from "node:http"

export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
}
export interface OtlpLog {
  readonly traceId?: string
  readonly severityText: string
  readonly eventName?: string
  readonly body: { readonly stringValue: string }
}

interface Received {
  readonly path: string
  readonly body: Readonly<Record<string, ReadonlyArray<never>>>
}

export interface Collector {
  readonly url: string
  readonly spans: () => ReadonlyArray<OtlpSpan>
  readonly logs: () => ReadonlyArray<OtlpLog>
  /** Names of metrics that were told. */
  readonly metrics: () => ReadonlyArray<string>
  readonly close: () => Promise<void>
}

export const startCollector = async (): Promise<Collector> => {
  const received: Array<Received> = []
  const server = createServer((request, response) => {
    let text = ""
    request.setEncoding("utf8").on("data", (piece: string) => {
      text += piece
    })
    request.on("end", () => {
      received.push({ path: request.url ?? "", body: JSON.parse(text) })
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  const address = server.address()
  const all = <A>(path: string, resource: string, scope: string, items: string): ReadonlyArray<A> =>
    received
      .filter((one) => one.path === path)
      .flatMap(({ body }) => body[resource] ?? [])
      .flatMap((one: Readonly<Record<string, ReadonlyArray<never>>>) => one[scope] ?? [])
      .flatMap((one: Readonly<Record<string, ReadonlyArray<A>>>) => one[items] ?? [])
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    spans: () => all<OtlpSpan>("/v1/traces", "resourceSpans", "scopeSpans", "spans"),
    logs: () => all<OtlpLog>("/v1/logs", "resourceLogs", "scopeLogs", "logRecords"),
    metrics: () =>
      all<{ readonly name: string }>("/v1/metrics", "resourceMetrics", "scopeMetrics", "metrics").map(
        ({ name }) => name
      ),
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((done) => server.close(() => done()))
    }
  }
}
