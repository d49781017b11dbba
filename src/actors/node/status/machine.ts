/**
 * What a node has and what of it pods may ask for, as its status tells (`pkg/kubelet/nodestatus/setters.go` MachineInfo).
 * Pure; amounts as text.
 */
import { compare, type Quantity, quantityOf, quantityText, subtract, zero } from "../../pod/resources/quantity.ts"
import { hugePagePrefix } from "../../pod/resources/resource-list.ts"

export type Amounts = Readonly<Record<string, string>>

export interface Machine {
  /** Undefined: the machine could not be looked at. */
  readonly cores?: number
  /** Bytes. */
  readonly memory?: number
  /** kubelet's maxPods and podsPerCore; 0 of the latter: no such limit. */
  readonly maxPods: number
  readonly podsPerCore: number
  /** Of the node's file system: `ephemeral-storage`. */
  readonly storage?: Amounts
  /** What was told before: huge pages and extended resources that are not looked for here stay. */
  readonly before?: Amounts
  readonly devices?: {
    readonly capacity?: Amounts
    readonly allocatable?: Amounts
    readonly inactive?: ReadonlyArray<string>
  }
  /** What is kept back from pods. */
  readonly reserved?: Amounts
}

const notBelowZero = (q: Quantity): Quantity => (compare(q, zero) < 0 ? { ...zero, format: q.format } : q)

export const capacityAndAllocatable = (
  machine: Machine
): { readonly capacity: Amounts; readonly allocatable: Amounts } => {
  const { cores, memory, maxPods, podsPerCore, storage, before, devices, reserved = {} } = machine
  const isKnown = cores !== undefined
  const capacity: Record<string, string> = {
    ...before,
    cpu: String(cores ?? 0),
    memory: quantityText({ ...quantityOf(String(memory ?? 0)), format: "BinarySI" }),
    pods: String(isKnown && podsPerCore > 0 ? Math.min(cores * podsPerCore, maxPods) : maxPods),
    ...(isKnown ? { ...storage, ...devices?.capacity } : {})
  }
  if (isKnown) for (const name of devices?.inactive ?? []) capacity[name] = "0"
  const allocatable = new Map(
    Object.entries(capacity).map(([name, text]) => {
      const kept = reserved[name] === undefined ? zero : quantityOf(reserved[name])
      return [name, notBelowZero(subtract(quantityOf(text), kept))]
    })
  )
  for (const [name, text] of Object.entries(devices?.allocatable ?? {})) allocatable.set(name, quantityOf(text))
  // Memory that huge pages have taken is not there for anything else.
  for (const [name, text] of Object.entries(capacity)) {
    if (!name.startsWith(hugePagePrefix)) continue
    allocatable.set("memory", notBelowZero(subtract(allocatable.get("memory") ?? zero, quantityOf(text))))
  }
  return {
    capacity,
    allocatable: Object.fromEntries([...allocatable].map(([name, q]) => [name, quantityText(q)]))
  }
}
