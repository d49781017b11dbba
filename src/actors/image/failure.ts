/** What a failed pull is called (`pkg/kubelet/images/image_manager.go` evalCRIPullErr). Pure. */

export interface PullFailure {
  readonly reason: "ErrImagePull" | "RegistryUnavailable" | "SignatureValidationFailed"
  readonly message: string
}

const known = {
  RegistryUnavailable: "the registry is unavailable",
  SignatureValidationFailed: "the signature validation failed"
} as const

/** `error`: what the runtime said. It may wrap the words that the CRI definition has for two kinds of failure. */
export const pullFailure = (image: string, error: string): PullFailure => {
  const match = /^(?:.*: )?(RegistryUnavailable|SignatureValidationFailed)(?:: ([\s\S]*))?$/u.exec(error)
  if (match === null) return { reason: "ErrImagePull", message: error }
  const [, word, detail] = match
  const reason = word as keyof typeof known
  const more = detail === undefined ? "" : `: ${detail}`
  return { reason, message: `image pull failed for ${image} because ${known[reason]}${more}` }
}
