/** Rules of pulling, keeping and giving out images, in kubelet's words. */
import { verificationPolicies } from "../../actors/image/verification.ts"
import { goDuration } from "../../events/go-duration.ts"
import { isGateOn } from "./gates.ts"
import { isWithin, quoted, type Rule, when } from "./validation-rule.ts"

export const images: Rule = (c) => {
  const { imageGCHighThresholdPercent: high, imageGCLowThresholdPercent: low } = c
  const [highName, lowName] = [
    `imageGCHighThresholdPercent (--image-gc-high-threshold) ${high}`,
    `imageGCLowThresholdPercent (--image-gc-low-threshold) ${low}`
  ]
  const [most, least] = [goDuration(c.imageMaximumGCAge), goDuration(c.imageMinimumGCAge)]
  return [
    when(!isWithin(high, 0, 100), "imageGCHighThresholdPercent", `${highName} must be between 0 and 100, inclusive`),
    when(!isWithin(low, 0, 100), "imageGCLowThresholdPercent", `${lowName} must be between 0 and 100, inclusive`),
    when(low >= high, "imageGCLowThresholdPercent", `${lowName} must be less than ${highName}`),
    when(c.imageMinimumGCAge < 0, "imageMinimumGCAge", `imageMinimumGCAge ${least} must not be negative`),
    when(
      c.imageMaximumGCAge !== 0 && !isGateOn(c.featureGates, "ImageMaximumGCAge"),
      "imageMaximumGCAge",
      "ImageMaximumGCAge feature gate is required for Kubelet configuration option imageMaximumGCAge"
    ),
    when(c.imageMaximumGCAge < 0, "imageMaximumGCAge", `imageMaximumGCAge ${most} must not be negative`),
    when(
      c.imageMaximumGCAge > 0 && c.imageMaximumGCAge <= c.imageMinimumGCAge,
      "imageMaximumGCAge",
      `imageMaximumGCAge ${most} must be greater than imageMinimumGCAge ${least}`
    )
  ]
}

export const pulls: Rule = ({ maxParallelImagePulls: most, serializeImagePulls }) => [
  when(
    most !== undefined && most < 1,
    "maxParallelImagePulls",
    `maxParallelImagePulls ${most} must be a positive number`
  ),
  when(
    serializeImagePulls && most !== undefined && most > 1,
    "maxParallelImagePulls",
    "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false"
  )
]

/** Who may have an image that is on the node already. */
export const verification: Rule = (c) => {
  const { imagePullCredentialsVerificationPolicy: policy, preloadedImagesVerificationAllowlist: allowlist } = c
  const [policyName, listName] = ["imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist"]
  if (!isGateOn(c.featureGates, "KubeletEnsureSecretPulledImages")) {
    const needs = "must not be set if KubeletEnsureSecretPulledImages feature gate is not enabled"
    return [
      when(policy !== "", policyName, `\`${policyName}\` ${needs}`),
      when(allowlist.length > 0, listName, `\`${listName}\` ${needs}`)
    ]
  }
  const options =
    'Valid options are "NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages" or "AlwaysVerify"'
  return [
    when(
      !(verificationPolicies as ReadonlyArray<string>).includes(policy),
      policyName,
      `option ${quoted(policy)} specified for ${policyName}. ${options}`
    ),
    when(
      allowlist.length > 0 && policy !== "NeverVerifyAllowlistedImages",
      listName,
      `can't set \`${listName}\` if \`imagePullCredentialsVertificationPolicy\` is not "NeverVerifyAllowlistedImages"`
    )
  ]
}
