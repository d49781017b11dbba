/** Bounds of the fields about cgroups and reservations (`pkg/kubelet/apis/config/validation/validation.go`, `pkg/kubelet/cm`). */
import { Result } from "effect"
import { compare, parseQuantity, zero } from "../actors/pod/resources/quantity.ts"
import { parseLength } from "./times.ts"

/** As written; lengths of time are text. */
export interface CgroupConfiguration {
  readonly cgroupsPerQOS?: boolean
  readonly enforceNodeAllocatable?: ReadonlyArray<string>
  readonly kubeReserved?: Readonly<Record<string, string>>
  readonly systemReserved?: Readonly<Record<string, string>>
  readonly podPidsLimit?: number
  readonly cpuCFSQuota?: boolean
  readonly cpuCFSQuotaPeriod?: string
  readonly singleProcessOOMKill?: boolean
}

type Problem = readonly [field: string, message: string]

/** What can be reserved: what a node's pods are admitted by. */
const reservable: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage", "pid"])
/** Of these only `pods` is acted on; the others name cgroups of the system, which are left alone. */
const enforceable: ReadonlySet<string> = new Set([
  "pods",
  "none",
  "kube-reserved",
  "system-reserved",
  "kube-reserved-compressible",
  "system-reserved-compressible"
])
/** Lengths of time that the kernel takes as a period, milliseconds. */
const shortestPeriod = 1
const longestPeriod = 1000

const reserved = (
  field: "kubeReserved" | "systemReserved",
  amounts: CgroupConfiguration["kubeReserved"]
): ReadonlyArray<Problem> =>
  Object.entries(amounts ?? {}).flatMap(([resource, text]): ReadonlyArray<Problem> => {
    const at = `${field}.${resource}`
    if (!reservable.has(resource)) return [[at, `only ${[...reservable].join(", ")} can be reserved`]]
    const amount = parseQuantity(text)
    if (Result.isFailure(amount)) return [[at, `must be an amount such as 500m or 1Gi, not '${text}'`]]
    return compare(amount.success, zero) < 0 ? [[at, `must not be negative: ${text}`]] : []
  })

export const cgroupProblems = (values: CgroupConfiguration): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = [
    ...reserved("kubeReserved", values.kubeReserved),
    ...reserved("systemReserved", values.systemReserved)
  ]
  const enforced = values.enforceNodeAllocatable ?? []
  for (const [i, what] of enforced.entries()) {
    if (enforceable.has(what)) continue
    problems.push([`enforceNodeAllocatable.${i}`, `must be pods, none or a reserved part of the system, not '${what}'`])
  }
  if (enforced.includes("none") && enforced.length > 1)
    problems.push(["enforceNodeAllocatable", "may have nothing beside 'none'"])
  if (values.cgroupsPerQOS === false && enforced.includes("pods"))
    problems.push(["enforceNodeAllocatable", "needs cgroupsPerQOS: there is no cgroup of all pods without it"])
  if (typeof values.podPidsLimit === "number" && values.podPidsLimit < -1)
    problems.push(["podPidsLimit", `must be -1 (no limit) or more, not ${values.podPidsLimit}`])
  const period = values.cpuCFSQuotaPeriod
  if (typeof period === "string") {
    const millis = parseLength(period.replace(/^\+/u, ""))
    if (millis === undefined || millis < shortestPeriod || millis > longestPeriod)
      problems.push(["cpuCFSQuotaPeriod", `must be from 1ms to 1s, not ${period}`])
  }
  return problems
}
