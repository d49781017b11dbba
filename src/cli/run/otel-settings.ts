/**
 * Where OpenTelemetry's signals go: `--otlp` over the configuration file over OpenTelemetry's own variables of the environment
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). Headers, certificates and timeouts are the library's to read.
 */
import { type Signal, signals, signalUrl } from "../../adapters/otel/port.ts"
import { UsageError } from "../exit.ts"
import { lengthOf } from "../times.ts"

export interface OtelOptions extends Readonly<Record<Signal, string | undefined>> {
  /** From one report of metrics to the next, milliseconds. */
  readonly interval: number
}

/** In the configuration file. */
export interface OtelConfiguration {
  readonly endpoint?: string
  readonly traces?: boolean
  readonly metrics?: boolean
  readonly logs?: boolean
  readonly interval?: string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** OpenTelemetry's default of OTEL_METRIC_EXPORT_INTERVAL. */
const defaultInterval = 60_000
const leastInterval = 1_000

const checked = (url: string, source: string): string => {
  if (signalUrl(url, "traces") === undefined)
    throw new UsageError(`${source}: '${url}' is no http:// or https:// URL; write http://collector:4318`)
  return url
}

const intervalOf = (told: string | undefined, env: Environment): number => {
  const length = told === undefined ? Number(env.OTEL_METRIC_EXPORT_INTERVAL || defaultInterval) : lengthOf(told)
  if (!Number.isFinite(length) || length <= 0)
    throw new UsageError(
      `OTEL_METRIC_EXPORT_INTERVAL: '${env.OTEL_METRIC_EXPORT_INTERVAL}' is no number of milliseconds`
    )
  return Math.max(leastInterval, length)
}

/** Undefined: nothing is sent anywhere. @throws UsageError */
export const otelOptions = (
  flag: string | undefined,
  told: OtelConfiguration | undefined,
  env: Environment
): OtelOptions | undefined => {
  const fixed =
    flag !== undefined ? checked(flag, "--otlp") : told?.endpoint ? checked(told.endpoint, "otel.endpoint") : undefined
  if (fixed === undefined && env.OTEL_SDK_DISABLED?.toLowerCase() === "true") return undefined
  const addressOf = (signal: Signal): string | undefined => {
    const name = signal.toUpperCase()
    if (told?.[signal] === false || env[`OTEL_${name}_EXPORTER`] === "none") return undefined
    if (fixed !== undefined) return fixed
    for (const variable of [`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`, "OTEL_EXPORTER_OTLP_ENDPOINT"]) {
      const url = env[variable]
      if (url) return checked(url, variable)
    }
    return undefined
  }
  const [traces, metrics, logs] = signals.map(addressOf)
  if (traces === undefined && metrics === undefined && logs === undefined) return undefined
  return { traces, metrics, logs, interval: intervalOf(told?.interval, env) }
}
