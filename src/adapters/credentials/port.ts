/**
 * With which credentials an image may be pulled: those of the pod's Secrets, of the node's file, and of kubelet's credential
 * provider plugins, in this order (`pkg/credentialprovider`). What each implementation must keep stands in
 * test/adapters/credentials/credentials-contract.ts.
 */
import { Context, type Effect, type Redacted } from "effect"

/** Where credentials come from. As text it is safe to be told: `secret default/regcred`, `file /root/.docker/config.json`. */
export type CredentialSource =
  | { readonly kind: "secret"; readonly namespace: string; readonly name: string; readonly uid: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "provider"; readonly name: string }

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
  { readonly lookUp: (request: CredentialsRequest) => Effect.Effect<CredentialsFound> }
>()("chronode/Credentials") {}
