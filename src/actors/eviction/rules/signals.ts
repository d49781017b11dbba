/**
 * What eviction watches (`pkg/kubelet/eviction/api/types.go`, `helpers.go`): signals, the resource that each is about, and the
 * condition of the node that it raises.
 */
import type { QuantityFormat } from "../../pod/resources/quantity.ts"

export const evictionSignals = [
  "memory.available",
  "allocatableMemory.available",
  "nodefs.available",
  "nodefs.inodesFree",
  "imagefs.available",
  "imagefs.inodesFree",
  "containerfs.available",
  "containerfs.inodesFree",
  "pid.available"
] as const
export type Signal = (typeof evictionSignals)[number]

export type Resource = "memory" | "ephemeral-storage" | "inodes" | "pids"
export type PressureCondition = "MemoryPressure" | "DiskPressure" | "PIDPressure"
export const pressureConditions: ReadonlyArray<PressureCondition> = ["MemoryPressure", "DiskPressure", "PIDPressure"]

const resources: Readonly<Record<string, Resource>> = {
  "memory.available": "memory",
  "allocatableMemory.available": "memory",
  "nodefs.available": "ephemeral-storage",
  "nodefs.inodesFree": "inodes",
  "imagefs.available": "ephemeral-storage",
  "imagefs.inodesFree": "inodes",
  "containerfs.available": "ephemeral-storage",
  "containerfs.inodesFree": "inodes",
  "pid.available": "pids"
}

export const resourceOf = (signal: string): Resource | undefined => resources[signal]
export const isSignal = (signal: string): signal is Signal => resources[signal] !== undefined

export const isMemorySignal = (signal: string): boolean => resources[signal] === "memory"

const conditions: Readonly<Record<Resource, PressureCondition>> = {
  memory: "MemoryPressure",
  "ephemeral-storage": "DiskPressure",
  inodes: "DiskPressure",
  pids: "PIDPressure"
}

export const conditionOf = (signal: string): PressureCondition | undefined => {
  const resource = resources[signal]
  return resource === undefined ? undefined : conditions[resource]
}

/** Bytes are written with Ki, Mi, …; files and processes are counted. */
export const formatOf = (signal: string): QuantityFormat => {
  const resource = resources[signal]
  return resource === "inodes" || resource === "pids" ? "DecimalSI" : "BinarySI"
}
