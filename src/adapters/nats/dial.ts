/** One connection to NATS, and what its errors mean. Shared by the stream's live adapter and the subscriber. */
import { readFileSync } from "node:fs"
import { JetStreamApiError } from "@nats-io/jetstream"
import {
  AuthorizationError,
  type ConnectionOptions,
  credsAuthenticator,
  NoRespondersError,
  nkeyAuthenticator,
  PermissionViolationError,
  RequestError,
  TimeoutError,
  UserAuthenticationExpiredError
} from "@nats-io/nats-core"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { Effect, Redacted, type Scope } from "effect"
import { type Authentication, describeTarget, type NatsTarget, seedPattern } from "./connection.ts"
import { connectTimeout, StreamError } from "./port.ts"
import { keepErrorListeners } from "./transport.ts"

keepErrorListeners()

/** Milliseconds between pings of an idle connection, and how many may stay unanswered. */
const pingInterval = 10_000
const maxPingOut = 2
/** Milliseconds between attempts of a connection that reconnects by itself (readers only). */
const reconnectWait = 1_000

type Reason = StreamError["reason"]

/** https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const apiReasons: Readonly<Record<number, Reason>> = {
  10008: "Unavailable", // JetStream system temporarily unavailable
  10009: "Unavailable", // JetStream cluster has no leader
  10023: "StreamRefused", // insufficient resources
  10035: "JetStreamDisabled", // not enabled for the account
  10037: "Protocol", // no message found; asked for by callers that expect it
  10039: "JetStreamDisabled",
  10059: "StreamAbsent",
  10070: "WrongLastSequence", // wrong last message id
  10071: "WrongLastSequence",
  10076: "JetStreamDisabled",
  10164: "WrongLastSequence"
}

/** What an error of the API or of a publish acknowledgement means. */
export const apiError = (server: string, code: number, description: string): StreamError => {
  const reason = apiReasons[code] ?? "StreamRefused"
  // "wrong last sequence: 1234", "wrong last msg ID: …": the rest would make every message different.
  const message = reason === "WrongLastSequence" ? "another message stands where the next one should" : description
  return new StreamError({ reason, server, message })
}

const textOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : String(error)

/** Any error of the client library. Messages carry nothing that varies from one attempt to the next. */
export const toStreamError = (server: string, error: unknown): StreamError => {
  if (error instanceof StreamError) return error
  if (error instanceof JetStreamApiError) return apiError(server, error.code, error.apiError().description)
  const make = (reason: Reason, message: string) => new StreamError({ reason, server, message })
  if (error instanceof Error && error.name === "JetStreamNotEnabled") {
    return make("JetStreamDisabled", "nobody answers for JetStream on this server or account")
  }
  if (error instanceof AuthorizationError) {
    return make("AuthorizationViolation", "the server refuses these credentials (authorization violation)")
  }
  if (error instanceof UserAuthenticationExpiredError)
    return make("AuthorizationViolation", "the credentials have expired")
  if (error instanceof PermissionViolationError) {
    return make("PermissionDenied", `not permitted: ${error.operation} ${error.subject}`)
  }
  if (error instanceof NoRespondersError)
    return make("JetStreamDisabled", "nobody answers for JetStream on this server or account")
  if (error instanceof TimeoutError) return make("TimedOut", "the server does not answer")
  if (error instanceof RequestError && error.cause !== undefined) return toStreamError(server, error.cause)
  const code = (error as { readonly code?: unknown } | null)?.code
  const cause = error instanceof Error ? error.cause : undefined
  if (typeof code !== "string" && cause instanceof Error && /refused/u.test(textOf(error))) {
    return make("Unavailable", "connection refused")
  }
  return make(
    "Unavailable",
    typeof code === "string" && !textOf(error).includes(code) ? `${textOf(error)} (${code})` : textOf(error)
  )
}

const authenticate = (authentication: Authentication): Partial<ConnectionOptions> => {
  switch (authentication._tag) {
    case "None":
      return {}
    case "Password":
      return { user: authentication.user, pass: Redacted.value(authentication.password) }
    case "Token":
      return { token: Redacted.value(authentication.token) }
    case "Creds":
      return { authenticator: credsAuthenticator(readFileSync(authentication.file)) }
    case "Nkey": {
      const seed = seedPattern.exec(readFileSync(authentication.file, "utf8"))?.[0] ?? ""
      return { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) }
    }
  }
}

const optionsOf = (target: NatsTarget, name: string, reconnect: boolean): ConnectionOptions => ({
  servers: [...target.servers],
  name,
  reconnect,
  maxReconnectAttempts: -1,
  reconnectTimeWait: reconnectWait,
  ignoreAuthErrorAbort: true,
  timeout: connectTimeout,
  pingInterval,
  maxPingOut,
  noAsyncTraces: true,
  ...(target.inboxPrefix === undefined ? {} : { inboxPrefix: target.inboxPrefix }),
  ...(target.tls === undefined
    ? {}
    : {
        tls: {
          ...(target.tls.ca === undefined ? {} : { caFile: target.tls.ca }),
          ...(target.tls.cert === undefined ? {} : { certFile: target.tls.cert }),
          ...(target.tls.key === undefined ? {} : { keyFile: target.tls.key }),
          ...(target.tls.first === true ? { handshakeFirst: true } : {})
        }
      }),
  ...authenticate(target.authentication)
})

/**
 * Connects; closed with the scope. `name` is what `nats server report connections` shows. With `reconnect` the
 * connection comes back by itself for ever; without, it ends when it breaks.
 */
export const dial = (
  target: NatsTarget,
  name: string,
  reconnect: boolean
): Effect.Effect<NatsConnection, StreamError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<NatsConnection, StreamError>((resume) => {
      let wanted = true
      const server = describeTarget(target)
      let options: ConnectionOptions
      try {
        options = optionsOf(target, name, reconnect)
      } catch (error) {
        const code = String((error as { readonly code?: unknown }).code ?? "unreadable")
        const message = `the credentials cannot be read (${code})`
        resume(Effect.fail(new StreamError({ reason: "AuthorizationViolation", server, message })))
        return
      }
      connect(options).then(
        (connection) => {
          if (wanted) resume(Effect.succeed(connection))
          else void connection.close()
        },
        (error) => resume(Effect.fail(toStreamError(server, error)))
      )
      return Effect.sync(() => {
        wanted = false
      })
    }),
    // `close` gives up what is buffered; nothing waits for a server that is gone.
    (connection) => Effect.promise(() => connection.close()),
    { interruptible: true }
  )
