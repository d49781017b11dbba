/** Traces, metrics and logs to a collector over real HTTP: one that decodes OTLP/JSON by the specification, and some that refuse. */
import assert from "node:assert/strict"
import { createServer, type IncomingHttpHeaders, type Server } from "node:http"
import { afterEach, describe, it } from "node:test"
import { Effect, Exit } from "effect"
import { openExporters } from "../../../src/adapters/otel/live.ts"
import { type LogEntry, OtelError, signalUrl, type Trace } from "../../../src/adapters/otel/port.ts"

interface Received {
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: object }>
  readonly events: ReadonlyArray<{ readonly name: string; readonly timeUnixNano: string }>
  readonly status: { readonly code: number; readonly message?: string }
}

const options = { timeout: 60_000 }
let server: Server | undefined

/** Answers every request so. */
const collector = async (status: number, answer: string) => {
  const received: Array<Received> = []
  const listening = createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (piece: string) => {
      body += piece
    })
    request.on("end", () => {
      received.push({ path: request.url, headers: request.headers, body })
      response.writeHead(status, { "content-type": "application/json" }).end(answer)
    })
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve))
  const address = listening.address()
  return { received, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}` }
}
afterEach(async () => {
  const listening = server
  server = undefined
  listening?.closeAllConnections()
  await new Promise<void>((resolve) => (listening === undefined ? resolve() : listening.close(() => resolve())))
})

const at = Date.UTC(2026, 0, 15, 9, 30)
const plain = { attributes: {}, events: [], droppedEvents: 0, error: undefined } as const
const trace = (key: string, traceparent?: string): Trace => ({
  key,
  node: "node1",
  traceparent,
  spans: [
    {
      ...plain,
      key: `${key}/root`,
      parent: undefined,
      name: "pod start",
      start: at,
      end: at + 1500,
      attributes: { "k8s.pod.name": "web", ready: true, n: 3 }
    },
    {
      ...plain,
      key: `${key}/create`,
      parent: `${key}/root`,
      name: "container create",
      start: at + 1,
      end: at + 1001,
      events: [{ name: "ContainerStartFailed", at: at + 999, attributes: { "error.type": "x" } }],
      error: "no such file"
    }
  ]
})
const send = (url: string, ...traces: ReadonlyArray<Trace>) =>
  Effect.runPromiseExit(
    Effect.scoped(Effect.flatMap(openExporters.traces(url, "0.1.0"), (exporter) => exporter.send(traces)))
  )
const failureOf = (exit: Exit.Exit<void, OtelError>): OtelError => {
  assert.ok(Exit.isFailure(exit))
  const [reason] = exit.cause.reasons
  const error = reason !== undefined && "error" in reason ? reason.error : undefined
  assert.ok(error instanceof OtelError, String(exit))
  return error
}
const spansIn = ({ body }: Received) => {
  const { resourceSpans } = JSON.parse(body)
  return resourceSpans[0].scopeSpans[0].spans as ReadonlyArray<OtlpSpan>
}

describe("signals over OTLP", () => {
  it("arrive as they are, with times, parents, attributes, events and what failed", options, async () => {
    const { received, url } = await collector(200, "{}")
    assert.ok(Exit.isSuccess(await send(url, trace("a"))))
    const [request] = received
    assert.ok(request)
    assert.deepEqual([request.path, request.headers["content-type"]], ["/v1/traces", "application/json"])
    const { resourceSpans } = JSON.parse(request.body)
    assert.deepEqual(resourceSpans[0].resource.attributes, [
      { key: "service.name", value: { stringValue: "chronode" } },
      { key: "service.version", value: { stringValue: "0.1.0" } },
      { key: "k8s.node.name", value: { stringValue: "node1" } }
    ])
    const [root, child] = spansIn(request)
    assert.ok(root && child)
    assert.match(root.traceId, /^[0-9a-f]{32}$/u)
    assert.match(root.spanId, /^[0-9a-f]{16}$/u)
    assert.deepEqual([root.parentSpanId, child.parentSpanId, child.traceId], [undefined, root.spanId, root.traceId])
    assert.deepEqual(
      [root.startTimeUnixNano, root.endTimeUnixNano, child.endTimeUnixNano],
      [`${at}000000`, `${at + 1500}000000`, `${at + 1001}000000`]
    )
    assert.deepEqual(root.attributes, [
      { key: "k8s.pod.name", value: { stringValue: "web" } },
      { key: "ready", value: { boolValue: true } },
      { key: "n", value: { intValue: 3 } }
    ])
    assert.deepEqual([root.status.code, child.status], [0, { code: 2, message: "no such file" }])
    assert.deepEqual(
      child.events.map(({ name, timeUnixNano }) => [name, timeUnixNano]),
      [["ContainerStartFailed", `${at + 999}000000`]]
    )
  })

  it("have the same ids whenever they are sent, and others for another start", options, async () => {
    const { received, url } = await collector(200, "{}")
    await send(url, trace("a"))
    await send(url, trace("a"), trace("b"))
    const [first, second] = received.map(spansIn)
    const idsOf = (spans: ReadonlyArray<OtlpSpan> = []) => spans.map(({ spanId, traceId }) => [traceId, spanId])
    assert.deepEqual(idsOf(second?.slice(0, 2)), idsOf(first))
    assert.notEqual(second?.[2]?.traceId, second?.[0]?.traceId)
  })

  it("belong to the trace of their traceparent", options, async () => {
    const { received, url } = await collector(200, "{}")
    await send(url, trace("a", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
    const [root, child] = spansIn(received[0] as Received)
    assert.deepEqual([root?.traceId, root?.parentSpanId], ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"])
    assert.deepEqual([child?.traceId, child?.parentSpanId], ["4bf92f3577b34da6a3ce929d0e0e4736", root?.spanId])
  })

  it("that are refused are an error with the collector's own words", options, async () => {
    const unauthorized = await collector(401, '{"message":"who are you?"}')
    const refused = failureOf(await send(unauthorized.url, trace("a")))
    assert.equal(refused.reason, "Refused")
    assert.match(refused.message, /answers 401 .*who are you\?/u)
  })

  it("of which a part is rejected are an error too", options, async () => {
    const { url } = await collector(200, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}')
    const rejected = failureOf(await send(url, trace("a")))
    assert.deepEqual([rejected.reason, rejected.message], ["Refused", "the collector rejected 1 spans: too old"])
  })

  it("of metrics are sums, gauges and histograms since the agent began", options, async () => {
    const { received, url } = await collector(200, "{}")
    const families = [
      { name: "c_total", help: "C.", type: "counter" as const, samples: [{ labels: { a: "b" }, value: 3 }] },
      { name: "g_bytes", help: "G.", type: "gauge" as const, samples: [{ labels: {}, value: 1.5 }] },
      { name: "none", help: "N.", type: "gauge" as const, samples: [] },
      {
        name: "h_seconds",
        help: "H.",
        type: "histogram" as const,
        bounds: [0.5, 1],
        samples: [{ labels: {}, counts: [1, 0, 2], sum: 7 }]
      }
    ]
    const report = { node: "node1", startedAt: at, at: at + 1000, families }
    const sent = Effect.flatMap(openExporters.metrics(url, "0.1.0"), (exporter) => exporter.send([report]))
    await Effect.runPromise(Effect.scoped(sent))
    const [request] = received
    assert.equal(request?.path, "/v1/metrics")
    const { metrics } = JSON.parse(request?.body ?? "").resourceMetrics[0].scopeMetrics[0]
    const [counter, gauge, histogram, ...rest] = metrics
    assert.deepEqual(rest, [])
    assert.deepEqual([counter.name, counter.sum.isMonotonic, counter.sum.aggregationTemporality], ["c_total", true, 2])
    const [point] = counter.sum.dataPoints
    assert.deepEqual(
      [point.asDouble, point.startTimeUnixNano, point.timeUnixNano],
      [3, `${at}000000`, `${at + 1000}000000`]
    )
    assert.deepEqual(point.attributes, [{ key: "a", value: { stringValue: "b" } }])
    assert.deepEqual([gauge.unit, gauge.gauge.dataPoints[0].asDouble], ["By", 1.5])
    const { bucketCounts, explicitBounds, count, sum } = histogram.histogram.dataPoints[0]
    assert.deepEqual([bucketCounts, explicitBounds, count, sum], [[1, 0, 2], [0.5, 1], 3, 7])
  })

  it("of logs have severity, body and the trace of their pod's start", options, async () => {
    const { received, url } = await collector(200, "{}")
    const entry: LogEntry = {
      ...{ node: "node1", at, observedAt: at + 1, name: "dev.chronode.X.v1", body: "it ended" },
      severity: "WARN",
      attributes: { "k8s.pod.name": "web", n: 3 },
      trace: { key: "a", traceparent: undefined, span: "a/root" }
    }
    const sent = Effect.flatMap(openExporters.logs(url, "0.1.0"), (exporter) =>
      exporter.send([entry, { ...entry, trace: undefined }])
    )
    await Effect.runPromise(Effect.scoped(sent))
    assert.ok(Exit.isSuccess(await send(url, trace("a"))))
    const [logs, traces] = received
    assert.equal(logs?.path, "/v1/logs")
    const [record, bare] = JSON.parse(logs?.body ?? "").resourceLogs[0].scopeLogs[0].logRecords
    assert.deepEqual(
      [record.severityNumber, record.severityText, record.body.stringValue, record.eventName],
      [13, "WARN", "it ended", "dev.chronode.X.v1"]
    )
    assert.equal(record.timeUnixNano, `${at}000000`)
    assert.ok(traces)
    const [root] = spansIn(traces)
    assert.deepEqual([record.traceId, record.spanId], [root?.traceId, root?.spanId])
    assert.equal(bare.traceId ?? "", "")
  })

  it("go to the path of their signal, below whatever address is given", () => {
    const of = (text: string) => signalUrl(text, "traces")?.href
    assert.equal(of("http://c:4318"), "http://c:4318/v1/traces")
    assert.equal(of("https://c/otlp/"), "https://c/otlp/v1/traces")
    assert.equal(of("http://c/x/v1/traces?tenant=a"), "http://c/x/v1/traces?tenant=a")
    assert.deepEqual([of("c:4318"), of("grpc://c"), of("")], [undefined, undefined, undefined])
    assert.equal(signalUrl("http://c/v1/traces", "logs")?.href, "http://c/v1/logs")
  })
})
