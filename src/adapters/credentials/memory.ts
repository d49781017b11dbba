/** `Credentials` that are given as they are, for tests of those who ask. */
import { Effect } from "effect"
import { registryMatches } from "./matching.ts"
import { type Credential, Credentials, type CredentialsRequest } from "./port.ts"

export interface GivenCredential {
  readonly registry: string
  readonly credential: Credential
}

export const MemoryCredentials = {
  /** Credentials of secrets are answered to pods that name them in the secret's namespace only. */
  make: (given: ReadonlyArray<GivenCredential>, problems: ReadonlyArray<string> = []): Credentials["Service"] => {
    const find = ({ repository, namespace, secrets }: CredentialsRequest): ReadonlyArray<Credential> =>
      given
        .filter(({ registry, credential: { source } }) => {
          if (!registryMatches(registry, repository)) return false
          return source.kind !== "secret" || (source.namespace === namespace && secrets.includes(source.name))
        })
        .map(({ credential }) => credential)
    return Credentials.of({
      lookUp: (request) => Effect.sync(() => ({ credentials: find(request), problems })),
      secretsFor: (request) =>
        Effect.sync(() => find(request).flatMap(({ source }) => (source.kind === "secret" ? [source] : [])))
    })
  }
}
