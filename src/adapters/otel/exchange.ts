/** What all signals have in common on their way to a collector: who sends, its address, its answers, and how they fail. */
import { diag } from "@opentelemetry/api"
import { resourceFromAttributes } from "@opentelemetry/resources"
import { Effect, type Scope } from "effect"
import { type Exporter, OtelError, type Signal, signalUrl } from "./port.ts"

const scopeName = "chronode"

/** Of whom something is told. */
export interface Origin {
  readonly resource: ReturnType<typeof resourceFromAttributes>
  readonly scope: { readonly name: string; readonly version: string }
}

const origins = new Map<string, Origin>()

/** @param version of this program */
export const originOf = (node: string, version: string): Origin => {
  const key = `${node} ${version}`
  const known = origins.get(key)
  if (known !== undefined) return known
  const made: Origin = {
    resource: resourceFromAttributes({
      "service.name": scopeName,
      "service.version": version,
      "k8s.node.name": node
    }),
    scope: { name: scopeName, version }
  }
  origins.set(key, made)
  return made
}

/** What a collector calls what it did not take, by signal. */
const rejectedFields = {
  traces: ["rejectedSpans", "spans"],
  metrics: ["rejectedDataPoints", "data points"],
  logs: ["rejectedLogRecords", "log records"]
} as const satisfies Readonly<Record<Signal, readonly [field: string, what: string]>>

/** Since the last request of each signal. */
const rejections: Partial<Record<Signal, string>> = {}

/** What the collector says of what it did not take, in `partialSuccess`; the library only logs it. */
const heard = (...words: ReadonlyArray<unknown>): void => {
  const json = words.find((word): word is string => typeof word === "string" && word.startsWith("{"))
  if (json === undefined) return
  const answer = JSON.parse(json) as Record<string, string | number | undefined>
  for (const [signal, [field, what]] of Object.entries(rejectedFields))
    if (Number(answer[field] ?? 0) > 0)
      rejections[signal as Signal] ??= `the collector rejected ${answer[field]} ${what}: ${answer.errorMessage ?? ""}`
}

/** Answers after which the same may be sent again (https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes). */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504])

const failureOf = (url: string, error: Error | undefined): OtelError => {
  const { code, data } = (error ?? {}) as { readonly code?: unknown; readonly data?: unknown }
  if (typeof code === "number") {
    const reason = passing.has(code) ? "Unavailable" : "Refused"
    const said = typeof data === "string" && data.trim() !== "" ? `: ${data.trim().slice(0, 500)}` : ""
    return new OtelError({
      reason,
      url,
      message: `the collector answers ${code} ${error?.message ?? ""}${said}`
    })
  }
  const message = error?.message || String(code ?? "no answer")
  return new OtelError({ reason: "Unavailable", url, message: `the collector does not answer: ${message}` })
}

/** One of the library's exporters. */
interface LibraryExporter<B> {
  readonly export: (batch: B, done: (result: { readonly code: number; readonly error?: Error }) => void) => void
  readonly shutdown: () => Promise<void>
}

/**
 * Headers, also credentials, come from the environment, as OpenTelemetry has it: OTEL_EXPORTER_OTLP_HEADERS. Nothing is
 * asked of the collector before the first `send`.
 */
export const openExporter = <A, B>(
  address: string,
  signal: Signal,
  make: (url: string) => LibraryExporter<B>,
  batchOf: (items: ReadonlyArray<A>) => B
): Effect.Effect<Exporter<A>, OtelError, Scope.Scope> =>
  Effect.gen(function* () {
    const target = signalUrl(address, signal)
    if (target === undefined)
      return yield* new OtelError({
        reason: "Refused",
        url: address,
        message: `'${address}' is no http:// or https:// URL`
      })
    const url = `${target.origin}${target.pathname}`
    const silent = (): void => {}
    diag.setLogger(
      { warn: heard, error: silent, info: silent, debug: silent, verbose: silent },
      { suppressOverrideMessage: true }
    )
    const exporter = yield* Effect.acquireRelease(
      Effect.sync(() => make(target.href)),
      (open) => Effect.promise(() => open.shutdown())
    )
    return {
      url,
      send: (items) =>
        Effect.callback<void, OtelError>((resume) => {
          delete rejections[signal]
          exporter.export(batchOf(items), ({ code, error }) => {
            const rejection = rejections[signal]
            if (code !== 0) resume(Effect.fail(failureOf(url, error)))
            else if (rejection !== undefined)
              resume(Effect.fail(new OtelError({ reason: "Refused", url, message: rejection })))
            else resume(Effect.void)
          })
        })
    }
  })
