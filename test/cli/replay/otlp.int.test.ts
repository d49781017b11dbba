/** `replay --otlp` as it is typed, from a recorded log to a collector over HTTP. */
import assert from "node:assert/strict"
import { createServer } from "node:http"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { openExporters } from "../../../src/adapters/otel/live.ts"
import { runMain } from "../in-process.ts"

const golden = (name: string) => fileURLToPath(new URL(`../../golden/0.1.0/${name}.ndjson`, import.meta.url))
const options = { timeout: 60_000 }

const run = (...words: ReadonlyArray<string>) =>
  runMain(["replay", ...words], { openTraces: async () => openExporters.traces })

interface Span {
  readonly name: string
  readonly spanId: string
  readonly parentSpanId?: string
}

/** The spans that a collector with this answer was sent. */
const withCollector = async (status: number, use: (url: string) => Promise<void>): Promise<ReadonlyArray<Span>> => {
  const spans: Array<Span> = []
  const server = createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (piece: string) => {
      body += piece
    })
    request.on("end", () => {
      spans.push(...JSON.parse(body).resourceSpans[0].scopeSpans[0].spans)
      response.writeHead(status, { "content-type": "application/json" }).end("{}")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  try {
    await use(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`)
  } finally {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return spans
}

describe("replay --otlp", () => {
  it("sends the starts of a recorded incident, each step below the one that it is part of", options, async () => {
    const spans = await withCollector(200, async (url) => {
      const { code, err, out } = await run(golden("liveness-kill"), "--otlp", url)
      assert.deepEqual([code, err], [0, ""])
      assert.equal(out, `1 pod starts (all ready) in 8 spans sent to ${url}/v1/traces\n`)
    })
    const names = ["pod start", "admission", "sandbox create", "image lookup", "container"]
    const steps = ["container create", "container start", "container ready"]
    assert.deepEqual(new Set(spans.map(({ name }) => name)), new Set([...names, ...steps]))
    const named = (name: string) => spans.find((span) => span.name === name)
    for (const name of names.slice(1)) assert.equal(named(name)?.parentSpanId, named("pod start")?.spanId, name)
    for (const name of steps) assert.equal(named(name)?.parentSpanId, named("container")?.spanId, name)
  })

  it("sends those that a filter chooses by their admission, and counts those that failed", options, async () => {
    const none = await withCollector(200, async (url) => {
      const { code, out } = await run(golden("liveness-kill"), "--otlp", url, "--pod", "default/other")
      assert.deepEqual([code, /^no pod starts in .*: nothing was sent\n$/u.test(out)], [0, true], out)
    })
    assert.deepEqual(none, [])
    await withCollector(200, async (url) => {
      const { out } = await run(golden("image-missing"), "--otlp", url, "--until", "2026-01-01T00:00:05Z", "-o", "json")
      const { failed, traces } = JSON.parse(out)
      assert.deepEqual({ failed, traces }, { failed: 1, traces: 1 })
    })
  })

  it("fails where the collector refuses or the address is none", options, async () => {
    await withCollector(400, async (url) => {
      const { code, err } = await run(golden("liveness-kill"), "--otlp", url)
      assert.equal(code, 1)
      assert.match(err, /the collector answers 400/u)
    })
    const { code, err } = await run(golden("liveness-kill"), "--otlp", "collector:4318")
    assert.deepEqual([code, /is no http:\/\/ or https:\/\/ URL/u.test(err)], [1, true], err)
  })
})
