/** The request of an HTTP probe (`pkg/probe/http/request.go` of Kubernetes 1.36): URL and headers. */
import { isIPv6 } from "node:net"

/** What servers see; access logs and filters know kubelet's probes by it. */
export const userAgent = "kube-probe/1.36"

/** `host:port`, brackets around IPv6. */
export const hostAndPort = (host: string, port: number): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`

/** `http://10.0.0.3:8080/healthz?full`. The path stays as it is written. */
export const formatUrl = (scheme: string, host: string, port: number, path: string): string => {
  const rest = path === "" || path.startsWith("/") || path.startsWith("?") || path.startsWith("#") ? path : `/${path}`
  return `${scheme.toLowerCase()}://${hostAndPort(host, port)}${rest}`
}

/** Path and query as they go on the wire: no fragment, and no byte that a request line cannot hold. */
export const requestTarget = (url: string): string => {
  const parsed = new URL(url)
  return `${parsed.pathname}${parsed.search}`
}

const canonicalName = (name: string): string =>
  name.toLowerCase().replace(/(^|-)([a-z])/gu, (_, dash: string, letter: string) => `${dash}${letter.toUpperCase()}`)

/** Headers by canonical name, several values of one name in order. */
export const headerMap = (
  headers: ReadonlyArray<{ readonly name: string; readonly value: string }>
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const map = new Map<string, Array<string>>()
  for (const { name, value } of headers) {
    const values = map.get(canonicalName(name))
    if (values === undefined) map.set(canonicalName(name), [value])
    else values.push(value)
  }
  return map
}

export interface RequestHeaders {
  /** As sent, without `Host`. */
  readonly headers: ReadonlyMap<string, ReadonlyArray<string>>
  /** Of the `Host` header, where one was given. */
  readonly host: string | undefined
}

/** With the defaults: an empty User-Agent or Accept means none at all. */
export const requestHeaders = (
  given: ReadonlyArray<{ readonly name: string; readonly value: string }>
): RequestHeaders => {
  const headers = new Map(headerMap(given))
  const host = headers.get("Host")?.[0]
  headers.delete("Host")
  for (const [name, value] of [
    ["User-Agent", userAgent],
    ["Accept", "*/*"]
  ] as const) {
    const own = headers.get(name)
    if (own === undefined) headers.set(name, [value])
    else if (own[0] === "") headers.delete(name)
  }
  return { headers, host: host === "" ? undefined : host }
}
