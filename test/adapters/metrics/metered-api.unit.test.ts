/** Requests to the node's API, as they are counted and timed. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import type { ApiRequest, Route, StreamingRoute } from "../../../src/adapters/api/port.ts"
import { addKubeletFamilies } from "../../../src/adapters/metrics/kubelet-families.ts"
import { makeRequestMeter } from "../../../src/adapters/metrics/metered-api.ts"
import { makeRegistry } from "../../../src/adapters/metrics/registry.ts"
import { parsePrometheus, valueIn } from "../../support/prometheus-text.ts"

const made = () => {
  const registry = makeRegistry()
  const meter = makeRequestMeter(addKubeletFamilies(registry))
  return { meter, told: (name: string, labels = {}) => valueIn(parsePrometheus(registry.text()), name, labels) }
}
const request = (method = "GET", listener = "tls") => ({ method, access: { listener } }) as ApiRequest
const requests = "kubelet_http_requests_total"
const inflight = "kubelet_http_inflight_requests"

describe("requests to the node's API in /metrics", () => {
  const route = (answer: Route["answer"]): Route => ({ methods: ["GET"], path: "/containerLogs/{pod}", answer })

  it("are counted by path without its variable parts, method and listener", async () => {
    const { meter, told } = made()
    let during: number | undefined
    const { answer } = meter.route(
      route(() =>
        Effect.sync(() => {
          during ??= told(inflight, { method: "GET" })
          return { status: 200, body: "" }
        })
      )
    )
    await Effect.runPromise(answer(request(), {}))
    await Effect.runPromise(answer(request("BREW", "read-only"), {}))
    const labels = { path: "containerLogs", method: "GET", server_type: "readwrite", long_running: "false" }
    assert.equal(told(requests, labels), 1)
    assert.equal(told(requests, { method: "other", server_type: "readonly" }), 1)
    assert.equal(told("kubelet_http_requests_duration_seconds_count", labels), 1)
    assert.deepEqual([during, told(inflight, labels)], [1, 0])
  })

  it("are over, too, when they are refused or the client goes", async () => {
    const { meter, told } = made()
    const refused = meter.route(route(() => Effect.fail({ _tag: "ApiRefusal", status: 404, message: "" } as const)))
    await Effect.runPromise(Effect.flip(refused.answer(request(), {})))
    const hanging = meter.route(route(() => Effect.never))
    await Effect.runPromise(Effect.timeoutOption(hanging.answer(request(), {}), 5))
    assert.deepEqual([told(requests), told(inflight)], [2, 0])
  })

  it("that are passed through last as long as their connection", async () => {
    const { meter, told } = made()
    const streaming: StreamingRoute = {
      path: "/exec/{pod}",
      target: () => Effect.succeed(new URL("http://runtime")),
      ended: () => Effect.void
    } as unknown as StreamingRoute
    const { target, ended } = meter.streaming(streaming)
    const asked = request("POST")
    await Effect.runPromise(target(asked, {}))
    const labels = { path: "exec", long_running: "true" }
    assert.deepEqual([told(requests, labels), told(inflight, labels)], [1, 1])
    await Effect.runPromise(ended(asked, { in: 1, out: 1 } as never))
    assert.deepEqual([told(inflight, labels), told("kubelet_http_requests_duration_seconds_count", labels)], [0, 1])
  })
})
