/** `Credentials` of this node. */
import { Effect } from "effect"
import { Keyring } from "./keyring.ts"
import { makeNodeFile, type NodeFile } from "./node-file.ts"
import type { ProviderSettings } from "./port.ts"
import { type Credential, Credentials } from "./port.ts"
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
  return Credentials.of({
    lookUp: ({ repository, namespace, secrets }) =>
      Effect.gen(function* () {
        const credentials: Array<Credential> = []
        const ofSecrets = yield* secretCredentials(options.readSecret, namespace, secrets)
        const secretRing = new Keyring()
        for (const { source, config } of ofSecrets.found) secretRing.add(source, config)
        credentials.push(...secretRing.lookUp(repository))

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
