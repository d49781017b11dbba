/** Traces over OTLP/HTTP (JSON), by opentelemetry-js. Spans are recorded ones: they do not come from a running tracer. */
import { createHash } from "node:crypto"
import { type Attributes, diag, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { resourceFromAttributes } from "@opentelemetry/resources"
import { Effect, type Scope } from "effect"
import { exportTimeout, OtelError, type Trace, type TraceExporter, type TraceSpan } from "./port.ts"

type ReadableSpan = Parameters<OTLPTraceExporter["export"]>[0][number]

/** https://opentelemetry.io/docs/specs/otlp/#otlphttp-request */
const tracesPath = "/v1/traces"
const scopeName = "chronode"
/** A traceparent of the W3C: version, trace id, parent's span id, flags. */
const traceparentPattern = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/u

/** The address of traces at a collector: as it is where it says so, else below it. */
export const tracesUrl = (text: string): URL | undefined => {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return undefined
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined
  if (!url.pathname.endsWith(tracesPath)) url.pathname = `${url.pathname.replace(/\/$/u, "")}${tracesPath}`
  return url
}

/** `bytes` of a hash as hex: an id that is the same for the same key. */
const idOf = (key: string, bytes: number): string =>
  createHash("sha256")
    .update(key)
    .digest("hex")
    .slice(0, bytes * 2)
const traceIdBytes = 16
const spanIdBytes = 8

const hrTime = (at: number): HrTime => [Math.floor(at / 1000), (at % 1000) * 1_000_000]

interface Origin {
  readonly resource: ReadableSpan["resource"]
  readonly version: string
}

const toReadable = (trace: Trace, span: TraceSpan, origin: Origin): ReadableSpan => {
  const outer = trace.traceparent === undefined ? null : traceparentPattern.exec(trace.traceparent)
  const traceId = outer?.[1] ?? idOf(trace.key, traceIdBytes)
  const context = (spanId: string, isRemote: boolean) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote })
  const above =
    span.parent !== undefined
      ? context(idOf(span.parent, spanIdBytes), false)
      : outer === null
        ? undefined
        : context(outer[2] as string, true)
  const own = context(idOf(span.key, spanIdBytes), false)
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
    instrumentationScope: { name: scopeName, version: origin.version },
    droppedAttributesCount: 0,
    droppedEventsCount: span.droppedEvents,
    droppedLinksCount: 0
  }
}

/** What the collector says of spans that it did not take, in `partialSuccess`; the library only logs it. */
const rejectionIn = (words: ReadonlyArray<unknown>): string | undefined => {
  const json = words.find((word): word is string => typeof word === "string" && word.startsWith("{"))
  if (json === undefined) return undefined
  const { errorMessage = "", rejectedSpans = 0 } = JSON.parse(json) as Record<string, string | number | undefined>
  return Number(rejectedSpans) > 0 ? `the collector rejected ${rejectedSpans} spans: ${errorMessage}` : undefined
}

const failureOf = (url: string, error: Error | undefined): OtelError => {
  const { code, data } = (error ?? {}) as { readonly code?: unknown; readonly data?: unknown }
  if (typeof code === "number") {
    const said = typeof data === "string" && data.trim() !== "" ? `: ${data.trim().slice(0, 500)}` : ""
    return new OtelError({
      reason: "Refused",
      url,
      message: `the collector answers ${code} ${error?.message ?? ""}${said}`
    })
  }
  const message = error?.message || String(code ?? "no answer")
  return new OtelError({ reason: "Unavailable", url, message: `the collector does not answer: ${message}` })
}

/**
 * Headers, also credentials, come from the environment, as OpenTelemetry has it: OTEL_EXPORTER_OTLP_HEADERS. Nothing is
 * asked of the collector before the first `send`.
 */
export const openTraceExporter = (
  address: string,
  version: string
): Effect.Effect<TraceExporter, OtelError, Scope.Scope> =>
  Effect.gen(function* () {
    const target = tracesUrl(address)
    if (target === undefined)
      return yield* new OtelError({
        reason: "Refused",
        url: address,
        message: `'${address}' is no http:// or https:// URL`
      })
    const url = `${target.origin}${target.pathname}`
    let rejection: string | undefined
    const heard = (...words: ReadonlyArray<unknown>): void => {
      rejection ??= rejectionIn(words)
    }
    const silent = (): void => {}
    diag.setLogger({ warn: heard, error: silent, info: silent, debug: silent, verbose: silent })
    const exporter = yield* Effect.acquireRelease(
      Effect.sync(() => new OTLPTraceExporter({ url: target.href, timeoutMillis: exportTimeout })),
      (open) => Effect.promise(() => open.shutdown())
    )
    const resources = new Map<string, Origin["resource"]>()
    const resourceOf = (node: string): Origin["resource"] => {
      const known = resources.get(node)
      if (known !== undefined) return known
      const made = resourceFromAttributes({
        "service.name": scopeName,
        "service.version": version,
        "k8s.node.name": node
      })
      resources.set(node, made)
      return made
    }
    return {
      url,
      send: (traces) =>
        Effect.callback<void, OtelError>((resume) => {
          const spans = traces.flatMap((trace) => {
            const origin = { resource: resourceOf(trace.node), version }
            return trace.spans.map((span) => toReadable(trace, span, origin))
          })
          rejection = undefined
          exporter.export(spans, ({ code, error }) => {
            if (code !== 0) resume(Effect.fail(failureOf(url, error)))
            else if (rejection !== undefined)
              resume(Effect.fail(new OtelError({ reason: "Refused", url, message: rejection })))
            else resume(Effect.void)
          })
        })
    }
  })
