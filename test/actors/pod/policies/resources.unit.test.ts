import assert from "node:assert/strict"
import { describe, it } from "node:test"
import {
  cgroupBasename,
  cgroupPath,
  hugePageLimits,
  milliCpuToQuota,
  milliCpuToShares,
  parseCgroupPath,
  podCgroupName,
  podCgroupSettings,
  podUidOfCgroup,
  quotaToMilliCpu,
  sharesToWeight,
  tierShares,
  weightToShares
} from "../../../../src/actors/pod/resources/cgroup.ts"
import { oomScoreAdj } from "../../../../src/actors/pod/resources/oom-score.ts"
import { qosClass } from "../../../../src/actors/pod/resources/qos.ts"
import { quantityText } from "../../../../src/actors/pod/resources/quantity.ts"
import {
  hasPodLevelLimits,
  hasPodLevelResources,
  isPodLevelResource,
  podLimits,
  podRequests,
  type ResourceList,
  resourceList
} from "../../../../src/actors/pod/resources/resource-list.ts"
import {
  calculateLinuxResources,
  containerHugePageLimits,
  containerResources,
  overheadResources,
  type ResourceEnvironment,
  sandboxResources,
  swapBehaviorOf
} from "../../../../src/actors/pod/resources/resources.ts"
import { allContainers } from "../../../../src/actors/pod/spec-extension.ts"
import { itMeets, later, podOf, type Row, type RowValue, withoutZero } from "../../../support/cases.ts"

const gibibyte = 1024 ** 3
const memoryQos = later("memory QoS (alpha, KEP-2570)")
const containerNamed = (pod: RowValue, name: string) =>
  allContainers(pod.spec).find((container) => container.name === name)!

describe("QoS", () => {
  itMeets("qos-class.json", "TestComputePodQOS", "follows from requests and limits", (row) => {
    assert.equal(qosClass(podOf(row.in.pod).spec), row.want.qosClass)
    return undefined
  })
  itMeets("oom-score.json", "TestGetContainerOOMScoreAdjust", "decides who is killed first", (row) => {
    const pod = podOf(row.in.pod)
    assert.equal(oomScoreAdj(pod, containerNamed(pod, row.in.container), row.in.memoryCapacity), row.want.oomScoreAdj)
    return undefined
  })
})

const texts = (list: ResourceList) => Object.fromEntries([...list].map(([name, q]) => [name, quantityText(q)]).sort())
const canonical = (wanted: Record<string, string>) => texts(resourceList(wanted))

describe("what a pod asks for as a whole", () => {
  const file = "pod-resources.json"
  const side =
    (name: "requests" | "limits") =>
    (row: Row): undefined | ReturnType<typeof later> => {
      if (row.in.options.useStatusResources) return later("in-place resize: resources from the status")
      const claims = row.in.pod.status?.nodeAllocatableResourceClaimStatuses !== undefined
      if (row.in.options.useDRANodeAllocatableResourceClaimStatus && claims)
        return later("dynamic resource allocation: claims of node resources")
      const list = (name === "requests" ? podRequests : podLimits)(podOf(row.in.pod).spec, row.in.options)
      assert.deepEqual(texts(list), canonical(row.want[name]))
      return undefined
    }
  for (const test of ["TestPodRequestsAndLimits", "TestPodRequestsAndLimitsWithoutOverhead"]) {
    const has = (name: string) => (table: { rows: ReadonlyArray<Row> }) => table.rows[0]!.want[name] !== undefined
    itMeets(file, test, "is the sum of requests", side("requests"), has("requests"))
    itMeets(file, test, "is the sum of limits", side("limits"), has("limits"))
  }
  itMeets(file, "TestPodResourceRequests", "counts sidecars beside what runs with them", side("requests"))
  itMeets(file, "TestPodLevelResourceRequests", "is overridden at pod level", side("requests"))
  itMeets(file, "TestPodResourceRequestsWithDRANodeAllocatableClaims", "leaves claims for later", side("requests"))
  itMeets(file, "TestPodResourceLimits", "limits sidecars beside what runs with them", side("limits"))
  itMeets(file, "TestIsPodLevelResourcesSet", "knows pod-level resources", (row) => {
    assert.equal(hasPodLevelResources(podOf(row.in.pod).spec), row.want.result)
    return undefined
  })
  itMeets(file, "TestIsPodLevelLimitsSet", "knows pod-level limits", (row) => {
    assert.equal(hasPodLevelLimits(podOf(row.in.pod).spec), row.want.result)
    return undefined
  })
  itMeets(file, "TestIsSupportedPodLevelResource", "allows cpu, memory and huge pages at pod level", (row) => {
    assert.equal(isPodLevelResource(row.in.resource), row.want.expected)
    return undefined
  })
})

