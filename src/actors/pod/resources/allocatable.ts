/** What of a node is for its pods (`pkg/kubelet/cm/node_container_manager_linux.go`). Pure; amounts as text. */
import { add, compare, milliValue, type Quantity, quantityOf, subtract, value, zero } from "./quantity.ts"

type Amounts = Readonly<Record<string, string>>

const amount = (amounts: Amounts, resource: string): Quantity =>
  amounts[resource] === undefined ? zero : quantityOf(amounts[resource])

/** Whole units where it is one: thousandths of a core, bytes. */
const text = (resource: string, quantity: Quantity): string => {
  if (resource !== "cpu") return String(value(quantity))
  const milli = milliValue(quantity)
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`
}

/** Resources of which more is reserved than there is: kubelet does not start then. */
export const overReserved = (capacity: Amounts, ...reservations: ReadonlyArray<Amounts>): ReadonlyArray<string> =>
  Object.keys(capacity).filter((resource) => {
    const reserved = reservations.reduce((sum, amounts) => add(sum, amount(amounts, resource)), zero)
    return compare(reserved, amount(capacity, resource)) > 0
  })

/** Capacity without the reservations; never less than nothing. */
export const withoutReserved = (capacity: Amounts, ...reservations: ReadonlyArray<Amounts>): Amounts =>
  Object.fromEntries(
    Object.keys(capacity).map((resource) => {
      const left = reservations.reduce(
        (rest, amounts) => subtract(rest, amount(amounts, resource)),
        amount(capacity, resource)
      )
      return [resource, text(resource, compare(left, zero) < 0 ? zero : left)]
    })
  )
