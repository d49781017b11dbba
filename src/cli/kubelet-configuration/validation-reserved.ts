/** Rules of what is reserved and enforced on the node, in kubelet's words. */
import { Result } from "effect"
import { compare, parseQuantity, zero } from "../../actors/pod/resources/quantity.ts"
import type { KubeletConfiguration } from "./shape.ts"
import { type FieldProblem, only, quoted, type Rule, when } from "./validation-rule.ts"

const enforced = "enforceNodeAllocatable (--enforce-node-allocatable)"
const enforcements = [
  "pods",
  "system-reserved",
  "system-reserved-compressible",
  "kube-reserved",
  "kube-reserved-compressible"
]

/** What of `enforceNodeAllocatable` names a cgroup that the file does not. */
export const lacksCgroup = (c: KubeletConfiguration, enforcement: string): boolean =>
  (enforcement.startsWith("system-reserved") && c.systemReservedCgroup === "") ||
  (enforcement.startsWith("kube-reserved") && c.kubeReservedCgroup === "")

export const allocatable: Rule = (c) => {
  const list = c.enforceNodeAllocatable
  return list.flatMap((what, i): ReadonlyArray<FieldProblem | false> => {
    const field = `enforceNodeAllocatable.${i}`
    if (list.indexOf(what) < i) return [when(true, field, `duplicated enforcements ${quoted(what)} in ${enforced}`)]
    if (what === "none")
      return [
        when(list.length > 1, field, `${enforced} may not contain additional enforcements when "none" is specified`)
      ]
    if (!enforcements.includes(what)) {
      const options = `${enforcements.map((e) => quoted(e)).join(", ")} or "none"`
      return [when(true, field, `option ${quoted(what)} specified for ${enforced}. Valid options are ${options}`)]
    }
    const cgroupsPerQos = `cgroupsPerQOS (--cgroups-per-qos) must be set to true when "pods" contained in ${enforced}`
    if (what === "pods") return [when(!c.cgroupsPerQOS, field, cgroupsPerQos)]
    const of = what.startsWith("system") ? "system-reserved" : "kube-reserved"
    const both = [quoted(of), quoted(`${of}-compressible`)]
    const cgroup =
      of === "system-reserved"
        ? "systemReservedCgroup (--system-reserved-cgroup)"
        : "kubeReservedCgroup (--kube-reserved-cgroup)"
    const isSecond = list.indexOf(of) >= 0 && list.indexOf(`${of}-compressible`) >= 0 && what === of
    return [
      when(
        lacksCgroup(c, what),
        field,
        `${cgroup} must be specified when ${both.join(" or ")} included in ${enforced}`
      ),
      when(isSecond, field, `both ${both.join(" and ")} cannot be specified together in ${enforced}`)
    ]
  })
}

/** Of `k8s.io/utils/cpuset`: what is wrong with `0-3,5`, in Go's words. */
const cpuSetFault = (text: string): string | undefined => {
  for (const part of text.split(",")) {
    const ends = part.split(/-(.*)/su).slice(0, 2)
    for (const end of ends) if (!/^[+-]?\d+$/u.test(end)) return `strconv.Atoi: parsing ${quoted(end)}: invalid syntax`
    const [first, last] = ends.map(Number)
    if (last !== undefined && (first as number) > last) return `invalid range ${quoted(part)} (${first} > ${last})`
  }
  return undefined
}

export const reservedCpus: Rule = ({ reservedSystemCPUs: cpus, systemReservedCgroup, kubeReservedCgroup }) => {
  if (cpus === "") return []
  const fault = cpuSetFault(cpus)
  return [
    when(
      systemReservedCgroup !== "" || kubeReservedCgroup !== "",
      "reservedSystemCPUs",
      "can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup (--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)"
    ),
    when(
      fault !== undefined,
      "reservedSystemCPUs",
      `unable to parse reservedSystemCPUs (--reserved-cpus) ${cpus}, error: ${fault}`
    )
  ]
}

const isReservable = (resource: string): boolean => resource === "memory" || resource.startsWith("hugepages-")

/** Of `reservedMemory` alone. */
export const reservedMemoryProblems = (
  reserved: KubeletConfiguration["reservedMemory"]
): ReadonlyArray<FieldProblem> => {
  const seen = new Set<string>()
  return reserved.flatMap(({ numaNode: numa, limits }, i) =>
    Object.entries(limits ?? {}).flatMap(([resource, text]) => {
      const amount = parseQuantity(text)
      const isTwice = seen.has(`${numa} ${resource}`)
      seen.add(`${numa} ${resource}`)
      const field = `reservedMemory.${i}.limits.${resource}`
      const at = `for NUMA node ${numa} and resource ${quoted(resource)}`
      return only([
        when(
          !isReservable(resource),
          field,
          `the limit type ${quoted(resource)} for NUMA node ${numa} is not supported, only [memory hugepages-<HugePageSize>] is accepted`
        ),
        when(Result.isFailure(amount), field, `${quoted(text)} is no quantity ${at}`),
        when(
          Result.isSuccess(amount) && compare(amount.success, zero) === 0,
          field,
          `reserved memory may not be zero ${at}`
        ),
        when(isTwice, field, `the reserved memory has a duplicate value ${at}`)
      ])
    })
  )
}
