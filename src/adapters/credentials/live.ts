/** `Credentials` of this node. */
import { Effect } from "effect"
import { Keyring } from "./keyring.ts"
import { makeNodeFile, type NodeFile } from "./node-file.ts"
import type { ProviderSettings } from "./port.ts"
import { type Credential, Credentials, type CredentialsRequest } from "./port.ts"
import { makeProvider, type RunPlugin } from "./provider.ts"
import { type ReadSecret, secretCredentials } from "./pull-secrets.ts"

export interface CredentialsOptions {
  /** Files of docker's: the first that can be read counts. */
  readonly files: ReadonlyArray<NodeFile>
  /** Whether somebody named the file: then it has to be there. */
  readonly isFileNamed: boolean
  readonly providers: ReadonlyArray<ProviderSettings>
  readonly readSecret: ReadSecret
  /** For tests. */
  readonly runPlugin?: RunPlugin
}

export const make = (options: CredentialsOptions): Credentials["Service"] => {
  const nodeFile = makeNodeFile(options.files, options.isFileNamed)
  const providers = options.providers.map((settings) => makeProvider(settings, options.runPlugin))
  const fromSecrets = ({ repository, namespace, secrets }: CredentialsRequest) =>
    Effect.map(secretCredentials(options.readSecret, namespace, secrets), ({ found, problems }) => {
      const ring = new Keyring()
      for (const { source, config } of found) ring.add(source, config)
      return { credentials: ring.lookUp(repository), problems }
    })
  return Credentials.of({
    secretsFor: (request) =>
      Effect.map(fromSecrets(request), ({ credentials }) => [
        ...new Set(credentials.flatMap(({ source }) => (source.kind === "secret" ? [source] : [])))
      ]),
    lookUp: (request) =>
      Effect.gen(function* () {
        const { repository } = request
        const credentials: Array<Credential> = []
        const ofSecrets = yield* fromSecrets(request)
        credentials.push(...ofSecrets.credentials)

        const file = yield* nodeFile
        const fileRing = new Keyring()
        if (file.found !== undefined) fileRing.add({ kind: "file", path: file.found.path }, file.found.config)
        credentials.push(...fileRing.lookUp(repository))

        const providerRing = new Keyring()
        // One after another, as kubelet asks them.
        const answers = yield* Effect.forEach(providers, (provider) =>
          Effect.map(provider.ask(repository), ({ config, problem }) => {
            providerRing.add({ kind: "provider", name: provider.name }, config)
            return problem
          })
        )
        credentials.push(...providerRing.lookUp(repository))
        const problems = [...ofSecrets.problems, ...file.problems, ...answers.filter((p) => p !== undefined)]
        return { credentials, problems }
      })
  })
}
