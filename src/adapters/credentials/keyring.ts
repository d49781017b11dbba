/** Credentials by registry, and which of them an image may be pulled with (`pkg/credentialprovider/keyring.go`). Pure. */
import type { DockerConfig } from "./docker-config.ts"
import { registryMatches } from "./matching.ts"
import type { Credential, CredentialSource } from "./port.ts"

const defaultRegistryHost = "index.docker.io"

/** `https://registry.example.com/v2/team/` stands under `registry.example.com/team/`. */
const keyOf = (registry: string): string => {
  const place = registry.replace(/^https?:\/\//u, "")
  const slash = place.indexOf("/")
  if (slash < 0) return place
  const [host, path] = [place.slice(0, slash), place.slice(slash)]
  const effective = /^\/v[12]\//u.test(path) ? path.slice(3) : path
  return effective === "/" ? host : host + effective
}

/** `repository`: `docker.io/library/busybox` or shorter. */
const isOfDefaultRegistry = (repository: string): boolean => {
  const slash = repository.indexOf("/")
  const first = slash < 0 ? repository : repository.slice(0, slash)
  if (first === "") return false
  return slash < 0 || first === "docker.io" || first === defaultRegistryHost || !/[.:]/u.test(first)
}

export class Keyring {
  readonly #credentials = new Map<string, Array<Credential>>()

  add(source: CredentialSource, config: DockerConfig): void {
    for (const [registry, { username, password }] of config) {
      const key = keyOf(registry)
      const known = this.#credentials.get(key) ?? []
      known.push({ source, username, password })
      this.#credentials.set(key, known)
    }
  }

  /** Those of longer names first: `quay.io/coreos` before `quay.io`. */
  lookUp(repository: string): ReadonlyArray<Credential> {
    const keys = [...this.#credentials.keys()].sort().reverse()
    const found = keys.filter((key) => registryMatches(key, repository)).flatMap((key) => this.#credentials.get(key)!)
    if (found.length > 0) return found
    return isOfDefaultRegistry(repository) ? (this.#credentials.get(defaultRegistryHost) ?? []) : []
  }
}
