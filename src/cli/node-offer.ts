/** What a node has, what of it is for pods, and what is wrong with that. */

import type { NodeOffer } from "../actors/pod/admission/node-room.ts"
import { overReserved, withoutReserved } from "../actors/pod/resources/allocatable.ts"
import type { AgentOptions } from "./agent-options.ts"

/** Facts of the host that this is made of. */
interface Machine {
  readonly cpus: number
  /** Bytes. */
  readonly memoryCapacity: number
  readonly architecture: string
}
type Options = Pick<AgentOptions, "nodeName"> & {
  readonly pods: Pick<AgentOptions["pods"], "kubeReserved" | "systemReserved" | "maxPods">
}

export const capacityOf = (machine: Machine): Readonly<Record<string, string>> => ({
  cpu: String(machine.cpus),
  memory: String(machine.memoryCapacity)
})

/** What is left beside what is reserved (`pkg/kubelet/cm/node_container_manager_linux.go`). */
export const allocatableOf = ({ pods }: Options, machine: Machine): Readonly<Record<string, string>> =>
  withoutReserved(capacityOf(machine), pods.kubeReserved, pods.systemReserved)

/** What keeps the agent from starting, in kubelet's words; undefined: nothing. */
export const reservationProblem = ({ pods }: Options, machine: Machine): string | undefined => {
  const capacity = capacityOf(machine)
  const [resource] = overReserved(capacity, pods.kubeReserved, pods.systemReserved)
  if (resource === undefined) return undefined
  const reserved = [pods.kubeReserved[resource], pods.systemReserved[resource]].filter((text) => text !== undefined)
  return `invalid Node Allocatable configuration: ${reserved.join(" and ")} of ${resource} are reserved, and the node has ${capacity[resource]}`
}

export const nodeOffer = (options: Options, machine: Machine): NodeOffer => ({
  allocatable: allocatableOf(options, machine),
  maxPods: options.pods.maxPods,
  labels: {
    "kubernetes.io/arch": machine.architecture,
    "kubernetes.io/hostname": options.nodeName,
    "kubernetes.io/os": "linux"
  }
})
