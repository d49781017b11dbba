/** The part of validation that is about requests and limits (`validation.go` ValidateResourceRequirements, validatePodResources): see validate.ts. */
import type { Container, ResourceRequirements } from "../../events/pod-spec.ts"
import { quantityNumber } from "./quantity.ts"
import type { Complain, WrittenPod } from "./written.ts"

type Written = Partial<Container>
type Spec = NonNullable<WrittenPod["spec"]>
type Amounts = ReadonlyMap<string, number>

const hugePages = "hugepages-"
const standard: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"])
const podLevel = (resource: string): boolean =>
  resource === "cpu" || resource === "memory" || resource.startsWith(hugePages)

/** What is wrong with the name of a resource. Device plugins offer the extended ones. */
const nameProblem = (resource: string): string | undefined => {
  if (standard.has(resource)) return undefined
  if (resource.startsWith(hugePages)) {
    const size = quantityNumber(resource.slice(hugePages.length))
    return size === undefined || size <= 0 ? `${JSON.stringify(resource)} names no page size` : undefined
  }
  if (resource.includes("/"))
    return "is an extended resource, and this node has no device plugin that offers it: without it the pod would not be what it says"
  return `must be a standard resource (${[...standard].join(", ")}, hugepages-<size>)`
}

const amountsOf = (
  of: Readonly<Record<string, string>>,
  path: string,
  isAllowed: (resource: string) => string | undefined,
  complain: Complain
): Amounts => {
  const read = new Map<string, number>()
  for (const [resource, text] of Object.entries(of)) {
    const value = quantityNumber(text)
    const at = `${path}[${JSON.stringify(resource)}]`
    const wrong = isAllowed(resource)
    if (wrong !== undefined) complain(at, wrong)
    else if (value === undefined) complain(at, `${JSON.stringify(text.slice(0, 60))} is no quantity`)
    else if (value < 0) complain(at, "must not be negative")
    else read.set(resource, value)
  }
  return read
}

/** A plain list of amounts, as an overhead is. */
export const validateAmounts = (of: Readonly<Record<string, string>>, path: string, complain: Complain): void => {
  amountsOf(of, path, nameProblem, complain)
}

interface Read {
  readonly requests: Amounts
  readonly limits: Amounts
}

const readResources = (
  { requests = {}, limits = {} }: ResourceRequirements,
  path: string,
  isAllowed: (resource: string) => string | undefined,
  complain: Complain
): Read => {
  const read = {
    limits: amountsOf(limits, `${path}.limits`, isAllowed, complain),
    requests: amountsOf(requests, `${path}.requests`, isAllowed, complain)
  }
  for (const [resource, asked] of read.requests) {
    const most = read.limits.get(resource)
    const at = `${path}.requests[${JSON.stringify(resource)}]`
    if (resource.startsWith(hugePages)) {
      if (most === undefined) complain(at, "needs a limit of the same amount")
      else if (asked !== most)
        complain(at, `must equal the limit of ${limits[resource]}: huge pages cannot be overcommitted`)
    } else if (most !== undefined && asked > most) {
      complain(at, `${requests[resource]} is more than the limit of ${limits[resource]}`)
    }
  }
  const names = [...read.requests.keys(), ...read.limits.keys()]
  if (names.some((name) => name.startsWith(hugePages)) && !names.some((name) => name === "cpu" || name === "memory"))
    complain(path, "huge pages need cpu or memory beside them")
  return read
}

export const validateResources = (container: Written, path: string, spec: Spec, complain: Complain): void => {
  readResources(container.resources ?? {}, `${path}.resources`, nameProblem, complain)
  const seen = new Set<string>()
  for (const [i, { resourceName, restartPolicy }] of (container.resizePolicy ?? []).entries()) {
    const at = `${path}.resizePolicy[${i}]`
    if (resourceName === undefined) complain(`${at}.resourceName`, "is missing: cpu or memory")
    else if (seen.has(resourceName)) complain(`${at}.resourceName`, `${resourceName} is given twice`)
    if (resourceName !== undefined) seen.add(resourceName)
    if (restartPolicy === undefined) complain(`${at}.restartPolicy`, "is missing: NotRequired or RestartContainer")
    const policy = container.restartPolicy ?? spec.restartPolicy
    if (policy === "Never" && restartPolicy === "RestartContainer")
      complain(`${at}.restartPolicy`, "must be NotRequired for a container that is never restarted")
  }
}

const podLevelProblem = (resource: string): string | undefined =>
  podLevel(resource)
    ? nameProblem(resource)
    : "is no resource of a pod as a whole: cpu, memory and hugepages-<size> are"

/** Resources of the pod as a whole, and what it takes beside its containers. */
export const validatePodResources = (spec: Spec, complain: Complain): void => {
  if (spec.overhead !== undefined) validateAmounts(spec.overhead, "spec.overhead", complain)
  if (spec.resources === undefined) return
  const whole = readResources(spec.resources, "spec.resources", podLevelProblem, complain)
  const sums = new Map<string, number>()
  for (const [i, { resources = {} }] of (spec.containers ?? []).entries()) {
    for (const [resource, text] of Object.entries(resources.limits ?? {})) {
      const most = whole.limits.get(resource)
      if (most !== undefined && (quantityNumber(text) ?? 0) > most) {
        complain(
          `spec.containers[${i}].resources.limits[${JSON.stringify(resource)}]`,
          `${text} is more than the pod's limit of ${spec.resources.limits?.[resource]}`
        )
      }
    }
    for (const [resource, text] of Object.entries({ ...resources.limits, ...resources.requests }))
      sums.set(resource, (sums.get(resource) ?? 0) + (quantityNumber(text) ?? 0))
  }
  for (const [resource, least] of sums) {
    const asked = whole.requests.get(resource)
    // Sums of binary fractions: what is asked for is written with at most nine digits.
    if (asked !== undefined && least - asked > 1e-9 * Math.max(1, asked)) {
      complain(
        `spec.resources.requests[${JSON.stringify(resource)}]`,
        `${spec.resources.requests?.[resource]} is less than what the containers request together`
      )
    }
  }
}
