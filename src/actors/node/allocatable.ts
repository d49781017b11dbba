/**
 * What of a node is not for its pods, and what is left (`pkg/kubelet/cm/node_container_manager_linux.go`). Pure; amounts as text by
 * resource.
 */
import { amountOf, isHard, type Threshold } from "../eviction/rules/thresholds.ts"
import {
  add,
  compare,
  isZero,
  type Quantity,
  quantityOf,
  quantityText,
  subtract,
  zero
} from "../pod/resources/quantity.ts"

export type Amounts = Readonly<Record<string, string>>

export interface Reserved {
  readonly kubeReserved?: Amounts | undefined
  readonly systemReserved?: Amounts | undefined
  /** Of eviction: what hard ones want to keep free is not for pods either. */
  readonly thresholds?: ReadonlyArray<Threshold>
}

const amount = (amounts: Amounts | undefined, resource: string): Quantity =>
  amounts?.[resource] === undefined ? zero : quantityOf(amounts[resource])

/** Signals whose hard thresholds are kept back, and of which resource. */
const keptBack: Readonly<Record<string, string>> = {
  "memory.available": "memory",
  "nodefs.available": "ephemeral-storage"
}

const keptFree = (capacity: Amounts, thresholds: ReadonlyArray<Threshold>, resource: string): Quantity => {
  const threshold = thresholds.find((one) => isHard(one) && keptBack[one.signal] === resource)
  if (threshold === undefined) return zero
  return amountOf(threshold.value, Number(amount(capacity, resource).nano / 10n ** 9n), threshold.signal)
}

const reservedOf = (capacity: Amounts, reserved: Reserved, resource: string): Quantity =>
  [
    amount(reserved.systemReserved, resource),
    amount(reserved.kubeReserved, resource),
    keptFree(capacity, reserved.thresholds ?? [], resource)
  ].reduce((sum, part) => add(sum, part), zero)

/** Of each resource that the node has: what is not for pods. What is nothing is left out. */
export const reservation = (capacity: Amounts, reserved: Reserved): Amounts =>
  Object.fromEntries(
    Object.keys(capacity)
      .map((resource) => [resource, reservedOf(capacity, reserved, resource)] as const)
      .filter(([, kept]) => !isZero(kept))
      .map(([resource, kept]) => [resource, quantityText(kept)])
  )

/** What the pods together are limited to in the kernel: thresholds of eviction are not kept from them. Never less than nothing. */
export const enforcedAllocatable = (capacity: Amounts, { kubeReserved, systemReserved }: Reserved): Amounts =>
  Object.fromEntries(
    Object.keys(capacity).map((resource) => {
      const left = subtract(
        amount(capacity, resource),
        reservedOf(capacity, { kubeReserved, systemReserved }, resource)
      )
      return [resource, quantityText(compare(left, zero) < 0 ? zero : left)]
    })
  )

/** Go's print of the struct: number, power of ten, nothing, the text it was read from, format. */
const goQuantity = ({ nano, format }: Quantity, text: string): string => {
  const power = nano % 10n ** 9n === 0n ? 0 : nano % 10n ** 6n === 0n ? -3 : nano % 10n ** 3n === 0n ? -6 : -9
  return `{{${nano / 10n ** BigInt(9 + power)} ${power}} {<nil>} ${text} ${format}}`
}

/** Resources of which more is kept back than there is: kubelet does not start then. Its words; undefined: there are none. */
export const overReserved = (capacity: Amounts, reserved: Reserved): string | undefined => {
  const problems = Object.entries(capacity).flatMap(([resource, text]) => {
    const [has, kept] = [quantityOf(text), reservedOf(capacity, reserved, resource)]
    if (compare(kept, has) <= 0) return []
    return [
      `Resource ${JSON.stringify(resource)} has a reservation of ${goQuantity(kept, "")} but capacity of ${goQuantity(has, text)}. Expected capacity >= reservation.`
    ]
  })
  return problems.length === 0 ? undefined : `invalid Node Allocatable configuration. ${problems.join(" ")}`
}

/** The same in figures that people read: one line for each resource that is over-reserved, with its parts. */
export const overReservedParts = (capacity: Amounts, reserved: Reserved): ReadonlyArray<string> =>
  Object.entries(capacity).flatMap(([resource, text]) => {
    const kept = reservedOf(capacity, reserved, resource)
    if (compare(kept, quantityOf(text)) <= 0) return []
    const parts = [
      ["systemReserved", amount(reserved.systemReserved, resource)],
      ["kubeReserved", amount(reserved.kubeReserved, resource)],
      ["evictionHard", keptFree(capacity, reserved.thresholds ?? [], resource)]
    ] as const
    const told = parts.filter(([, part]) => !isZero(part)).map(([name, part]) => `${name} ${quantityText(part)}`)
    return [`${resource}: ${told.join(" and ")} are ${quantityText(kept)}, and the node has ${text}`]
  })
