/**
 * Asking over HTTP (`pkg/probe/http/http.go`): 200 to 399 is good, redirects are followed on the same host only,
 * certificates are not checked, a connection serves one request, and no proxy is asked.
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

/** What began as an answer and did not come whole: as kubelet has it, this says nothing of the container. */
class BrokenAnswer extends Error {}

/** The server speaks plain HTTP where TLS was asked for, in the words of each of our runtimes. */
const isPlainAnswer = (error: Error): boolean =>
  /wrong version number|packet length too long|InvalidContentType|ERR_SSL_WRONG_VERSION_NUMBER/u.test(
    `${(error as NodeJS.ErrnoException).code ?? ""} ${error.message}`
  )

/** One request on a connection of its own. The callback runs once; the answered function ends the request early. */
const request = (
  url: URL,
  question: HttpQuestion,
  hostHeader: string | undefined,
  done: (result: Response | Error) => void
): Request => {
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
  let isAnswered = false
  const finish = (result: Response | Error): void => {
    if (isDone) return
    isDone = true
    done(result)
  }
  const sent = (isSecure ? https : http).request(options, (response) => {
    isAnswered = true
    const broken = (): void => finish(new BrokenAnswer("the connection broke off in the middle of the answer"))
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
    response.on("error", broken)
    response.on("aborted", broken)
  })
  sent.on("error", finish)
  sent.end()
  return {
    isAnswered: () => isAnswered,
    cancel: () => {
      isDone = true
      sent.destroy()
    }
  }
}

interface Request {
  /** The head of an answer is here. */
  readonly isAnswered: () => boolean
  readonly cancel: () => void
}

const incomplete = (output: string, timedOut: boolean): Outcome => ({ result: "error", output, timedOut })

/** A hook's request without what is meant for TLS alone (`pkg/kubelet/lifecycle/handlers.go` LifecycleHTTPFallback). */
const inPlainText = (question: HttpQuestion): HttpQuestion => ({
  ...question,
  scheme: "HTTP",
  headers: question.headers.filter(({ name }) => name.toLowerCase() !== "authorization")
})

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
    let current: Request | undefined
    let isOver = false
    const end = (outcome: Outcome): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      current?.cancel()
      resume(Effect.succeed(outcome))
    }
    const timer = setTimeout(() => {
      const seconds = question.timeoutSeconds
      end(
        current?.isAnswered() === true
          ? incomplete(`the answer did not come whole within ${seconds} s`, true)
          : late(seconds)
      )
    }, question.timeoutSeconds * 1000)
    const go = (question: HttpQuestion, url: URL, hostHeader: string | undefined, redirects: number): void => {
      try {
        current = request(url, question, hostHeader, (result) => {
          if (isOver) return
          if (result instanceof BrokenAnswer) {
            // Of a hook, that it was answered is enough.
            if (question.anyStatus === true) return end(succeeded(""))
            return end(incomplete(`GET ${url.href}: ${result.message}`, false))
          }
          if (result instanceof Error) {
            if (question.anyStatus === true && question.scheme === "HTTPS" && isPlainAnswer(result))
              return begin(inPlainText(question))
            return end(failed(`GET ${url.href}: ${describe(result)}`))
          }
          if (question.anyStatus === true && !redirectCodes.has(result.status)) return end(succeeded(result.body))
          const turn = judge(result, url, hostHeader, redirects)
          if ("outcome" in turn) end(turn.outcome)
          else go(question, turn.next, turn.hostHeader, redirects + 1)
        })
      } catch (error) {
        // Bad header values and the like: the question itself cannot be asked.
        end({ result: "error", output: describe(error), timedOut: false })
      }
    }
    const begin = (question: HttpQuestion): void => {
      try {
        const { scheme, host, port, path, headers } = question
        const hostHeader = requestHeaders(headers).host ?? hostAndPort(host, port)
        // With its port even where that is the scheme's own, as Go sends it.
        go(question, new URL(formatUrl(scheme, host, port, path)), hostHeader, 0)
      } catch (error) {
        end({ result: "error", output: describe(error), timedOut: false })
      }
    }
    begin(question)
    return Effect.sync(() => {
      isOver = true
      clearTimeout(timer)
      current?.cancel()
    })
  })

/** Several addresses that all fail come as one error without a message of its own. */
const describe = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  const code = (error as NodeJS.ErrnoException).code
  return error.message === "" || error.message === undefined ? (code ?? error.name) : error.message
}
