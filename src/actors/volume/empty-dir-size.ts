/** How large an emptyDir may become, and of what it is made (`pkg/volume/emptydir/empty_dir.go`). Pure. */
import { Result } from "effect"
import { podCgroupSettings } from "../pod/resources/cgroup.ts"
import { compare, type Quantity, quantityOf, quantityText, value } from "../pod/resources/quantity.ts"
import { hugePagePrefix } from "../pod/resources/resource-list.ts"
import { allContainers, type PolicyPod } from "../pod/spec-extension.ts"

/**
 * Bytes of a file system in memory (calculateEmptyDirMemorySize): the least of what the volume says, what the pod is
 * limited to and what the node gives to pods. `undefined`: none of them is known.
 */
export const memorySize = (
  sizeLimit: string | undefined,
  pod: PolicyPod | undefined,
  allocatable: Readonly<Record<string, string>>
): number | undefined => {
  const asked = sizeLimit === undefined ? undefined : value(quantityOf(sizeLimit))
  const limits = [
    asked,
    pod === undefined ? undefined : podCgroupSettings(pod).memoryLimit,
    allocatable.memory === undefined ? undefined : value(quantityOf(allocatable.memory))
  ].filter((bytes) => bytes !== undefined && bytes > 0) as ReadonlyArray<number>
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** Bytes of one huge page (getPageSizeMountOption). The pod must ask for such pages. */
export const pageSize = (medium: string, pod: PolicyPod | undefined): Result.Result<number, string> => {
  const asked = medium === "HugePages" ? undefined : quantityOf(medium.slice("HugePages-".length))
  let found: Quantity | undefined
  for (const container of pod === undefined ? [] : allContainers(pod.spec)) {
    for (const resource of Object.keys(container.resources?.requests ?? {})) {
      if (!resource.startsWith(hugePagePrefix)) continue
      const size = quantityOf(resource.slice(hugePagePrefix.length))
      if (asked !== undefined) found = compare(size, asked) === 0 ? size : found
      else if (found !== undefined && compare(found, size) !== 0) {
        return Result.fail(`medium: ${medium} can't be used if container requests multiple huge page sizes`)
      } else found = size
    }
  }
  return found === undefined
    ? Result.fail(
        `medium ${medium}: hugePages storage requested, but there is no resource request for huge pages${asked === undefined ? "" : ` of ${quantityText(asked)}`}`
      )
    : Result.succeed(value(found))
}
