/**
 * Whether a node has room for a pod beside those that it has (`pkg/kubelet/lifecycle/predicate.go` GeneralPredicates, of the
 * scheduler's noderesources and nodeports). Pods of a directory are static pods: they ignore taints, and their node's
 * name is given to them.
 */
import type { NodeRoom } from "../../../events/node-room.ts"
import { add, compare, type Quantity, quantityOf, zero } from "../resources/quantity.ts"
import { podRequests } from "../resources/resource-list.ts"
import { initContainersOf, isSidecar, type PolicyPodSpec } from "../spec-extension.ts"
import { unmetPlacement } from "./node-affinity.ts"
import type { Requirement } from "./preemption.ts"
import type { Refusal } from "./refusal.ts"

/** What a node offers. */
export type NodeOffer = Pick<NodeRoom, "allocatable" | "maxPods" | "labels">

const units: ReadonlyMap<string, bigint> = new Map([["cpu", 10n ** 6n]])
/** Whole units as kubelet counts them: thousandths of a core, bytes. Rounded up. */
const counted = (name: string, { nano }: Quantity): bigint => {
  const unit = units.get(name) ?? 10n ** 9n
  return (nano + unit - 1n) / unit
}

const amount = (texts: Readonly<Record<string, string>>, name: string): Quantity =>
  texts[name] === undefined ? zero : quantityOf(texts[name])

interface Lack {
  readonly resource: string
  readonly missing: bigint
  readonly message: string
}

const lack = (resource: string, requested: bigint, used: bigint, capacity: bigint): Lack => ({
  resource,
  missing: requested - (capacity - used),
  message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`
})

/** What there is too little of. A pod that requests nothing of a resource fits however full it is. */
const lacks = (spec: PolicyPodSpec, room: NodeRoom): ReadonlyArray<Lack> => {
  const requests = podRequests(spec)
  const found: Array<Lack> = []
  if (room.pods + 1 > room.maxPods) found.push(lack("pods", 1n, BigInt(room.pods), BigInt(room.maxPods)))
  for (const name of Object.keys(room.allocatable)) {
    const requested = requests.get(name)
    if (requested === undefined || requested.nano <= 0n) continue
    const [used, capacity] = [amount(room.used, name), amount(room.allocatable, name)]
    if (compare(add(used, requested), capacity) <= 0) continue
    found.push(lack(name, counted(name, requested), counted(name, used), counted(name, capacity)))
  }
  return found
}

const predicate = (name: string, why: string): Refusal => ({
  reason: name,
  message: `Predicate ${name} failed: ${why}`
})

/** How much is missing of what there is too little of (`predicate.go` GetInsufficientAmount). */
export const requirements = (spec: PolicyPodSpec, room: NodeRoom): ReadonlyArray<Requirement> =>
  lacks(spec, room).map(({ resource, missing }) => ({ resource, quantity: Number(missing) }))

/** Whether it is for want of a resource. */
export const isLack = ({ reason }: Refusal): boolean => reason.startsWith("OutOf")

/** Everything that speaks against the pod, in kubelet's words; the first is the reason of its rejection. */
export const roomRefusals = (spec: PolicyPodSpec, room: NodeRoom): ReadonlyArray<Refusal> => {
  const unmet = unmetPlacement(spec, room.labels, room.labels["kubernetes.io/hostname"])
  return [
    ...lacks(spec, room).map(({ resource, message }) => ({ reason: `OutOf${resource}`, message })),
    ...(unmet === undefined
      ? []
      : [{ ...predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector"), field: unmet }]),
    ...(room.takenPorts.length === 0
      ? []
      : [
          predicate(
            "NodePorts",
            `node(s) didn't have free ports for the requested pod ports: ${room.takenPorts.join(", ")}`
          )
        ])
  ]
}

/** This agent runs on Linux only. */
const nodeOs = "linux"

/** A pod for another operating system (`predicate.go` rejectPodAdmissionBasedOnOSField, …OnOSSelector). */
export const osRefusal = (
  os: string | undefined,
  labels: Readonly<Record<string, string>> | undefined
): Refusal | undefined => {
  if (os !== undefined && os !== nodeOs) {
    const message = "Failed to admit pod as the OS field doesn't match node OS"
    return { reason: "PodOSNotSupported", message, field: "spec.os.name" }
  }
  const label = labels?.["kubernetes.io/os"]
  if (label === undefined || label === nodeOs) return undefined
  const message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
  return { reason: "PodOSSelectorNodeLabelDoesNotMatch", message, field: 'metadata.labels["kubernetes.io/os"]' }
}

// --- what is used ----------------------------------------------------------------------------------------------------

interface HostPort {
  readonly protocol: string
  readonly ip: string
  readonly port: number
}

const anyAddress = "0.0.0.0"

/** Of the containers that run beside each other: regular ones and sidecars. */
const hostPorts = (spec: PolicyPodSpec): ReadonlyArray<HostPort> =>
  [...initContainersOf(spec).filter(isSidecar), ...spec.containers].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort = 0, hostIP = "", protocol = "TCP" }) =>
      hostPort === 0 ? [] : [{ protocol, ip: hostIP === "" ? anyAddress : hostIP, port: hostPort }]
    )
  )

const collides = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === anyAddress || b.ip === anyAddress)

export interface Neighbour {
  /** `namespace/name` */
  readonly name: string
  readonly spec: PolicyPodSpec
  /** Of one that may have to go for another pod; absent: it is not there yet, or is being replaced. */
  readonly uid?: string
}

/** The room that a node has for a pod beside its neighbours. */
export const roomBeside = (spec: PolicyPodSpec, offer: NodeOffer, others: ReadonlyArray<Neighbour>): NodeRoom => {
  const requests = others.map((other) => podRequests(other.spec))
  const sum = (name: string): Quantity => requests.reduce((total, r) => add(total, r.get(name) ?? zero), zero)
  const wanted = hostPorts(spec)
  const taken = others.flatMap((other) =>
    hostPorts(other.spec)
      .filter((port) => wanted.some((own) => collides(own, port)))
      .map(({ protocol, ip, port }) => `${protocol} ${ip}:${port} (${other.name})`)
  )
  return {
    allocatable: offer.allocatable,
    maxPods: offer.maxPods,
    labels: offer.labels,
    used: Object.fromEntries(Object.keys(offer.allocatable).map((name) => [name, exactText(sum(name))])),
    pods: others.length,
    takenPorts: taken.slice(0, maxTakenPorts)
  }
}

/** Of the ports that are told as taken: one is enough to refuse the pod. */
const maxTakenPorts = 8

/** A whole number where it is one, else billionths. */
const exactText = ({ nano }: Quantity): string => (nano % 10n ** 9n === 0n ? `${nano / 10n ** 9n}` : `${nano}n`)
