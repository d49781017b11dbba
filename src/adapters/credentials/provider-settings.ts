/** A credential provider as it is configured (kubelet.config.k8s.io/v1 CredentialProvider). */

export const providerApiVersions = [
  "credentialprovider.kubelet.k8s.io/v1",
  "credentialprovider.kubelet.k8s.io/v1beta1",
  "credentialprovider.kubelet.k8s.io/v1alpha1"
] as const
export type ProviderApiVersion = (typeof providerApiVersions)[number]

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
