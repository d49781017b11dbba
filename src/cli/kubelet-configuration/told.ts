/** A configuration as the log may hold it: without secrets, and not too large. */
import type { Schema } from "effect"
import { encode } from "./codec.ts"
import type { KubeletConfiguration } from "./shape.ts"

type Json = Readonly<Record<string, Schema.Json>>

/** Bytes of JSON: an event and the command that led to it both hold it, and have 64 KiB together. */
export const maxToldBytes = 24 * 1024

const hidden = "(hidden)"
/** Text that may be an address with a password, or with a token in its query. */
const addresses = ["staticPodURL", "tracing"] as const

const withoutCredentials = (url: string): string =>
  url.replace(/(?<=^(?:[a-z][a-z0-9+.-]*:)?\/\/)[^/?#@]*@/iu, `${hidden}@`).replace(/\?[^#]*/u, `?${hidden}`)

const hide = (value: unknown): Schema.Json =>
  typeof value === "string"
    ? withoutCredentials(value)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hide(inner)]))
      : (value as Schema.Json)

/** JSON with v1beta1 names, without the values of headers and what addresses hold of secrets. */
export const withoutSecrets = (configuration: KubeletConfiguration): Json => {
  const json = encode(configuration) as Record<string, Schema.Json>
  const headers = Object.keys(configuration.staticPodURLHeader)
  if (headers.length > 0) json.staticPodURLHeader = Object.fromEntries(headers.map((name) => [name, [hidden]]))
  for (const field of addresses) if (json[field] !== undefined) json[field] = hide(json[field])
  return json
}

const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** The largest fields are left out until the rest is small enough. */
export const bounded = (json: Json): { readonly configuration: Json; readonly omitted: ReadonlyArray<string> } => {
  const omitted: Array<string> = []
  let rest = size(json)
  for (const [field, value] of Object.entries(json).toSorted((a, b) => size(b[1]) - size(a[1]))) {
    if (rest <= maxToldBytes) break
    omitted.push(field)
    rest -= size(value)
  }
  return {
    configuration: Object.fromEntries(Object.entries(json).filter(([field]) => !omitted.includes(field))),
    omitted
  }
}

/** What kubelet's `/configz` answers: all of it, as JSON text. Values of headers are hidden here too. */
export const configzText = (configuration: KubeletConfiguration): string =>
  JSON.stringify({ kubeletconfig: withoutSecrets(configuration) })
