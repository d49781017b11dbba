import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseConfiguration } from "../../src/cli/configuration.ts"
import { allocatableOf, nodeOffer, reservationProblem } from "../../src/cli/node-offer.ts"

const machine = { cpus: 4, memoryCapacity: 8 * 1024 ** 3, architecture: "amd64" }
const options = (kubeReserved: Record<string, string>, systemReserved: Record<string, string>) => ({
  nodeName: "n1",
  pods: { kubeReserved, systemReserved, maxPods: 110 }
})

describe("what a node offers to pods", () => {
  it("is what it has without what is reserved", () => {
    assert.deepEqual(allocatableOf(options({ cpu: "150m", memory: "1Gi" }, { memory: "512Mi" }), machine), {
      cpu: "3850m",
      memory: String(6.5 * 1024 ** 3)
    })
    assert.deepEqual(nodeOffer(options({}, {}), machine).allocatable, { cpu: "4", memory: String(8 * 1024 ** 3) })
  })

  it("cannot be less than nothing: the agent does not start", () => {
    assert.equal(reservationProblem(options({ cpu: "2" }, { cpu: "2" }), machine), undefined)
    assert.match(
      reservationProblem(options({ cpu: "3" }, { cpu: "2" }), machine) ?? "",
      /^invalid Node Allocatable configuration: 3 and 2 of cpu are reserved, and the node has 4$/u
    )
  })

  it("is configured in kubelet's words, and what is wrong is named with its place", () => {
    const read = (lines: string) =>
      parseConfiguration(`apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${lines}`, "k.yaml")
    assert.equal(read("cgroupsPerQOS: false\nenforceNodeAllocatable: [none]\n").kubelet.cgroupsPerQOS, false)
    for (const [lines, wanted] of [
      [
        "kubeReserved: {gpu: '1'}",
        /k\.yaml:3:21: kubeReserved\.gpu: only cpu, memory, ephemeral-storage, pid can be reserved/u
      ],
      ["systemReserved: {cpu: much}", /systemReserved\.cpu: must be an amount such as 500m or 1Gi, not 'much'/u],
      ["systemReserved: {cpu: '-1'}", /must not be negative: -1/u],
      [
        "enforceNodeAllocatable: [everything]",
        /must be pods, none or a reserved part of the system, not 'everything'/u
      ],
      ["enforceNodeAllocatable: [none, pods]", /may have nothing beside 'none'/u],
      ["cgroupsPerQOS: false\nenforceNodeAllocatable: [pods]", /needs cgroupsPerQOS/u],
      ["podPidsLimit: -2", /must be -1 \(no limit\) or more/u],
      ["cpuCFSQuotaPeriod: 2s", /must be from 1ms to 1s, not 2s/u]
    ] as const) {
      assert.throws(() => read(`${lines}\n`), wanted)
    }
  })
})
