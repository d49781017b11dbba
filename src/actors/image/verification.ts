/**
 * Whether a pod may have an image that is on the node already (KEP-2535; `pkg/kubelet/images/pullmanager`). What was pulled
 * with the credentials of a Secret is there for pods that have them too; others have to prove theirs by a pull. Pure.
 */
import { Schema } from "effect"

export const verificationPolicies = [
  "NeverVerify",
  "NeverVerifyPreloadedImages",
  "NeverVerifyAllowlistedImages",
  "AlwaysVerify"
] as const

export interface Verification {
  readonly policy: (typeof verificationPolicies)[number]
  /** Names without tag and digest, `docker.io/library/busybox`, or with all below them: `r.io/team/*`. */
  readonly allowlist: ReadonlyArray<string>
}

/** kubelet's default (`pkg/kubelet/apis/config/v1beta1/defaults.go`). */
export const defaultVerification: Verification = { policy: "NeverVerifyPreloadedImages", allowlist: [] }

/** A Secret whose credentials a registry took. `hash`: of its content, keyed. */
export const GrantedSecret = Schema.Struct({ namespace: Schema.String, name: Schema.String, hash: Schema.String })
export type GrantedSecret = typeof GrantedSecret.Type

/** To whom a pull gave an image: without `secret` to every pod of the node. */
export interface Grant {
  readonly imageId: string
  readonly secret?: GrantedSecret
}

/** A grant of any image's actor, with the name under which it pulled. */
export interface KnownGrant extends Grant {
  readonly repository: string
}

const isAllowlisted = (repository: string, allowlist: ReadonlyArray<string>): boolean =>
  allowlist.some((entry) => (entry.endsWith("/*") ? repository.startsWith(entry.slice(0, -1)) : entry === repository))

const isVerified = ({ policy, allowlist }: Verification, repository: string, isPulledHere: boolean): boolean => {
  switch (policy) {
    case "NeverVerify":
      return false
    case "NeverVerifyPreloadedImages":
      return isPulledHere
    case "NeverVerifyAllowlistedImages":
      return !isAllowlisted(repository, allowlist)
    case "AlwaysVerify":
      return true
  }
}

/** Whether a grant to every pod has to be kept: where it is not, an image without grants is taken for anybody's. */
export const keepsOpenGrants = ({ policy }: Verification): boolean =>
  policy === "AlwaysVerify" || policy === "NeverVerifyAllowlistedImages"

/**
 * `isUnderWay`: it is being pulled with somebody's Secret, and may be here because of that. `secrets`: those of the pod that
 * have credentials for this image.
 */
export const mustPull = (
  verification: Verification,
  image: { readonly imageId: string; readonly repository: string; readonly isUnderWay: boolean },
  grants: ReadonlyArray<KnownGrant>,
  secrets: ReadonlyArray<GrantedSecret>
): boolean => {
  const ofImage = grants.filter(({ imageId }) => imageId === image.imageId)
  if (!isVerified(verification, image.repository, ofImage.length > 0 || image.isUnderWay)) return false
  return !ofImage.some(
    ({ repository, secret }) =>
      repository === image.repository &&
      (secret === undefined ||
        // The same credentials under another name; or the same Secret, with newer ones.
        secrets.some(
          ({ namespace, name, hash }) =>
            hash === secret.hash || (namespace === secret.namespace && name === secret.name)
        ))
  )
}
