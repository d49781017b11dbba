/** Questions to an API server: whose token is it (TokenReview), may somebody (SubjectAccessReview). */
import { request } from "node:https"
import { Effect, Schedule, Schema, Semaphore } from "effect"
import type { ApiServer } from "./kubeconfig.ts"
import type { User } from "./port.ts"

/** No answer that says anything. */
export class ReviewError extends Schema.TaggedError<ReviewError>()("ReviewError", {
  message: Schema.String,
  /** Asking again may help. */
  mayPass: Schema.Boolean
}) {}

/** One question, and all of its tries; milliseconds. */
const callTimeout = 5_000
const reviewTimeout = 10_000
/** As kubelet asks again (`options.DefaultAuthWebhookRetryBackoff`): 500 ms, growing by half. */
const retries = Schedule.exponential(500, 1.5).pipe(Schedule.upTo({ times: 4 }))
const maxAnswerBytes = 1024 * 1024
/** Questions at one time: whoever tries tokens at random does not make the node flood the API server. */
const maxAtOnce = 16

export interface Reviewer {
  /** Undefined: nobody's. */
  readonly token: (token: string) => Effect.Effect<User | undefined, ReviewError>
  readonly access: (user: User, verb: string, subresource: string, node: string) => Effect.Effect<boolean, ReviewError>
}

const call = (server: ApiServer, path: string, body: unknown): Effect.Effect<unknown, ReviewError> =>
  Effect.flatMap(
    Effect.tryPromise({
      try: () => server.token(),
      catch: () => new ReviewError({ message: "the file of the token cannot be read", mayPass: true })
    }),
    (token) => post(server, token, path, body)
  )

const post = (
  server: ApiServer,
  token: string | undefined,
  path: string,
  body: unknown
): Effect.Effect<unknown, ReviewError> =>
  Effect.callback((resume, signal) => {
    const bytes = Buffer.from(JSON.stringify(body))
    const fail = (message: string, mayPass = true): void => resume(Effect.fail(new ReviewError({ message, mayPass })))
    const { url, certificate, serverName } = server
    const sent = request(
      {
        hostname: url.hostname.replace(/^\[|\]$/gu, ""),
        port: url.port === "" ? 443 : url.port,
        path: `${url.pathname.replace(/\/$/u, "")}${path}`,
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json",
          "content-length": bytes.length,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
        },
        ...(server.authority === undefined ? {} : { ca: server.authority }),
        ...(certificate === undefined ? {} : certificate),
        ...(serverName === undefined ? {} : { servername: serverName }),
        rejectUnauthorized: !server.insecure,
        agent: false,
        signal
      },
      (response) => {
        const chunks: Array<Uint8Array> = []
        let size = 0
        response.on("data", (chunk: Uint8Array) => {
          size += chunk.length
          if (size > maxAnswerBytes) sent.destroy(new Error("its answer is too large"))
          else chunks.push(chunk)
        })
        response.on("error", (error) => fail(error.message))
        response.on("end", () => {
          clearTimeout(timer)
          const { statusCode = 0 } = response
          if (statusCode < 200 || statusCode > 299)
            return fail(`it answered ${statusCode}`, statusCode >= 500 || statusCode === 429)
          try {
            resume(Effect.succeed(JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown))
          } catch {
            fail("its answer is no JSON", false)
          }
        })
      }
    )
    const timer = setTimeout(() => sent.destroy(new Error("no answer in time")), callTimeout)
    sent.on("error", (error) => {
      clearTimeout(timer)
      fail(error.message)
    })
    sent.end(bytes)
    return Effect.sync(() => {
      clearTimeout(timer)
      sent.destroy()
    })
  })

const Extra = Schema.optionalKey(Schema.Unknown)
const TokenReview = Schema.Struct({
  status: Schema.Struct({
    authenticated: Schema.optionalKey(Schema.Boolean),
    error: Schema.optionalKey(Schema.String),
    user: Schema.optionalKey(
      Schema.Struct({
        username: Schema.optionalKey(Schema.String),
        uid: Schema.optionalKey(Schema.String),
        groups: Schema.optionalKey(Schema.Array(Schema.String)),
        extra: Extra
      })
    )
  })
})
const AccessReview = Schema.Struct({
  status: Schema.Struct({
    allowed: Schema.optionalKey(Schema.Boolean),
    denied: Schema.optionalKey(Schema.Boolean),
    evaluationError: Schema.optionalKey(Schema.String)
  })
})
const readTokenReview = Schema.decodeUnknownEffect(TokenReview)
const readAccessReview = Schema.decodeUnknownEffect(AccessReview)

const noReview = () => new ReviewError({ message: "its answer is no review", mayPass: false })

const patiently =
  (turns: Semaphore.Semaphore) =>
  <A>(one: Effect.Effect<A, ReviewError>): Effect.Effect<A, ReviewError> =>
    one.pipe(
      Effect.retry({ schedule: retries, while: ({ mayPass }) => mayPass }),
      turns.withPermits(1),
      Effect.timeoutOrElse({
        duration: reviewTimeout,
        orElse: () => Effect.fail(new ReviewError({ message: "no answer in time", mayPass: true }))
      })
    )

/** @param server read anew where its file changed */
export const makeReviewer = (server: Effect.Effect<ApiServer, ReviewError>): Reviewer => {
  const asking = patiently(Semaphore.makeUnsafe(maxAtOnce))
  return {
    token: (token) =>
      Effect.gen(function* () {
        const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } }
        const answer = yield* call(yield* server, "/apis/authentication.k8s.io/v1/tokenreviews", body)
        const { status } = yield* Effect.mapError(readTokenReview(answer), noReview)
        const { username, uid, groups = [] } = status.user ?? {}
        if (status.authenticated !== true || username === undefined || username === "") return undefined
        return { name: username, ...(uid === undefined || uid === "" ? {} : { uid }), groups }
      }).pipe(asking),
    access: ({ name, uid, groups }, verb, subresource, node) =>
      Effect.gen(function* () {
        const resourceAttributes = { verb, version: "v1", resource: "nodes", subresource, name: node }
        const body = {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SubjectAccessReview",
          spec: { user: name, groups, ...(uid === undefined ? {} : { uid }), resourceAttributes }
        }
        const answer = yield* call(yield* server, "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
        const { status } = yield* Effect.mapError(readAccessReview(answer), noReview)
        return status.allowed === true && status.denied !== true
      }).pipe(asking)
  }
}
