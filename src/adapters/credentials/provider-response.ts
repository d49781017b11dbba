/**
 * What a credential provider plugin is asked and what it answers (credentialprovider.kubelet.k8s.io, the same in v1, v1beta1
 * and v1alpha1 for all that is read here). Pure. What is wrong with an answer is told without any of its values.
 */
import { Redacted, Result } from "effect"
import { parseGoDuration } from "../../events/go-duration.ts"
import type { DockerConfig } from "./docker-config.ts"
import type { ProviderApiVersion } from "./port.ts"

export const cacheKeyTypes = ["Image", "Registry", "Global"] as const
export type CacheKeyType = (typeof cacheKeyTypes)[number]

export interface ProviderAnswer {
  readonly cacheKeyType: CacheKeyType
  /** Milliseconds; undefined: the configuration's counts. */
  readonly cacheDuration: number | undefined
  readonly config: DockerConfig
}

/** `image`: its name without tag and digest, as kubelet asks. */
export const providerRequest = (apiVersion: ProviderApiVersion, image: string): string =>
  `${JSON.stringify({ kind: "CredentialProviderRequest", apiVersion, image })}\n`

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Milliseconds; undefined: it is none, or less than nothing. */
const durationOf = (text: string): number | undefined => {
  const read = parseGoDuration(text)
  return Result.isSuccess(read) && read.success >= 0 ? read.success : undefined
}

const entries = (auth: unknown): DockerConfig | string => {
  if (auth === undefined || auth === null) return []
  if (!isMap(auth)) return "auth is no map"
  const config: Array<DockerConfig[number]> = []
  for (const [registry, entry] of Object.entries(auth)) {
    if (!isMap(entry)) return "an entry of auth is no map"
    const { username = "", password = "" } = entry
    if (typeof username !== "string" || typeof password !== "string") return "username or password in auth is no text"
    config.push([registry, { username, password: Redacted.make(password) }])
  }
  return config
}

/** The failure says what is wrong. */
export const readAnswer = (text: string, apiVersion: ProviderApiVersion): Result.Result<ProviderAnswer, string> => {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return Result.fail("answered something that is no JSON")
  }
  if (!isMap(answer)) return Result.fail("answered something that is no map")
  if (answer.apiVersion !== apiVersion) return Result.fail(`answered in another apiVersion than ${apiVersion}`)
  if (answer.kind !== "CredentialProviderResponse") {
    return Result.fail("answered something that is no CredentialProviderResponse")
  }
  const cacheKeyType = cacheKeyTypes.find((type) => type === answer.cacheKeyType)
  if (cacheKeyType === undefined) return Result.fail(`answered no cacheKeyType (one of ${cacheKeyTypes.join(", ")})`)
  const written = answer.cacheDuration ?? undefined
  const cacheDuration = typeof written === "string" ? durationOf(written) : undefined
  if (written !== undefined && cacheDuration === undefined) {
    return Result.fail("answered a cacheDuration that is no length of time such as 10m")
  }
  const config = entries(answer.auth)
  if (typeof config === "string") return Result.fail(`answered wrongly: ${config}`)
  return Result.succeed({ cacheKeyType, cacheDuration, config })
}
