/** Traces to a collector over real HTTP: one that decodes OTLP/JSON by the specification, and some that refuse. */
import assert from "node:assert/strict"
import { createServer, type IncomingHttpHeaders, type Server } from "node:http"
import { afterEach, describe, it } from "node:test"
import { Effect, Exit } from "effect"
import { openTraceExporter, tracesUrl } from "../../../src/adapters/otel/live.ts"
import { OtelError, type Trace } from "../../../src/adapters/otel/port.ts"

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
    Effect.scoped(Effect.flatMap(openTraceExporter(url, "0.1.0"), (exporter) => exporter.send(traces)))
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

describe("traces over OTLP", () => {
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

  it("go to the path of traces, below whatever address is given", () => {
    const of = (text: string) => tracesUrl(text)?.href
    assert.equal(of("http://c:4318"), "http://c:4318/v1/traces")
    assert.equal(of("https://c/otlp/"), "https://c/otlp/v1/traces")
    assert.equal(of("http://c/x/v1/traces?tenant=a"), "http://c/x/v1/traces?tenant=a")
    assert.deepEqual([of("c:4318"), of("grpc://c"), of("")], [undefined, undefined, undefined])
  })
})
