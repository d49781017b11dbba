import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { quantityOf, value } from "../../../src/actors/pod/resources/quantity.ts"
import { parseConfiguration } from "../../../src/cli/configuration/configuration.ts"
import { withDefaults } from "../../../src/cli/kubelet-configuration/defaults.ts"
import { hostProblem, nodeOffer, nodeResources, reservationProblem } from "../../../src/cli/run/node-offer.ts"

const gi = 1024 ** 3
const machine = {
  cpus: 4,
  memoryCapacity: 8 * gi,
  architecture: "amd64",
  hugePages: {},
  maxPids: 32_768,
  storage: 100 * gi
}
const told = (fields: object) => withDefaults({ evictionHard: {}, ...fields })
const resources = (fields: object, of: typeof machine = machine) => nodeResources(told(fields), of)

describe("what a node has and offers to pods", () => {
  it("is what it has without what is reserved, and without what eviction keeps free", () => {
    const reserved = { kubeReserved: { cpu: "150m", memory: "1Gi" }, systemReserved: { memory: "512Mi" } }
    const { capacity, allocatable } = resources(reserved)
    assert.deepEqual(capacity, { cpu: "4", memory: "8Gi", pods: "110", "ephemeral-storage": "100Gi" })
    assert.equal(allocatable.cpu, "3850m")
    assert.equal(allocatable.memory, "6656Mi")
    const hard = { "memory.available": "100Mi", "nodefs.available": "10%" }
    const kept = resources({ ...reserved, evictionHard: hard }).allocatable
    assert.equal(kept.memory, "6556Mi")
    assert.equal(Math.round(value(quantityOf(kept["ephemeral-storage"])) / gi), 90)
  })

  it("has processors that are named kept back in place of amounts of them", () => {
    const reserved = { kubeReserved: { cpu: "500m" }, systemReserved: { cpu: "100m", memory: "1Gi" } }
    const { allocatable } = resources({ ...reserved, reservedSystemCPUs: "0-1,1" })
    assert.deepEqual([allocatable.cpu, allocatable.memory], ["2", "7Gi"])
  })

  it("counts pods by node and by core, huge pages out of the memory, and no storage where that is switched off", () => {
    assert.equal(resources({ podsPerCore: 10 }).capacity.pods, "40")
    assert.equal(resources({ podsPerCore: 10, maxPods: 20 }).capacity.pods, "20")
    const huge = resources({}, { ...machine, hugePages: { "hugepages-2Mi": gi } } as typeof machine)
    assert.equal(huge.allocatable.memory, "7Gi")
    assert.equal(huge.allocatable["hugepages-2Mi"], "1Gi")
    assert.equal(resources({ localStorageCapacityIsolation: false }).capacity["ephemeral-storage"], undefined)
  })

  it("is handed to admission without the number of pods, which is told apart", () => {
    const offer = nodeOffer("n1", machine, resources({}))
    assert.equal(offer.maxPods, 110)
    assert.deepEqual(Object.keys(offer.allocatable).toSorted(), ["cpu", "ephemeral-storage", "memory"])
    assert.equal(offer.labels["kubernetes.io/hostname"], "n1")
  })
})

describe("what the kernel holds pods and the system to", () => {
  it("is for all pods what is not reserved, whatever eviction keeps free, and all of it where nothing is enforced", () => {
    const reserved = {
      systemReserved: { cpu: "1", memory: "1Gi", pid: "1000" },
      evictionHard: { "memory.available": "1Gi" }
    }
    assert.deepEqual(resources(reserved).enforced, { cpu: "3", memory: "7Gi", pid: "31768" })
    assert.deepEqual(resources({ ...reserved, enforceNodeAllocatable: ["none"] }).enforced, { cpu: "4", memory: "8Gi" })
  })

  it("is for the system's cgroups what is reserved for them, or the processors' share alone", () => {
    const reserved = {
      systemReserved: { cpu: "1", memory: "1Gi", pid: "1000" },
      kubeReserved: { cpu: "500m", memory: "1Gi" },
      systemReservedCgroup: "/system.slice",
      kubeReservedCgroup: "/runtime.slice"
    }
    const enforceNodeAllocatable = ["pods", "system-reserved", "kube-reserved-compressible"]
    assert.deepEqual(resources({ ...reserved, enforceNodeAllocatable }).reservedTiers, [
      { tier: "system-reserved", path: "/system.slice", values: { cpuShares: 1024, memoryLimit: gi, pidsLimit: 1000 } },
      { tier: "kube-reserved", path: "/runtime.slice", values: { cpuShares: 512 } }
    ])
    assert.deepEqual(resources(reserved).reservedTiers, [])
    // A cgroup that the file does not name is warned of when the file is read.
    assert.deepEqual(resources({ enforceNodeAllocatable: ["system-reserved"] }).reservedTiers, [])
  })
})

