/**
 * What the TLS listener needs of files: certificate, authorities of clients, tokens, rules. All may change while the agent runs;
 * what is wrong with one is told, and costs only itself.
 */

import type { Socket } from "node:net"
import { Clock, Effect, type Scope } from "effect"
import { timestamp } from "../../events/definition.ts"
import {
  type Certificate,
  certificatesIn,
  ownCertificate,
  readCertificate,
  readPem,
  renewalBefore
} from "./certificate.ts"
import { cipherChoice, minTlsVersion } from "./cipher-suites.ts"
import { makeDoorkeeper } from "./doorkeeper.ts"
import type { Doorkeeper } from "./handler.ts"
import { readKubeconfig } from "./kubeconfig.ts"
import { type PolicyRule, parsePolicy } from "./policy.ts"
import type { ServerEvent, TlsListener } from "./port.ts"
import { makeReviewer, ReviewError } from "./reviews.ts"
import { makeTls, type TlsTrust } from "./tls.ts"
import { noTokens, readTokens, type TokenTable } from "./token-file.ts"
import { watchFiles } from "./watched.ts"

/** Expiry is looked at also where no file changes; milliseconds. */
const expiryPeriod = 6 * 3_600_000

export interface Secure {
  readonly doorkeeper: Doorkeeper
  /** A connection before its handshake. */
  readonly serve: (raw: Socket) => void
  /** The certificate in use; undefined: there is none that can be used. */
  readonly certificate: () => Certificate | undefined
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const makeSecure = (
  nodeName: string,
  settings: TlsListener,
  saw: (event: ServerEvent) => Effect.Effect<void>,
  /** Speaks HTTP on a connection after its handshake. */
  serveHttp: (socket: Socket) => void
): Effect.Effect<Secure, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { ciphers, unknown } = cipherChoice(settings.cipherSuites)
    if (unknown.length > 0)
      yield* Effect.logWarning(`tlsCipherSuites: ${unknown.join(", ")} cannot be had and are left out`)
    const tls = makeTls({ minVersion: minTlsVersion(settings.minVersion), ciphers }, serveHttp)
    let certificate: Certificate | undefined
    let refused = ""
    let expiryToldOf = ""
    let trust: TlsTrust = { authorities: [] }
    let tokens: TokenTable = noTokens
    let rules: ReadonlyArray<PolicyRule> = []

    const load = (now: number): Promise<Certificate> =>
      "directory" in settings.certificate
        ? ownCertificate({ ...settings.certificate, nodeName }, now)
        : readCertificate(settings.certificate)

    const tellExpiry = (of: Certificate, now: number): Effect.Effect<void> => {
      if (of.notAfter - now > renewalBefore || expiryToldOf === of.fingerprint) return Effect.void
      expiryToldOf = of.fingerprint
      return saw({
        _tag: "CertificateExpiring",
        certificate: of.fingerprint,
        notAfter: timestamp(of.notAfter)
      })
    }

    const refreshCertificate = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const before = certificate
      yield* Effect.tryPromise({
        try: async () => {
          const next = await load(now)
          if (next.fingerprint !== before?.fingerprint || next.key !== before.key) tls.use(next, trust)
          certificate = next
        },
        catch: messageOf
      }).pipe(
        Effect.tap(() => {
          refused = ""
          const next = certificate as Certificate
          const isNew = before !== undefined && next.fingerprint !== before.fingerprint
          const { fingerprint, notAfter } = next
          return Effect.andThen(
            isNew
              ? saw({ _tag: "CertificateReloaded", certificate: fingerprint, notAfter: timestamp(notAfter) })
              : Effect.void,
            tellExpiry(next, now)
          )
        }),
        Effect.catch((message) => {
          if (refused === message) return Effect.void
          refused = message
          return saw({ _tag: "CertificateRefused", message })
        })
      )
    })

    const refreshAuthorities = (path: string) =>
      Effect.gen(function* () {
        const read = Effect.tryPromise({
          try: async () => {
            const authorities = certificatesIn(await readPem(path))
            if (authorities.length === 0) throw new Error(`${path} holds no certificate (PEM)`)
            return authorities
          },
          catch: messageOf
        })
        const authorities = yield* Effect.catch(read, (message) =>
          Effect.as(Effect.logWarning(`clientCAFile: ${message}; certificates of clients count for nothing`), [])
        )
        if (authorities.join() === trust.authorities.join()) return
        trust = { authorities }
        const current = certificate
        if (current === undefined) return
        yield* Effect.try({ try: () => tls.use(current, trust), catch: messageOf }).pipe(
          Effect.catch((message) => Effect.logWarning(`clientCAFile: ${path}: ${message}`))
        )
      })

    const refreshTokens = (path: string) =>
      Effect.tryPromise({ try: () => readTokens(path), catch: messageOf }).pipe(
        Effect.flatMap(({ table, problems }) => {
          tokens = table
          return Effect.forEach(problems, (problem) => Effect.logWarning(`token file ${path}: ${problem}`), {
            discard: true
          })
        }),
        Effect.catch((message) => {
          tokens = noTokens
          return Effect.logError(`no token counts: ${message}`)
        })
      )

    const refreshRules = (path: string) =>
      Effect.tryPromise({
        try: async () => {
          rules = parsePolicy(await readPem(path))
        },
        catch: messageOf
      }).pipe(
        Effect.catch((message) =>
          Effect.logError(
            `policy file ${path}: ${message}; ${rules.length === 0 ? "it grants nothing" : "the rules of before stay"}`
          )
        )
      )

    const { clientCAFile, tokenFile, policyFile, kubeconfig } = settings
    const { certificate: source } = settings
    const files = "directory" in source ? [] : [source.cert, source.key]
    // Watched first, then read: no change falls between the two.
    const period = files.length === 0 ? expiryPeriod : settings.lookPeriod
    yield* watchFiles(files, refreshCertificate, { period, atLeast: expiryPeriod })
    const keepFresh = (path: string | undefined, refresh: (path: string) => Effect.Effect<void>) =>
      path === undefined
        ? Effect.void
        : Effect.andThen(watchFiles([path], refresh(path), { period: settings.lookPeriod }), refresh(path))
    yield* keepFresh(clientCAFile, refreshAuthorities)
    yield* refreshCertificate
    yield* keepFresh(tokenFile, refreshTokens)
    yield* keepFresh(policyFile, refreshRules)

    const reviewer =
      kubeconfig === undefined
        ? undefined
        : makeReviewer(
            Effect.tryPromise({
              try: () => readKubeconfig(kubeconfig),
              catch: (error) => new ReviewError({ message: messageOf(error), mayPass: false })
            })
          )
    const { anonymous, alwaysAllow, webhook } = settings
    if (anonymous && alwaysAllow)
      yield* Effect.logWarning(
        "authorization mode AlwaysAllow does not count for anonymous requests: these are refused"
      )
    const doorkeeper = makeDoorkeeper({
      nodeName,
      certificates: tls,
      tokens: () => tokens,
      rules: () => rules,
      tokenReviewer: webhook.tokens ? reviewer : undefined,
      accessReviewer: webhook.access ? reviewer : undefined,
      anonymous,
      alwaysAllow,
      tokenTtl: webhook.tokenTtl,
      allowedTtl: webhook.allowedTtl,
      deniedTtl: webhook.deniedTtl
    })
    return { doorkeeper, serve: tls.serve, certificate: () => certificate }
  })