describe("the cgroup of a pod", () => {
  const file = "cgroup-names.json"
  itMeets(file, "TestCgroupNameToSystemd", "has a slice path under systemd", (row) => {
    assert.equal(cgroupPath(row.in.name, "systemd"), row.want.path)
    return undefined
  })
  itMeets(file, "TestCgroupNameToSystemdBasename", "has a slice name under systemd", (row) => {
    assert.equal(cgroupBasename(row.in.name, "systemd"), row.want.basename)
    return undefined
  })
  itMeets(file, "TestCgroupNameToCgroupfs", "has a plain path under cgroupfs", (row) => {
    assert.equal(cgroupPath(row.in.name, "cgroupfs"), row.want.path)
    return undefined
  })
  itMeets(file, "TestParseSystemdToCgroupName", "is read back from a slice path", (row) => {
    assert.deepEqual(parseCgroupPath(row.in.path, "systemd"), row.want.name)
    return undefined
  })
  itMeets(file, "TestGetPodContainerName", "sits in the tier of its QoS class", (row) => {
    const name = podCgroupName(podOf(row.in.pod), [])
    assert.deepEqual(name, row.want.name)
    assert.equal(cgroupPath(name, row.in.driver), row.want.path)
    return undefined
  })
  itMeets(file, "TestIsCgroupPod", "is known by its path", (row) => {
    const uid = podUidOfCgroup(row.in.path, row.in.driver, [])
    assert.equal(uid !== undefined, row.want.isPodCgroup)
    assert.equal(uid ?? "", row.want.podUID)
    return undefined
  })
  itMeets(file, "TestCpuWeightToCPUShares", "has shares for a weight", (row) => {
    assert.equal(weightToShares(row.in.cpuWeight), row.want.cpuShares)
    return undefined
  })
  itMeets(file, "TestGetCpuWeight", "has a weight for shares", (row) => {
    assert.equal(sharesToWeight(row.in.cpuShares ?? undefined), row.want.cpuWeight)
    return undefined
  })

  itMeets(
    "pod-cgroup-config.json",
    "TestResourceConfigForPod",
    "is set from the pod's requests and limits",
    (row) => {
      const settings = podCgroupSettings(podOf(row.in.pod), {
        enforceCpuLimits: row.in.enforceCPULimits,
        quotaPeriod: row.in.quotaPeriodUs
      })
      const { hugePageLimits: pages, ...rest } = settings
      assert.deepEqual(
        {
          memoryLimitBytes: rest.memoryLimit,
          cpuShares: rest.cpuShares,
          cpuQuotaUs: rest.cpuQuota,
          cpuPeriodUs: rest.cpuPeriod,
          hugePageLimitBytes: Object.fromEntries(pages ?? [])
        },
        {
          memoryLimitBytes: undefined,
          cpuQuotaUs: undefined,
          cpuPeriodUs: undefined,
          ...row.want.config
        }
      )
      return undefined
    },
    (table) => table.rows[0]!.in.pod !== undefined
  )
  itMeets(
    "pod-cgroup-config.json",
    "TestResourceConfigForPod",
    "has 1024 shares a CPU",
    (row) => {
      assert.equal(milliCpuToShares(row.in.milliCPU), row.want.cpuShares)
      return undefined
    },
    (table) => table.rows[0]!.in.milliCPU !== undefined
  )
  itMeets(
    "pod-cgroup-config.json",
    "TestResourceConfigForPodWithEnforceMemoryQoS",
    "protects no memory yet where some is asked for",
    (row) => {
      if (row.want.config.unified !== undefined) return memoryQos
      assert.equal(podCgroupSettings(podOf(row.in.pod)).cpuShares, row.want.config.cpuShares)
      return undefined
    }
  )
  itMeets("pod-cgroup-config.json", "TestMilliCPUToQuota", "has a quota of at least 1 ms", (row) => {
    assert.equal(milliCpuToQuota(row.in.milliCPU, row.in.periodUs), row.want.quotaUs)
    return undefined
  })
  itMeets("pod-cgroup-config.json", "TestHugePageLimits", "limits huge pages by size", (row) => {
    assert.deepEqual(Object.fromEntries(hugePageLimits(row.in.resources)), row.want.limits)
    return undefined
  })
  itMeets("qos-cgroups.json", "TestQOSCPUConfigUpdate", "makes up the shares of its tier", (row) => {
    const shares = tierShares(row.in.pods.map(podOf))
    assert.equal(shares.burstable, row.want.burstableCPUShares)
    assert.equal(shares.bestEffort, row.want.bestEffortCPUShares)
    return undefined
  })
  it("is found again under any root and driver", () => {
    const pod = podOf({ metadata: { uid: "0fcf9f70-a43c-4888-8e92-35325b480e18" }, spec: {} })
    const root = ["kb", "kubepods"]
    for (const driver of ["cgroupfs", "systemd"] as const) {
      const path = cgroupPath(podCgroupName(pod, root), driver)
      assert.equal(podUidOfCgroup(path, driver, root), pod.metadata.uid, path)
      assert.equal(podUidOfCgroup(path, driver), undefined)
    }
  })
})

