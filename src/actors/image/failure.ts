/** What an image that is not to be had is called (`pkg/kubelet/images/image_manager.go`), in kubelet's words. Pure. */

import { idProblem, upperCaseProblem } from "./reference.ts"

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

/** Characters of a name that is none, in messages. */
const maxShown = 300
const quote = (image: string): string => JSON.stringify(image.slice(0, maxShown))

export const neverPulled = (image: string): string =>
  `Container image ${quote(image)} is not present with pull policy of Never`

export const inspectFailure = (image: string, message: string): string =>
  `Failed to inspect image ${quote(image)}: ${message}`

/** In the words of github.com/distribution/reference, with ours where those say little. */
const invalidReference = (image: string, problem: string): string => {
  if (problem === upperCaseProblem) {
    const name = image.includes("/") ? image : `library/${image}`
    return `invalid reference format: repository name (${name.slice(0, maxShown)}) must be lowercase`
  }
  if (problem === idProblem) {
    return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`
  }
  return `invalid reference format (it ${problem})`
}

/** `problem`: of parseReference. */
export const invalidName = (image: string, problem: string): string =>
  `Failed to apply default image tag ${quote(image)}: couldn't parse image name ${quote(image)}: ${invalidReference(image, problem)}`

const failedPulls: ReadonlySet<string> = new Set(["ErrImagePull", "RegistryUnavailable", "SignatureValidationFailed"])

/**
 * What a container waits for between two tries. kubelet tells of the back-off when it looks at a pod that has failed a moment
 * ago; the first try again comes before that.
 */
export const waitingFor = (
  image: string,
  { reason, message, attempt }: { readonly reason: string; readonly message: string; readonly attempt: number }
): { readonly reason: string; readonly message: string } =>
  attempt > 1 && failedPulls.has(reason)
    ? { reason: "ImagePullBackOff", message: `Back-off pulling image ${quote(image)}: ${reason}: ${message}` }
    : { reason, message }
