/**
 * Credentials as docker keeps them: `config.json` (and Secrets of type kubernetes.io/dockerconfigjson) with a map `auths`, and
 * the older `.dockercfg`, which is that map alone (`pkg/credentialprovider/config.go`). Pure. What is wrong is told without
 * any value of the text.
 */
import { Redacted, Result } from "effect"

export type DockerConfigForm = "config.json" | "dockercfg"

export interface DockerConfigEntry {
  readonly username: string
  readonly password: Redacted.Redacted<string>
}

/** By registry, as written. */
export type DockerConfig = ReadonlyArray<readonly [registry: string, entry: DockerConfigEntry]>

/** Bytes; kubelet's maxReadLength of such files that come from elsewhere. */
export const maxDockerConfigBytes = 10 * 1024 * 1024

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const base64 = /^[A-Za-z0-9+/]*={0,2}$/u

/** `auth`: base64 of `username:password`. */
const decodeAuth = (auth: string): readonly [string, string] | undefined => {
  const text = auth.trim()
  if (!base64.test(text) || text.replace(/=+$/u, "").length % 4 === 1) return undefined
  const decoded = Buffer.from(text, "base64").toString("utf8")
  const colon = decoded.indexOf(":")
  return colon < 0 ? undefined : [decoded.slice(0, colon), decoded.slice(colon + 1)]
}

const entryOf = (value: unknown): DockerConfigEntry | string => {
  if (!isMap(value)) return "is no map"
  for (const field of ["username", "password", "auth"]) {
    const given = value[field]
    if (given !== undefined && given !== null && typeof given !== "string") return `${field} is no text`
  }
  const { username = "", password = "", auth } = value as { username?: string; password?: string; auth?: string }
  if (auth === undefined || auth === null || auth === "") {
    return { username: username ?? "", password: Redacted.make(password ?? "") }
  }
  const decoded = decodeAuth(auth)
  if (decoded === undefined) return "auth is not base64 of username:password"
  return { username: decoded[0], password: Redacted.make(decoded[1]) }
}

/** The failure says what is wrong, and in which registry's entry. */
export const parseDockerConfig = (text: string, form: DockerConfigForm): Result.Result<DockerConfig, string> => {
  if (text.length > maxDockerConfigBytes) return Result.fail(`is longer than ${maxDockerConfigBytes} bytes`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own words quote the text.
    return Result.fail("is no JSON")
  }
  if (!isMap(value)) return Result.fail("is no map")
  const auths = form === "config.json" ? (value.auths ?? {}) : value
  if (!isMap(auths)) return Result.fail("auths is no map")
  const entries: Array<readonly [string, DockerConfigEntry]> = []
  for (const [registry, written] of Object.entries(auths)) {
    const entry = entryOf(written)
    if (typeof entry === "string")
      return Result.fail(`the entry of ${JSON.stringify(registry.slice(0, 300))}: ${entry}`)
    entries.push([registry, entry])
  }
  return Result.succeed(entries)
}