describe("a node that has too little for what is reserved", () => {
  it("does not run an agent: kubelet's words, and the figures", () => {
    assert.equal(
      reservationProblem(told({ kubeReserved: { cpu: "2" }, systemReserved: { cpu: "2" } }), machine),
      undefined
    )
    assert.equal(
      reservationProblem(told({ kubeReserved: { cpu: "3" }, systemReserved: { cpu: "2" } }), machine),
      'invalid Node Allocatable configuration. Resource "cpu" has a reservation of {{5 0} {<nil>}  DecimalSI} but capacity of {{4 0} {<nil>} 4 DecimalSI}. Expected capacity >= reservation. (cpu: systemReserved 2 and kubeReserved 3 are 5, and the node has 4)'
    )
    assert.match(reservationProblem(told({ kubeReserved: { pid: "40000" } }), machine) ?? "", /pid: kubeReserved 40k/u)
  })
})

describe("a machine that the configuration does not allow", () => {
  it("runs no agent: swap, and the first version of cgroups", () => {
    const [without, with_] = ["Filename\tType\n", "Filename\tType\n/dev/vdb partition\n"]
    assert.equal(hostProblem(told({}), "v1", with_), undefined)
    assert.equal(hostProblem(told({ failSwapOn: true, failCgroupV1: true }), "v2", without), undefined)
    assert.match(hostProblem(told({ failSwapOn: true }), "v2", with_) ?? "", /running with swap on is not supported/u)
    assert.match(hostProblem(told({ failCgroupV1: true }), "v1", without) ?? "", /not run on a host using cgroup v1/u)
    assert.match(hostProblem(told({ singleProcessOOMKill: false }), "v1", without) ?? "", /must not be explicitly set/u)
  })
})

describe("reservations in a file", () => {
  it("are read in kubelet's words, and what is wrong is named with its place", () => {
    const read = (lines: string) =>
      parseConfiguration(`apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${lines}`, "k.yaml")
    assert.equal(read("cgroupsPerQOS: false\nenforceNodeAllocatable: [none]\n").kubelet.cgroupsPerQOS, false)
    for (const [lines, wanted] of [
      ["kubeReserved: {gpu: '1'}", /k\.yaml:3:21: kubeReserved\.gpu: cannot reserve "gpu" resource/u],
      ["systemReserved: {cpu: much}", /systemReserved\.cpu: failed to parse quantity "much" for "cpu" resource/u],
      ["systemReserved: {cpu: '-1'}", /systemReserved\.cpu: resource quantity for "cpu" cannot be negative: -1/u],
      ["enforceNodeAllocatable: [everything]", /k\.yaml:3:26: .*option "everything" specified for/u],
      ["enforceNodeAllocatable: [none, pods]", /may not contain additional enforcements when "none" is specified/u],
      ["cgroupsPerQOS: false\nenforceNodeAllocatable: [pods]", /cgroupsPerQOS .* must be set to true when "pods"/u],
      ["podPidsLimit: -2", /must be -1 \(no limit\) or more/u],
      ["cpuCFSQuotaPeriod: 2s", /cpuCFSQuotaPeriod .* \{2s\} must be between 1ms and 1sec, inclusive/u],
      [
        "evictionHard: {memory.available: '-1'}",
        /k\.yaml:3:34: .*eviction threshold memory.available must be positive: -1/u
      ],
      ["evictionSoft: {memory.available: 1Gi}", /grace period must be specified for the soft eviction threshold/u]
    ] as const) {
      assert.throws(() => read(`${lines}\n`), wanted)
    }
  })
})
