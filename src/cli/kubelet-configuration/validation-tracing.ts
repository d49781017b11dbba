/** Bounds of `tracing` (`staging/src/k8s.io/component-base/tracing/api/v1/config.go`), in its words. */
import type { KubeletConfiguration } from "./shape.ts"

const mostPerMillion = 1_000_000
const schemes = ["dns", "unix", "unix-abstract"]

/** What Go's url.Parse finds wrong with the beginning of an address. */
const parseFault = (url: string): string | undefined => {
  if (url.startsWith(":")) return "missing protocol scheme"
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/u.exec(url)
  const [segment] = url.split("/") as [string]
  return scheme === null && segment.includes(":") ? "first path segment in URL cannot contain colon" : undefined
}

export const tracingProblems = (
  tracing: KubeletConfiguration["tracing"]
): ReadonlyArray<readonly [field: string, message: string]> => {
  const problems: Array<readonly [string, string]> = []
  const invalid = (field: string, value: unknown, why: string): void => {
    problems.push([`tracing.${field}`, `tracing.${field}: Invalid value: ${JSON.stringify(value)}: ${why}`])
  }
  const rate = tracing?.samplingRatePerMillion
  if (rate !== undefined && rate < 0) invalid("samplingRatePerMillion", rate, "sampling rate must be positive")
  if (rate !== undefined && rate > mostPerMillion)
    invalid("samplingRatePerMillion", rate, "sampling rate per million must be less than or equal to one million")
  if (tracing?.endpoint === undefined) return problems
  const endpoint = tracing.endpoint.includes("//") ? tracing.endpoint : `dns://${tracing.endpoint}`
  const fault = parseFault(endpoint)
  if (fault !== undefined) invalid("endpoint", endpoint, `parse ${JSON.stringify(endpoint)}: ${fault}`)
  else {
    const [scheme] = endpoint.split(":") as [string]
    if (!schemes.includes(scheme))
      invalid("endpoint", endpoint, `unsupported scheme: ${scheme}.  Options are none, dns, unix, or unix-abstract`)
  }
  return problems
}
