/** Credentials of the pod's imagePullSecrets (`pkg/credentialprovider/secrets/secrets.go`). */
import { Effect, Result } from "effect"
import { type DockerConfig, type DockerConfigForm, parseDockerConfig } from "./docker-config.ts"
import type { CredentialSource } from "./port.ts"

export interface PullSecret {
  readonly type: string
  /** Decoded values by key. */
  readonly data: Readonly<Record<string, Uint8Array>>
  /** What may be told of its content: a change is seen, the values are not. */
  readonly hash: string
}

/** Undefined: there is no such Secret. The failure says why nothing can be said of it. */
export type ReadSecret = (
  namespace: string,
  name: string
) => Effect.Effect<PullSecret | undefined, { readonly message: string }>

const forms: ReadonlyMap<string, readonly [key: string, form: DockerConfigForm]> = new Map([
  ["kubernetes.io/dockerconfigjson", [".dockerconfigjson", "config.json"]],
  ["kubernetes.io/dockercfg", [".dockercfg", "dockercfg"]]
])

export interface SecretCredentials {
  readonly source: CredentialSource
  readonly config: DockerConfig
}

const read = ({ type, data }: PullSecret): Result.Result<DockerConfig, string> => {
  const known = forms.get(type)
  if (known === undefined) {
    return Result.fail(`is of the type '${type}', which holds no credentials of registries`)
  }
  const [key, form] = known
  const value = Object.hasOwn(data, key) ? data[key] : undefined
  if (value === undefined || value.length === 0) return Result.fail(`has no ${key}`)
  const config = parseDockerConfig(new TextDecoder().decode(value), form)
  return Result.isSuccess(config) ? config : Result.fail(`${key} ${config.failure}`)
}

/** A Secret that is not there, or holds nothing of use, is a problem that does not keep the others from being tried. */
export const secretCredentials = (
  readSecret: ReadSecret,
  namespace: string,
  names: ReadonlyArray<string>
): Effect.Effect<{ readonly found: ReadonlyArray<SecretCredentials>; readonly problems: ReadonlyArray<string> }> =>
  Effect.gen(function* () {
    const found: Array<SecretCredentials> = []
    const problems: Array<string> = []
    for (const name of new Set(names)) {
      const secret = yield* Effect.result(readSecret(namespace, name))
      const config = Result.isFailure(secret)
        ? Result.fail(secret.failure.message)
        : secret.success === undefined
          ? Result.fail("is not there")
          : Result.map(read(secret.success), (entries) => ({ entries, hash: secret.success!.hash }))
      if (Result.isFailure(config)) problems.push(`secret ${namespace}/${name}: ${config.failure}`)
      else {
        const { entries, hash } = config.success
        found.push({ source: { kind: "secret", namespace, name, hash }, config: entries })
      }
    }
    return { found, problems }
  })
