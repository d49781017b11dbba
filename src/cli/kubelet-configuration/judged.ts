/** Everything that is wrong with a KubeletConfiguration before the node is looked at: what kubelet finds, and what its parts find at their start. */
import { isIP } from "node:net"
import { Result } from "effect"
import { parseThresholds } from "../../actors/eviction/rules/settings.ts"
import { parseReference, repositoryOf } from "../../actors/image/reference.ts"
import { compare, parseQuantity, zero } from "../../actors/pod/resources/quantity.ts"
import { allowlistProblem } from "../../actors/pod/security/sysctls.ts"
import type { KubeletConfiguration } from "./shape.ts"
import { kubeletProblems } from "./validation.ts"
import { lacksCgroup } from "./validation-reserved.ts"
import { type FieldProblem, invalid, quoted } from "./validation-rule.ts"

export interface Judged {
  readonly errors: ReadonlyArray<FieldProblem>
  /** What kubelet would refuse, and is let be here. */
  readonly warnings: ReadonlyArray<FieldProblem>
}

/** What can be reserved (`cmd/kubelet/app/server.go` parseResourceList). */
const reservable: ReadonlyArray<string> = ["cpu", "memory", "ephemeral-storage", "pid"]

const reserved = (
  field: "kubeReserved" | "systemReserved",
  amounts: Readonly<Record<string, string>>
): ReadonlyArray<FieldProblem> =>
  Object.entries(amounts).flatMap(([resource, text]): ReadonlyArray<FieldProblem> => {
    const at = `${field}.${resource}`
    if (!reservable.includes(resource)) return [[at, `cannot reserve ${quoted(resource)} resource`]]
    const amount = parseQuantity(text)
    if (Result.isFailure(amount))
      return [[at, `failed to parse quantity ${quoted(text)} for ${quoted(resource)} resource`]]
    const isNegative = compare(amount.success, zero) < 0
    return isNegative ? [[at, `resource quantity for ${quoted(resource)} cannot be negative: ${text}`]] : []
  })

/** Each map of eviction alone, so that a problem is told at its own place; what they say together stands at the soft thresholds. */
const evictionProblems = (c: KubeletConfiguration): ReadonlyArray<FieldProblem> => {
  const nothing = {
    enforceNodeAllocatable: [],
    evictionHard: {},
    evictionSoft: {},
    evictionSoftGracePeriod: {},
    evictionMinimumReclaim: {}
  }
  const ofOne = (["evictionHard", "evictionSoftGracePeriod", "evictionMinimumReclaim"] as const).flatMap((field) =>
    Object.entries(c[field]).flatMap(([signal, text]): ReadonlyArray<FieldProblem> => {
      const parsed = parseThresholds({ ...nothing, [field]: { [signal]: text } })
      return Result.isFailure(parsed) ? [[`${field}.${signal}`, parsed.failure]] : []
    })
  )
  if (ofOne.length > 0) return ofOne
  return Object.entries(c.evictionSoft).flatMap(([signal, text]): ReadonlyArray<FieldProblem> => {
    const parsed = parseThresholds({
      ...nothing,
      evictionSoft: { [signal]: text },
      evictionSoftGracePeriod: c.evictionSoftGracePeriod
    })
    return Result.isFailure(parsed) ? [[`evictionSoft.${signal}`, parsed.failure]] : []
  })
}

/** `pkg/kubelet/images/pullmanager/image_pull_policies.go` getAllowlistImagePattern. */
const allowlistProblems = ({
  imagePullCredentialsVerificationPolicy: policy,
  preloadedImagesVerificationAllowlist: allowlist
}: KubeletConfiguration): ReadonlyArray<FieldProblem> =>
  policy !== "NeverVerifyAllowlistedImages"
    ? []
    : allowlist.flatMap((entry, i): ReadonlyArray<FieldProblem> => {
        const name = entry.endsWith("/*") ? entry.slice(0, -2) : entry
        const isName = !("problem" in parseReference(name)) && (entry !== name || repositoryOf(name) === name)
        const what = "must be an image's full name without tag and digest, or end with /*"
        return isName ? [] : [[`preloadedImagesVerificationAllowlist.${i}`, `${what}, not '${entry}'`]]
      })

/** What kubelet's parts refuse when they start, or take and never get right. */
const partProblems = (c: KubeletConfiguration): ReadonlyArray<FieldProblem> => {
  const problems: Array<FieldProblem> = []
  for (const [i, address] of c.clusterDNS.entries())
    if (isIP(address) === 0) problems.push([`clusterDNS.${i}`, `must be an IP address, not '${address}'`])
  for (const field of ["address", "healthzBindAddress"] as const)
    if (isIP(c[field]) === 0) problems.push([field, `must be an IP address, not '${c[field]}'`])
  for (const [i, pattern] of c.allowedUnsafeSysctls.entries()) {
    const wrong = allowlistProblem([pattern])
    if (wrong !== undefined) problems.push([`allowedUnsafeSysctls.${i}`, wrong])
  }
  if (c.podPidsLimit < -1) problems.push(["podPidsLimit", `must be -1 (no limit) or more, not ${c.podPidsLimit}`])
  if (Result.isFailure(parseQuantity(c.containerLogMaxSize)))
    problems.push(["containerLogMaxSize", `must be a number of bytes such as 10Mi, not '${c.containerLogMaxSize}'`])
  for (const field of ["fileCheckFrequency", "runtimeRequestTimeout", "evictionPressureTransitionPeriod"] as const)
    if (c[field] < 0) problems.push([field, "must not be negative"])
  if (c.evictionMaxPodGracePeriod < 0) problems.push(["evictionMaxPodGracePeriod", "must not be negative"])
  if (!["AlwaysAllow", "Webhook"].includes(c.authorization.mode))
    problems.push(["authorization.mode", `must be AlwaysAllow or Webhook, not '${c.authorization.mode}'`])
  return problems
}

/** @param c with its defaults */
export const judgeKubelet = (c: KubeletConfiguration): Judged => {
  const isLetBe = ([field]: FieldProblem): boolean => {
    const [list, i] = field.split(".")
    const what = list === "enforceNodeAllocatable" ? c.enforceNodeAllocatable[Number(i)] : undefined
    return what !== undefined && lacksCgroup(c, what)
  }
  const found = kubeletProblems(c).map(([field, message]): FieldProblem => [field, message.replace(invalid, "")])
  return {
    errors: [
      ...found.filter((problem) => !isLetBe(problem)),
      ...reserved("kubeReserved", c.kubeReserved),
      ...reserved("systemReserved", c.systemReserved),
      ...evictionProblems(c),
      ...allowlistProblems(c),
      ...partProblems(c)
    ],
    warnings: found.filter(isLetBe).map(([field, message]) => [field, `is not enforced: ${message}`])
  }
}
