/**
 * `io.kubernetes.container.hash`: 32-bit FNV-1a over the fields whose change restarts a container, its name and image
 * (`pkg/kubelet/container/helpers.go` HashContainer). What is hashed is not the JSON but the dump of its bytes that Go's
 * spew prints, so that crictl, kubelet and this agent agree on the number.
 */
import type { Container } from "../../../events/pod-spec.ts"

const offsetBasis = 0x811c9dc5
const prime = 0x01000193

/** FNV-1a, 32 bits, over the bytes of a text. */
export const fnv1a32 = (bytes: Iterable<number>): number => {
  let hash = offsetBasis
  for (const byte of bytes) hash = Math.imul(hash ^ byte, prime)
  return hash >>> 0
}

/** Go's json.Marshal writes these as escapes. */
const goEscapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029"
}
/** JSON as Go writes it, keys in the order given. */
export const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/gu, (character) => goEscapes[character]!)

const encoder = new TextEncoder()

export const containerHash = (container: Pick<Container, "name" | "image">): number => {
  const json = goJson({ image: container.image, name: container.name })
  return fnv1a32(encoder.encode(`([]uint8)[${encoder.encode(json).join(" ")}]`))
}
