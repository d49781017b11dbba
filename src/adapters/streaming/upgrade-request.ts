/** What a client that asks for another protocol wants, read from its headers. Pure. */

import type { UpgradeProblem } from "./port.ts"

/** WebSocket subprotocols that runtimes do not speak, and that are translated to SPDY here, as kubelet does. */
export const closingProtocol = "v5.channel.k8s.io"
export const tunnelProtocol = "SPDY/3.1+portforward.k8s.io"

/** Names and values in turn, as they were sent. */
type RawHeaders = ReadonlyArray<string>

/** All values of a header, those behind commas apart. */
export const valuesOf = (headers: RawHeaders, name: string): ReadonlyArray<string> => {
  const values: Array<string> = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== name) continue
    for (const part of (headers[i + 1] ?? "").split(",")) if (part.trim() !== "") values.push(part.trim())
  }
  return values
}

const wholeOf = (headers: RawHeaders, name: string): ReadonlyArray<string> =>
  headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name)

export const isWebSocket = (headers: RawHeaders): boolean =>
  valuesOf(headers, "upgrade").some((value) => value.toLowerCase() === "websocket")

const isSpdy = (headers: RawHeaders): boolean =>
  valuesOf(headers, "upgrade").some((value) => value.toLowerCase() === "spdy/3.1")

/** Whether it asks for another protocol at all (`httpstream.IsUpgradeRequest`). */
export const asksForUpgrade = (headers: RawHeaders): boolean =>
  valuesOf(headers, "connection").some((value) => value.toLowerCase() === "upgrade")

const bad = (message: string) => ({ status: 400, message })

/**
 * Why a request for a stream is refused before anybody is asked: a protocol that nobody speaks, a body, or a page of another site
 * in a browser that sends its user's certificate along.
 */
export const upgradeProblem: UpgradeProblem = (method, headers) => {
  if (!asksForUpgrade(headers)) return bad("Upgrade request required")
  if (method !== "GET" && method !== "POST") return { status: 405, message: "Method Not Allowed" }
  if (valuesOf(headers, "transfer-encoding").length > 0) return bad("unable to upgrade: a request with a body")
  if (valuesOf(headers, "content-length").some((length) => length !== "0"))
    return bad("unable to upgrade: a request with a body")
  if (isWebSocket(headers)) {
    if (method !== "GET") return bad("unable to upgrade: a WebSocket is asked for with GET")
    const keys = valuesOf(headers, "sec-websocket-key")
    if (keys.length !== 1 || Buffer.from(keys[0] ?? "", "base64").length !== 16)
      return bad("unable to upgrade: Sec-WebSocket-Key is not 16 bytes")
    if (valuesOf(headers, "sec-websocket-version").join() !== "13")
      return bad("unable to upgrade: Sec-WebSocket-Version is not 13")
    return originProblem(headers)
  }
  if (!isSpdy(headers)) {
    const asked = valuesOf(headers, "upgrade").join(", ")
    return bad(`unable to upgrade: ${asked === "" ? "no protocol is named" : "only SPDY/3.1 and websocket are spoken"}`)
  }
  return undefined
}

const originProblem = (headers: RawHeaders): ReturnType<UpgradeProblem> => {
  const [origin] = wholeOf(headers, "origin")
  if (origin === undefined) return undefined
  const [host = ""] = wholeOf(headers, "host")
  const isOwn = URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
  return isOwn ? undefined : { status: 403, message: "unable to upgrade: asked for by a page of another site" }
}

/** Headers that the runtime's streaming server is told; above all no token and no cookie. */
const forwarded: ReadonlySet<string> = new Set([
  "connection",
  "upgrade",
  "x-stream-protocol-version",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "user-agent"
])

/** The request as the runtime gets it. @param address of the client; empty: not told */
export const forwardedRequest = (
  method: string,
  headers: RawHeaders,
  url: URL,
  address: string
): ReadonlyArray<string> => {
  const lines = [`${method} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`]
  for (let i = 0; i + 1 < headers.length; i += 2)
    if (forwarded.has(headers[i]?.toLowerCase() ?? "")) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  if (address !== "") lines.push(`X-Forwarded-For: ${address}`)
  if (method === "POST") lines.push("Content-Length: 0")
  return lines
}
