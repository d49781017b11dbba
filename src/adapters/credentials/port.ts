/**
 * With which credentials an image may be pulled: those of the pod's Secrets, of the node's file, and of kubelet's credential
 * provider plugins, in this order (`pkg/credentialprovider`).
 */
import { Context, type Effect, type Redacted } from "effect"

/** Where credentials come from. As text it is safe to be told: `secret default/regcred`, `file /root/.docker/config.json`. */
export type CredentialSource =
  | SecretSource
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "provider"; readonly name: string }

export interface SecretSource {
  readonly kind: "secret"
  readonly namespace: string
  readonly name: string
  /** Of the Secret's content, keyed; it may be told. */
  readonly hash: string
}

export interface Credential {
  readonly source: CredentialSource
  readonly username: string
  readonly password: Redacted.Redacted<string>
}

export const describeSource = (source: CredentialSource): string => {
  switch (source.kind) {
    case "secret":
      return `secret ${source.namespace}/${source.name}`
    case "file":
      return `file ${source.path}`
    case "provider":
      return `provider ${source.name}`
  }
}

export interface CredentialsRequest {
  /** Name of the image with its registry, without tag and digest: `docker.io/library/busybox`. */
  readonly repository: string
  /** Of the pod. */
  readonly namespace: string
  /** Names of the pod's imagePullSecrets. */
  readonly secrets: ReadonlyArray<string>
}

export interface CredentialsFound {
  /** In the order in which they are to be tried. */
  readonly credentials: ReadonlyArray<Credential>
  /** What could not be read or run, in words that hold no value. The pull goes on with the rest, as with kubelet. */
  readonly problems: ReadonlyArray<string>
}

export class Credentials extends Context.Service<
  Credentials,
  {
    readonly lookUp: (request: CredentialsRequest) => Effect.Effect<CredentialsFound>
    /** The pod's Secrets among the sources: those that have credentials for the image. */
    readonly secretsFor: (request: CredentialsRequest) => Effect.Effect<ReadonlyArray<SecretSource>>
  }
>()("chronode/Credentials") {}

export const providerApiVersions = [
  "credentialprovider.kubelet.k8s.io/v1",
  "credentialprovider.kubelet.k8s.io/v1beta1",
  "credentialprovider.kubelet.k8s.io/v1alpha1"
] as const
export type ProviderApiVersion = (typeof providerApiVersions)[number]

/** A credential provider as it is configured (kubelet.config.k8s.io/v1 CredentialProvider). */
export interface ProviderSettings {
  readonly name: string
  /** Path of the plugin. */
  readonly program: string
  readonly apiVersion: ProviderApiVersion
  readonly matchImages: ReadonlyArray<string>
  /** Milliseconds; for answers that name no time of their own. 0: they are not kept. */
  readonly defaultCacheDuration: number
  readonly args: ReadonlyArray<string>
  /** Beside the agent's own environment. */
  readonly env: ReadonlyArray<{ readonly name: string; readonly value: string }>
}

/** What is wrong with a name of a registry; undefined: it can be one. */
export const registryProblem = (text: string): string | undefined => {
  if (text === "") return "is empty"
  if (/[\s\p{Cc}]/u.test(text)) return "holds blanks or control characters"
  if (/%(?![0-9A-Fa-f]{2})/u.test(text)) return "holds a % that escapes nothing"
  const slash = text.indexOf("/")
  const authority = slash < 0 ? text : text.slice(0, slash)
  const port = /:([^:\]]*)$/u.exec(authority)?.[1]
  return port === undefined || /^[0-9]*$/u.test(port) ? undefined : `has the port '${port}', which is no number`
}
