/**
 * Where and as whom to connect, from flags, the environment and context files as the `nats` command line has them.
 * Flags win over the environment, the environment over the context, the context over the default. Authentication is
 * taken whole from the first of these that has any; so is the pair of client certificate and key.
 *
 * Sources: github.com/nats-io/natscli (flags and environment), github.com/nats-io/jsm.go natscontext (context files).
 * No error names a secret: neither passwords, nor tokens, nor a URL that may hold them, nor a file's text.
 */
import { readFileSync } from "node:fs"
import { homedir } from "node:os"
import { Redacted, Result, Schema } from "effect"

export const defaultUrl = "nats://127.0.0.1:4222"

/** Credentials and keys stay in their files and are read at every connect, so that they can be rotated. */
export type Authentication =
  | { readonly _tag: "None" }
  | { readonly _tag: "Password"; readonly user: string; readonly password: Redacted.Redacted }
  | { readonly _tag: "Token"; readonly token: Redacted.Redacted }
  | { readonly _tag: "Nkey"; readonly file: string }
  | { readonly _tag: "Creds"; readonly file: string }

export interface NatsTarget {
  /** `nats://host:port` or `tls://host:port`, without credentials; at least one. */
  readonly servers: ReadonlyArray<string>
  readonly authentication: Authentication
  /** Absent: TLS only if the server asks for it, and then by the system's authorities. Paths of PEM files. */
  readonly tls:
    | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly first?: boolean }
    | undefined
  readonly inboxPrefix: string | undefined
  /** JetStream domain. */
  readonly domain: string | undefined
}

/** `chronode` flags: `--nats`, `--creds`, `--nkey`, `--tls-ca`, `--tls-cert`, `--tls-key`. */
export interface NatsFlags {
  readonly nats?: string | undefined
  readonly creds?: string | undefined
  readonly nkey?: string | undefined
  readonly tlsCa?: string | undefined
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
}