describe("the resources of a container", () => {
  const file = "container-resources.json"
  const node = (more: Partial<ResourceEnvironment>): ResourceEnvironment => ({
    cgroupVersion: "v1",
    memoryCapacity: 32 * gibibyte,
    hugePageSizes: ["2MB", "1GB"],
    swapAccounting: false,
    singleProcessOomKill: true,
    ...more
  })
  const same = (resources: unknown, want: unknown) => assert.deepEqual(withoutZero(resources), withoutZero(want))
  const versionOf = (row: Row) => row.in.cgroupVersion as "v1" | "v2"

  itMeets(file, "TestCalculateLinuxResources", "follow from requests and limits", (row) => {
    const { cpuRequest, cpuLimit, memoryLimit } = row.in
    const amounts = Object.fromEntries(
      Object.entries({ cpuRequest, cpuLimit, memoryLimit }).filter(([, text]) => text !== null)
    )
    const env = {
      cgroupVersion: versionOf(row),
      enforceCpuLimits: !row.in.disableCPUQuota,
      singleProcessOomKill: row.in.singleProcessOOMKill
    }
    same(calculateLinuxResources(amounts, env), row.want.resources)
    return undefined
  })
  itMeets(file, "TestGenerateLinuxContainerResources", "hold no quota where quotas are off", (row) => {
    const pod = podOf(row.in.pod)
    const env = node({
      cgroupVersion: versionOf(row),
      // The capacity that the harness reports: 500 Mi of it weigh 30 thousandths.
      memoryCapacity: 16 * gibibyte,
      enforceCpuLimits: false,
      singleProcessOomKill: row.in.singleProcessOOMKill
    })
    same(containerResources(pod, containerNamed(pod, row.in.container), env), row.want.resources)
    return undefined
  })
  itMeets(file, "TestGenerateLinuxContainerResourcesWithSwap", "limit swap in proportion to memory", (row) => {
    const pod = podOf(row.in.pod)
    const env = node({
      cgroupVersion: versionOf(row),
      memoryCapacity: 42_949_672_960,
      swapCapacity: 5_368_709_120,
      swapAccounting: !row.in.swapDisabledOnNode,
      enforceCpuLimits: false,
      ...(row.in.swapBehavior === "" ? {} : { swapBehavior: row.in.swapBehavior })
    })
    same(containerResources(pod, containerNamed(pod, row.in.container), env), row.want.resources)
    return undefined
  })
  itMeets(file, "TestGenerateLinuxContainerConfigResources", "take the pod's limits where it has none", (row) => {
    if (Object.keys(row.in.cpuSets ?? {}).length > 0 && row.gates?.DisableCPUQuotaWithExclusiveCPUs)
      return later("exclusive CPUs")
    const pod = podOf(row.in.pod)
    same(containerResources(pod, containerNamed(pod, row.in.container), node({})), row.want.resources)
    return undefined
  })
  itMeets(file, "TestGetHugepageLimitsFromResources", "forbid huge pages that nobody asked for", (row) => {
    same(
      containerHugePageLimits(row.in.resources, row.in.podResources, ["2MB", "1GB"]).filter((page) =>
        row.want.limits.some((wanted: RowValue) => wanted.pageSize === page.pageSize)
      ),
      row.want.limits
    )
    return undefined
  })
  itMeets(file, "TestGetContainerSwapBehavior", "allow swap to Burstable containers only", (row) => {
    // The memory of the container is told by the row's name alone.
    const memory = row.name.includes("zero memory")
      ? {}
      : row.name.includes("equal to limit")
        ? { requests: { memory: "1Gi" }, limits: { memory: "1Gi" } }
        : { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } }
    const behavior = swapBehaviorOf({
      configured: row.in.configuredMemorySwap,
      swapAccounting: row.in.isSwapControllerAvailable,
      cgroupVersion: row.in.cgroupVersion || undefined,
      critical: row.in.isCriticalPod,
      qos: row.in.qosClass || undefined,
      memory
    })
    assert.equal(behavior, row.want.behavior)
    return undefined
  })
  itMeets(file, "TestQuotaToMilliCPU", "turn a quota back into milli-CPU", (row) => {
    assert.equal(quotaToMilliCpu(row.in.quota, row.in.period), row.want.milliCPU)
    return undefined
  })
  itMeets(
    file,
    "TestGenerateUpdatePodSandboxResourcesRequest",
    "are summed for the sandbox, without overhead",
    (row) => {
      same(sandboxResources(podOf(row.in.pod), node({})), row.want.resources)
      return undefined
    }
  )
  itMeets(file, "TestApplySandboxResources", "are told to the sandbox with the overhead", (row) => {
    const pod = podOf(row.in.pod)
    const env = node({ cgroupVersion: versionOf(row), singleProcessOomKill: false })
    same(sandboxResources(pod, env), row.want.resources)
    same(overheadResources(pod, env), row.want.overhead)
    return undefined
  })
})
