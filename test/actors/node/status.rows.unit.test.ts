/** The node's status by kubelet's own rows. What only registration with an API server needs is left out by name. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { graceByPriority, groupByPriority } from "../../../src/actors/node/shutdown-groups.ts"
import { nodeAddresses, nodeIpProblem } from "../../../src/actors/node/status/addresses.ts"
import {
  type Judgement,
  type PressureType,
  pressureCondition,
  readyCondition,
  transitionReason
} from "../../../src/actors/node/status/conditions.ts"
import { capacityAndAllocatable } from "../../../src/actors/node/status/machine.ts"
import { compare, quantityOf } from "../../../src/actors/pod/resources/quantity.ts"
import { itMeets, later, type Row, type RowValue, readCase } from "../../support/cases.ts"

const file = "node-status.json"
const registration = "registration with an API server"

/** kubelet writes the whole list and when it looked; the events here tell the same with the time of the last transition. */
const meets = ({ in: given, want }: Row, judged: Judgement, tellsFirst: boolean): undefined => {
  const before = given.node.conditions.find(({ type }: RowValue) => type === judged.type)
  const isTransition = before?.status !== judged.status
  const condition = {
    ...judged,
    lastHeartbeatTime: given.now,
    lastTransitionTime: isTransition ? given.now : before.lastTransitionTime
  }
  assert.deepEqual([condition], want.conditions)
  const isTold = isTransition && (before !== undefined || tellsFirst)
  assert.deepEqual(isTold ? [{ type: "Normal", reason: transitionReason(judged) }] : [], want.events)
  return undefined
}

const listOf = (error: string | null): ReadonlyArray<string> => (error === null ? [] : [error])

describe("conditions of the node", () => {
  const pressures: ReadonlyArray<readonly [string, PressureType]> = [
    ["TestMemoryPressureCondition", "MemoryPressure"],
    ["TestPIDPressureCondition", "PIDPressure"],
    ["TestDiskPressureCondition", "DiskPressure"]
  ]
  for (const [test, type] of pressures) {
    itMeets(file, test, type, (row) => meets(row, pressureCondition(type, row.in.pressure), true))
  }

  itMeets(file, "TestReadyCondition", "Ready", (row) => {
    const { runtimeError, networkError, storageError, shutdownError, containerManagerStatus, capacity } = row.in
    const warning = containerManagerStatus.softRequirements
    const judged = readyCondition({
      runtimeErrors: listOf(runtimeError),
      networkErrors: listOf(networkError),
      storageErrors: listOf(storageError),
      shutdownErrors: listOf(shutdownError),
      capacity: capacity ?? {},
      isolatesLocalStorage: !row.in.disableLocalStorageCapacityIsolation,
      ...(warning === null ? {} : { warning })
    })
    return meets(row, judged, false)
  })
})

const sameAmounts = (told: Readonly<Record<string, string>>, want: Readonly<Record<string, string>>): void => {
  assert.deepEqual(Object.keys(told).sort(), Object.keys(want).sort())
  for (const [name, text] of Object.entries(want)) {
    assert.equal(compare(quantityOf(told[name]), quantityOf(text)), 0, `${name}: ${told[name]}, not ${text}`)
  }
}

describe("what the node has and where it is", () => {
  itMeets(file, "TestMachineInfo", "capacity and allocatable", ({ in: given, want }) => {
    const machine = given.machineInfo
    const { capacity, allocatable } = capacityAndAllocatable({
      ...(machine === null ? {} : { cores: machine.num_cores ?? 0, memory: machine.memory_capacity ?? 0 }),
      maxPods: given.maxPods,
      podsPerCore: given.podsPerCore,
      storage: given.fileSystemCapacity ?? {},
      before: given.node.capacity ?? {},
      devices: {
        capacity: given.deviceResources.capacity ?? {},
        allocatable: given.deviceResources.allocatable ?? {},
        inactive: given.deviceResources.inactive ?? []
      },
      reserved: given.reservation ?? {}
    })
    sameAmounts(capacity, want.node.capacity)
    sameAmounts(allocatable, want.node.allocatable)
    return undefined
  })

  itMeets(file, "TestNodeAddress", "addresses", ({ in: given, want }) => {
    if (given.cloudProvider) return later(`an external cloud provider: ${registration}`)
    const nodeIps = [given.nodeIP, given.secondaryNodeIP].filter((ip) => ip !== null)
    const addresses = nodeAddresses({ nodeIps, resolved: given.resolvedIP ?? undefined, hostname: "hostname" })
    assert.deepEqual(addresses, want.addresses)
    return undefined
  })

  itMeets(file, "TestNodeAddress_NoCloudProvider", "one address or two", ({ in: { nodeIPs }, want }) => {
    // The row's node has every address that is asked for.
    const isError = nodeIPs.some((ip: string) => nodeIpProblem(ip, nodeIPs) !== undefined)
    assert.equal(isError, want.isError)
    if (isError) return undefined
    assert.deepEqual(nodeAddresses({ nodeIps: nodeIPs, resolved: undefined, hostname: "hostname" }), want.addresses)
    return undefined
  })

  itMeets(file, "TestValidateNodeIPParam", "addresses that are refused", ({ in: { nodeIP }, want }) => {
    assert.equal(nodeIpProblem(nodeIP, ["10.0.0.1", "fd00::1"]) === undefined, want.valid)
    return undefined
  })
})

describe("graceful shutdown", () => {
  itMeets("node-shutdown.json", "Test_migrateConfig", "grace periods by priority", ({ in: given, want }) => {
    const groups = graceByPriority(given.shutdownGracePeriod, given.shutdownGracePeriodCriticalPods)
    assert.deepEqual(groups, want.groups ?? [])
    return undefined
  })
  itMeets("node-shutdown.json", "Test_groupByPriority", "pods by priority", ({ in: given, want }) => {
    const groups = groupByPriority(given.groups, given.pods as ReadonlyArray<{ name: string; priority: number }>)
    assert.deepEqual(
      groups.map((group) => ({ ...group, pods: group.pods.map(({ name }) => name) })),
      want.groups
    )
    return undefined
  })
})

/** Tables that are about bringing a Node object of an API server up to date. */
const leftOut: ReadonlyMap<string, string> = new Map([
  ["TestNodeStatusHasChanged", `whether a status is worth sending: ${registration}`],
  ["TestUpdateDefaultLabels", `labels of an existing Node object: ${registration}`],
  ["TestUpdateDefaultResources", `resources of an existing Node object: ${registration}`],
  ["TestReconcileHugePageResource", `huge pages of an existing Node object: ${registration}`],
  ["TestReconcileExtendedResource", `extended resources of an existing Node object: ${registration}`],
  ["TestVolumesInUse", "volumes that a controller attaches: an API server has it"]
])
const judged: ReadonlySet<string> = new Set([
  "TestMemoryPressureCondition",
  "TestPIDPressureCondition",
  "TestDiskPressureCondition",
  "TestReadyCondition",
  "TestMachineInfo",
  "TestNodeAddress",
  "TestNodeAddress_NoCloudProvider",
  "TestValidateNodeIPParam"
])

describe(file, () => {
  it("has no table that is neither judged nor left out by name", () => {
    const all = readCase(file).tables.map(({ origin }: RowValue) => origin.test)
    assert.deepEqual(
      all.filter((test: string) => !judged.has(test) && !leftOut.has(test)),
      []
    )
    assert.equal(all.length, judged.size + leftOut.size)
  })
})