/** `source` is a flag, an environment variable or a file; `field` is empty where the whole source is meant. */
export class NatsOptionError extends Schema.TaggedError<NatsOptionError>()("NatsOptionError", {
  source: Schema.String,
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.source}${this.field === "" ? "" : `, field ${this.field}`}: ${this.problem}`
  }
}

/** Reads a file: its text, `undefined` where there is none; throws what `node:fs` throws. */
export type FileReader = (path: string) => string | undefined

export interface NatsSources {
  readonly flags: NatsFlags
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly read: FileReader
}

/** One of flags, environment, context: what it says, and under which names it says so. */
interface Layer {
  readonly value: (field: Field) => string | undefined
  readonly where: (field: Field) => { readonly source: string; readonly field: string }
  /** TLS before the server's greeting. */
  readonly tlsFirst?: boolean
}

const fields = {
  url: { flag: "nats", option: "--nats", variable: "NATS_URL" },
  creds: { flag: "creds", option: "--creds", variable: "NATS_CREDS" },
  nkey: { flag: "nkey", option: "--nkey", variable: "NATS_NKEY" },
  user: { flag: undefined, option: "", variable: "NATS_USER" },
  password: { flag: undefined, option: "", variable: "NATS_PASSWORD" },
  token: { flag: undefined, option: "", variable: "NATS_TOKEN" },
  ca: { flag: "tlsCa", option: "--tls-ca", variable: "NATS_CA" },
  cert: { flag: "tlsCert", option: "--tls-cert", variable: "NATS_CERT" },
  key: { flag: "tlsKey", option: "--tls-key", variable: "NATS_KEY" },
  inbox_prefix: { flag: undefined, option: "", variable: "NATS_INBOX_PREFIX" },
  jetstream_domain: { flag: undefined, option: "", variable: "NATS_JS_DOMAIN" }
} as const
type Field = keyof typeof fields
const fieldNames = Object.keys(fields) as ReadonlyArray<Field>

const fail = (source: string, field: string, problem: string): never => {
  throw new NatsOptionError({ source, field, problem })
}

const readText = (
  read: FileReader,
  path: string,
  named: { readonly source: string; readonly field: string }
): string => {
  let text: string | undefined
  try {
    text = read(path)
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code
    return fail(named.source, named.field, `${path} cannot be read${typeof code === "string" ? ` (${code})` : ""}`)
  }
  return text ?? fail(named.source, named.field, `${path} does not exist`)
}

const readContext = ({ environment, home, read }: NatsSources): Layer | undefined => {
  const root = `${environment.XDG_CONFIG_HOME || `${home}/.config`}/nats`
  const named = environment.NATS_CONTEXT
  const selection = `${root}/context.txt`
  let name = named || undefined
  if (name === undefined) {
    try {
      name = read(selection)?.trim() || undefined
    } catch (error) {
      const code = (error as { readonly code?: unknown }).code
      return fail(selection, "", `cannot be read${typeof code === "string" ? ` (${code})` : ""}`)
    }
  }
  if (name === undefined) return undefined
  const chosenBy = { source: named ? "NATS_CONTEXT" : selection, field: "" }
  if (/[/\\]|^\.\.?$/u.test(name)) return fail(chosenBy.source, "", `${JSON.stringify(name)} is no name of a context`)
  const file = `${root}/context/${name}.json`
  const text = readText(read, file, chosenBy)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The parser's own words quote the text, which holds secrets.
    return fail(file, "", "is not valid JSON")
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) return fail(file, "", "is no JSON object")
  const record = json as Record<string, unknown>
  for (const field of [...fieldNames, "nsc", "user_jwt"]) {
    const value = record[field]
    if (value !== undefined && typeof value !== "string") return fail(file, field, "is no text")
  }
  if (record.tls_first !== undefined && typeof record.tls_first !== "boolean")
    return fail(file, "tls_first", "is no boolean")
  for (const field of ["nsc", "user_jwt"]) {
    if (record[field]) return fail(file, field, "is not supported; use a credentials file (creds)")
  }
  return {
    value: (field) => (record[field] as string | undefined) || undefined,
    where: (field) => ({ source: file, field }),
    tlsFirst: record.tls_first === true
  }
}

const path = (text: string, home: string): string => (text.startsWith("~/") ? `${home}${text.slice(1)}` : text)

interface Servers {
  readonly servers: ReadonlyArray<string>
  readonly authentication: Authentication | undefined
  readonly tls: boolean
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `nats://[user:password@|token@]host[:port],…` The text itself is never repeated in an error. */
const parseServers = (text: string, named: { readonly source: string; readonly field: string }): Servers => {
  let authentication: Authentication | undefined
  let tls = false
  const servers = text.split(",").map((part) => {
    const trimmed = part.trim()
    const full = trimmed.includes("://") ? trimmed : `nats://${trimmed}`
    const scheme = full.slice(0, full.indexOf("://"))
    if (scheme !== "nats" && scheme !== "tls") return fail(named.source, named.field, "is no nats:// or tls:// URL")
    let url: URL
    try {
      // As http, which every runtime takes apart in the same way.
      url = new URL(full.replace(/^[a-z]+:/u, "http:"))
    } catch {
      return fail(named.source, named.field, "is no URL of the form nats://host:port")
    }
    if (url.hostname === "") return fail(named.source, named.field, "names no host")
    if (url.username !== "") {
      authentication ??=
        url.password === ""
          ? { _tag: "Token", token: Redacted.make(decoded(url.username)) }
          : { _tag: "Password", user: decoded(url.username), password: Redacted.make(decoded(url.password)) }
    }
    if (scheme === "tls") tls = true
    // http's own port vanishes from `port`.
    const port = url.port || (/:80(\/|$)/u.test(full) ? "80" : "4222")
    return `${scheme}://${url.hostname}:${port}`
  })
  return { servers, authentication, tls }
}

const credentialsMark = "-----BEGIN NATS USER JWT-----"
/** An Ed25519 user seed in base32: `SU` and 56 more. */
export const seedPattern = /\bSU[A-Z2-7]{56}\b/u

const authenticationOf = (layer: Layer, { home, read }: NatsSources): Authentication | undefined => {
  const creds = layer.value("creds")
  if (creds !== undefined) {
    const file = path(creds, home)
    const text = readText(read, file, layer.where("creds"))
    const { source, field } = layer.where("creds")
    if (!text.includes(credentialsMark)) return fail(source, field, `${file} is no NATS credentials file (no user JWT)`)
    if (!seedPattern.test(text)) return fail(source, field, `${file} is no NATS credentials file (no user seed)`)
    return { _tag: "Creds", file }
  }
  const nkey = layer.value("nkey")
  if (nkey !== undefined) {
    const file = path(nkey, home)
    const { source, field } = layer.where("nkey")
    if (!seedPattern.test(readText(read, file, { source, field })))
      return fail(source, field, `${file} holds no user seed (SU…)`)
    return { _tag: "Nkey", file }
  }
  const user = layer.value("user")
  const password = layer.value("password")
  if (user !== undefined) {
    // Without a password the user is a token, as the nats command line has it.
    return password === undefined
      ? { _tag: "Token", token: Redacted.make(user) }
      : { _tag: "Password", user, password: Redacted.make(password) }
  }
  if (password !== undefined) {
    const { source, field } = layer.where("password")
    return fail(source, field, `is set without ${layer.where("user").field || layer.where("user").source}`)
  }
  const token = layer.value("token")
  return token === undefined ? undefined : { _tag: "Token", token: Redacted.make(token) }
}

const tlsOf = (layers: ReadonlyArray<Layer>, required: boolean, { home, read }: NatsSources): NatsTarget["tls"] => {
  const file = (layer: Layer, field: "ca" | "cert" | "key"): string => {
    const named = path(layer.value(field) ?? "", home)
    readText(read, named, layer.where(field))
    return named
  }
  const ca = layers.find((layer) => layer.value("ca") !== undefined)
  const pair = layers.find((layer) => layer.value("cert") !== undefined || layer.value("key") !== undefined)
  if (pair !== undefined) {
    for (const [has, lacks] of [
      ["cert", "key"],
      ["key", "cert"]
    ] as const) {
      if (pair.value(has) !== undefined && pair.value(lacks) === undefined) {
        const { source, field } = pair.where(has)
        const other = pair.where(lacks)
        return fail(source, field, `is set without ${other.field || other.source}`)
      }
    }
  }
  const tlsFirst = layers.some((layer) => layer.tlsFirst === true)
  if (ca === undefined && pair === undefined && !tlsFirst) return required ? {} : undefined
  return {
    ...(tlsFirst ? { first: true } : {}),
    ...(ca === undefined ? {} : { ca: file(ca, "ca") }),
    ...(pair === undefined ? {} : { cert: file(pair, "cert"), key: file(pair, "key") })
  }
}

/** Pure but for `read`. */
export const resolveTarget = (sources: NatsSources): Result.Result<NatsTarget, NatsOptionError> => {
  try {
    const { environment, flags } = sources
    const flagLayer: Layer = {
      value: (field) => {
        const flag = fields[field].flag
        return flag === undefined ? undefined : flags[flag] || undefined
      },
      where: (field) => ({ source: fields[field].option, field: "" })
    }
    const environmentLayer: Layer = {
      value: (field) => environment[fields[field].variable] || undefined,
      where: (field) => ({ source: fields[field].variable, field: "" })
    }
    const context = readContext(sources)
    const layers = [flagLayer, environmentLayer, ...(context === undefined ? [] : [context])]
    const first = (field: Field) => layers.find((layer) => layer.value(field) !== undefined)
    const urlLayer = first("url")
    const { servers, authentication, tls } =
      urlLayer === undefined
        ? { servers: [defaultUrl], authentication: undefined, tls: false }
        : parseServers(urlLayer.value("url") ?? "", urlLayer.where("url"))
    let given: Authentication | undefined
    for (const layer of layers) {
      // Credentials inside a URL count as said where the URL was said.
      given ??= authenticationOf(layer, sources) ?? (layer === urlLayer ? authentication : undefined)
    }
    return Result.succeed({
      servers,
      authentication: given ?? { _tag: "None" },
      tls: tlsOf(layers, tls, sources),
      inboxPrefix: first("inbox_prefix")?.value("inbox_prefix"),
      domain: first("jetstream_domain")?.value("jetstream_domain")
    })
  } catch (error) {
    if (error instanceof NatsOptionError) return Result.fail(error)
    throw error
  }
}

/** `resolveTarget` with this process's environment, home and files. */
export const targetFromProcess = (flags: NatsFlags): Result.Result<NatsTarget, NatsOptionError> =>
  resolveTarget({
    flags,
    environment: process.env,
    home: homedir(),
    read: (file) => {
      try {
        return readFileSync(file, "utf8")
      } catch (error) {
        if ((error as { readonly code?: unknown }).code === "ENOENT") return undefined
        throw error
      }
    }
  })

/** The target in one line for people, without secrets. */
export const describeTarget = (target: NatsTarget): string => target.servers.join(",")
