/**
 * Asking over HTTP (`pkg/probe/http/http.go`): 200 to 399 is good, redirects are followed on the same host only,
 * certificates are not checked, a connection serves one request.
 */
import * as http from "node:http"
import * as https from "node:https"
import { Effect } from "effect"
import { formatUrl, hostAndPort, requestHeaders, requestTarget } from "./http-request.ts"
import { failed, late, type Outcome, succeeded } from "./outcome.ts"
import type { HttpQuestion } from "./port.ts"

/** Bytes of a body that are read (`maxRespBodyLength`). */
const maxBodyBytes = 10 * 1024
/** As Go's http.Client. */
const maxRedirects = 10
const redirectCodes = new Set([301, 302, 303, 307, 308])

/** A connection serves one request; one agent for all, since `agent: false` makes a new one for each. */
const plainAgent = new http.Agent({ keepAlive: false })
const secureAgent = new https.Agent({ keepAlive: false, rejectUnauthorized: false, maxCachedSessions: 0 })

interface Response {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

/** One request on a connection of its own. The callback runs once; the answered function ends the request early. */
const request = (
  url: URL,
  question: HttpQuestion,
  hostHeader: string | undefined,
  done: (result: Response | Error) => void
): (() => void) => {
  const { headers } = requestHeaders(question.headers)
  const isSecure = url.protocol === "https:"
  const options: https.RequestOptions = {
    method: "GET",
    hostname: url.hostname.replace(/^\[|\]$/gu, ""),
    port: url.port === "" ? (isSecure ? 443 : 80) : url.port,
    path: requestTarget(url.href),
    headers: {
      ...Object.fromEntries(
        [...headers].map(([name, values]) => [name, values.length === 1 ? values[0]! : [...values]])
      ),
      Host: hostHeader ?? url.host,
      Connection: "close"
    },
    agent: isSecure ? secureAgent : plainAgent,
    ...(isSecure ? { rejectUnauthorized: false } : {})
  }
  let isDone = false
  const finish = (result: Response | Error): void => {
    if (isDone) return
    isDone = true
    done(result)
  }
  const sent = (isSecure ? https : http).request(options, (response) => {
    const chunks: Array<Buffer> = []
    let bytes = 0
    const complete = (): void =>
      finish({
        status: response.statusCode ?? 0,
        location: response.headers.location,
        body: Buffer.concat(chunks).subarray(0, maxBodyBytes).toString("utf8")
      })
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes < maxBodyBytes) return
      complete()
      sent.destroy()
    })
    response.on("end", complete)
    response.on("error", finish)
    response.on("aborted", () => finish(new Error("the connection broke off in the middle of the answer")))
  })
  sent.on("error", finish)
  sent.end()
  return () => {
    isDone = true
    sent.destroy()
  }
}

type Turn = { readonly next: URL; readonly hostHeader: string | undefined } | { readonly outcome: Outcome }

/** What an answer means: the end, or a redirect to follow. */
const judge = (response: Response, url: URL, hostHeader: string | undefined, redirects: number): Turn => {
  const { status, location, body } = response
  if (redirectCodes.has(status) && location !== undefined && location !== "") {
    let next: URL
    try {
      next = new URL(location, url)
    } catch {
      return { outcome: failed(`redirected to ${JSON.stringify(location)}, which is no URL`) }
    }
    if (next.hostname === url.hostname && (next.protocol === "http:" || next.protocol === "https:")) {
      if (redirects + 1 >= maxRedirects) return { outcome: failed(`stopped after ${maxRedirects} redirects`) }
      // The given Host header goes along with relative redirects only, as in Go's client.
      const isAbsolute = /^[a-z][a-z0-9+.-]*:/iu.test(location)
      return { next, hostHeader: isAbsolute ? undefined : hostHeader }
    }
  }
  if (status >= 300 && status < 400) {
    return {
      outcome: { result: "warning", output: `Probe terminated redirects, Response body: ${body}`, timedOut: false }
    }
  }
  if (status >= 200 && status < 300) return { outcome: succeeded(body) }
  return { outcome: failed(`HTTP probe failed with statuscode: ${status}`) }
}

export const askHttp = (question: HttpQuestion): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    let cancel = (): void => {}
    let isOver = false
    const end = (outcome: Outcome): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      cancel()
      resume(Effect.succeed(outcome))
    }
    const timer = setTimeout(() => end(late(question.timeoutSeconds)), question.timeoutSeconds * 1000)
    const go = (url: URL, hostHeader: string | undefined, redirects: number): void => {
      try {
        cancel = request(url, question, hostHeader, (result) => {
          if (isOver) return
          if (result instanceof Error) return end(failed(`GET ${url.href}: ${describe(result)}`))
          if (question.anyStatus === true && !redirectCodes.has(result.status)) return end(succeeded(result.body))
          const turn = judge(result, url, hostHeader, redirects)
          if ("outcome" in turn) end(turn.outcome)
          else go(turn.next, turn.hostHeader, redirects + 1)
        })
      } catch (error) {
        // Bad header values and the like: the question itself cannot be asked.
        end({ result: "error", output: describe(error), timedOut: false })
      }
    }
    try {
      const { scheme, host, port, path, headers } = question
      // With its port even where that is the scheme's own, as Go sends it.
      go(new URL(formatUrl(scheme, host, port, path)), requestHeaders(headers).host ?? hostAndPort(host, port), 0)
    } catch (error) {
      end({ result: "error", output: describe(error), timedOut: false })
    }
    return Effect.sync(() => {
      isOver = true
      clearTimeout(timer)
      cancel()
    })
  })

/** Several addresses that all fail come as one error without a message of its own. */
const describe = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  const code = (error as NodeJS.ErrnoException).code
  return error.message === "" || error.message === undefined ? (code ?? error.name) : error.message
}
