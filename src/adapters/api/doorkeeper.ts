/** Who asks, and whether he may: certificates, tokens and the API server's word put together (`cmd/kubelet/app/auth.go`). */
import { createHash } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { Clock, Effect } from "effect"
import { attributesOf } from "./attributes.ts"
import type { Doorkeeper } from "./handler.ts"
import { isGranted, type PolicyRule } from "./policy.ts"
import { refusal, type User } from "./port.ts"
import type { Reviewer } from "./reviews.ts"
import type { ClientCertificates } from "./tls.ts"
import type { TokenTable } from "./token-file.ts"
import { makeTtlCache } from "./ttl-cache.ts"

/** Answers of the API server that are kept, of each kind. */
const maxKept = 1_024
/** Characters of a token; a longer one is none. */
const maxTokenLength = 16 * 1024

export const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] }
const authenticatedGroup = "system:authenticated"

export interface DoorkeeperParts {
  readonly nodeName: string
  readonly certificates: ClientCertificates
  /** As they are now: files change. */
  readonly tokens: () => TokenTable
  readonly rules: () => ReadonlyArray<PolicyRule>
  /** Asked for tokens; undefined: no webhook. */
  readonly tokenReviewer: Reviewer | undefined
  readonly accessReviewer: Reviewer | undefined
  readonly anonymous: boolean
  /** Whoever is known may do everything. Who is not known never may. */
  readonly alwaysAllow: boolean
  /** Milliseconds. */
  readonly tokenTtl: number
  readonly allowedTtl: number
  readonly deniedTtl: number
}

const withAuthenticated = (user: User): User =>
  user.groups.includes(authenticatedGroup) ? user : { ...user, groups: [...user.groups, authenticatedGroup] }

/** Undefined: none is given. Empty: one that cannot be right. */
export const bearerToken = ({ authorization }: IncomingMessage["headers"]): string | undefined => {
  if (authorization === undefined) return undefined
  const token = /^bearer +(\S+)\s*$/iu.exec(authorization)?.[1]
  if (token === undefined) return undefined
  return token.length > maxTokenLength ? "" : token
}

export const makeDoorkeeper = (parts: DoorkeeperParts): Doorkeeper => {
  const tokensKept = makeTtlCache<User | null>(maxKept)
  const accessKept = makeTtlCache<boolean>(maxKept)

  const reviewed = (reviewer: Reviewer, token: string) =>
    Effect.gen(function* () {
      const key = createHash("sha256").update(token).digest("base64")
      const now = yield* Clock.currentTimeMillis
      const kept = tokensKept.get(key, now)
      if (kept !== undefined) return kept ?? undefined
      const user = yield* Effect.mapError(reviewer.token(token), ({ message }) =>
        refusal(401, `the API server was asked for a token: ${message}`)
      )
      tokensKept.put(key, user ?? null, parts.tokenTtl, yield* Clock.currentTimeMillis)
      return user
    })

  /** Certificates are asked first, then static tokens, then the API server; a token that is nobody's is refused. */
  const authenticate: Doorkeeper["authenticate"] = (incoming) =>
    Effect.gen(function* () {
      const proven = parts.certificates.userOf(incoming.socket, yield* Clock.currentTimeMillis)
      if (proven !== undefined) return withAuthenticated(proven)
      const token = bearerToken(incoming.headers)
      if (token !== undefined) {
        const known = token === "" ? undefined : parts.tokens().find(token)
        if (known !== undefined) return withAuthenticated(known)
        const { tokenReviewer } = parts
        const user = token === "" || tokenReviewer === undefined ? undefined : yield* reviewed(tokenReviewer, token)
        if (user !== undefined) return withAuthenticated(user)
        return yield* Effect.fail(refusal(401, "the token is nobody's"))
      }
      return parts.anonymous ? anonymous : undefined
    })

  const asked = (reviewer: Reviewer, user: User, verb: string, subresource: string) =>
    Effect.gen(function* () {
      const key = JSON.stringify([user.name, user.uid, user.groups, verb, subresource])
      const now = yield* Clock.currentTimeMillis
      const kept = accessKept.get(key, now)
      if (kept !== undefined) return kept
      const isAllowed = yield* reviewer.access(user, verb, subresource, parts.nodeName)
      accessKept.put(key, isAllowed, isAllowed ? parts.allowedTtl : parts.deniedTtl, yield* Clock.currentTimeMillis)
      return isAllowed
    })

  const authorize: Doorkeeper["authorize"] = (user, method, path) =>
    Effect.gen(function* () {
      const { verb, subresources } = attributesOf(method, path)
      if (parts.alwaysAllow && user.name !== anonymous.name && !user.groups.includes("system:unauthenticated"))
        return true
      const rules = parts.rules()
      if (subresources.some((subresource) => isGranted(rules, user, { verb, subresource }))) return true
      const { accessReviewer } = parts
      if (accessReviewer === undefined) return false
      for (const subresource of subresources) {
        const isAllowed = yield* Effect.catch(asked(accessReviewer, user, verb, subresource), ({ message }) =>
          Effect.andThen(
            Effect.logWarning(
              `the API server was asked whether ${user.name} may ${verb} nodes/${subresource}: ${message}`
            ),
            Effect.fail(
              refusal(
                500,
                `Authorization error (user=${user.name}, verb=${verb}, resource=nodes, subresource=${subresource})`
              )
            )
          )
        )
        if (isAllowed) return true
      }
      return false
    })
  return { authenticate, authorize }
}
