import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { UsageError } from "../../../src/cli/exit.ts"
import { otelOptions } from "../../../src/cli/run/otel-settings.ts"

const c = "http://collector:4318"
const all = { traces: c, metrics: c, logs: c, interval: 60_000 }

describe("where OpenTelemetry's signals go", () => {
  it("is nowhere, unless somebody says so", () => {
    assert.equal(otelOptions(undefined, undefined, {}), undefined)
    assert.equal(otelOptions(undefined, { traces: true }, { OTEL_METRIC_EXPORT_INTERVAL: "5000" }), undefined)
  })

  it("is told by the flag, the file, or the environment, in this order", () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://env:4318" }
    assert.deepEqual(otelOptions(c, { endpoint: "http://file" }, env), all)
    assert.deepEqual(otelOptions(undefined, { endpoint: c }, env), all)
    assert.equal(otelOptions(undefined, undefined, env)?.logs, "http://env:4318")
  })

  it("may be told signal by signal", () => {
    const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://t/v1/traces", OTEL_LOGS_EXPORTER: "none" }
    const { traces, metrics, logs } = otelOptions(undefined, undefined, env) ?? all
    assert.deepEqual([traces, metrics, logs], ["http://t/v1/traces", undefined, undefined])
    assert.deepEqual(otelOptions(c, { logs: false, interval: "15s" }, {}), {
      ...all,
      logs: undefined,
      interval: 15_000
    })
  })

  it("heeds OTEL_SDK_DISABLED where nobody asks for it here, and the interval of the environment", () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: c, OTEL_SDK_DISABLED: "true", OTEL_METRIC_EXPORT_INTERVAL: "5000" }
    assert.equal(otelOptions(undefined, undefined, env), undefined)
    assert.deepEqual(otelOptions(c, undefined, env), { ...all, interval: 5_000 })
  })

  it("is refused where it is no URL, by its source", () => {
    const of = (run: () => unknown) =>
      assert.throws(run, (error) => error instanceof UsageError && /no http/u.test(error.message))
    of(() => otelOptions("collector:4318", undefined, {}))
    of(() => otelOptions(undefined, { endpoint: "x" }, {}))
    of(() => otelOptions(undefined, undefined, { OTEL_EXPORTER_OTLP_ENDPOINT: "grpc://c:4317" }))
  })
})
