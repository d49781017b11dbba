/** Clients that are remembered for servers which are gone, or at addresses that remember nobody any more. */
import type { IpFamily } from "../../../events/service-shape.ts"
import { addressBytes, type Bytes, packAddress, serverBytes } from "./bytes.ts"
import { Delta, type Operation } from "./delta.ts"
import type { Value } from "./elements.ts"
import { sets } from "./layout.ts"
import type { Model } from "./model.ts"

/** Whether a list of servers has this one, at the place of a server. */
const hasServer = (servers: Bytes, server: Bytes, width: number): boolean => {
  for (let at = servers.indexOf(server); at !== -1; at = servers.indexOf(server, at + 1))
    if (at % width === 0) return true
  return false
}

/** Entries of the map of clients that must not hold any more. */
export const staleAffinities = (
  model: Model,
  family: IpFamily,
  found: ReadonlyMap<Bytes, Value>
): ReadonlyArray<Operation> => {
  const width = addressBytes(family)
  const nodeAddresses = new Set(model.nodeAddresses.map((address) => packAddress(address, family)))
  const delta = new Delta()
  for (const [key, value] of found) {
    const front = key.slice(0, width + 8)
    const byAddress = model.owner(family, front)
    const entry =
      byAddress ??
      (nodeAddresses.has(key.slice(0, width)) ? model.owner(family, key.slice(width, width + 8)) : undefined)
    const server = value.slice(0, width + 2)
    const holds =
      entry !== undefined &&
      entry.affinity > 0 &&
      (hasServer(entry.cluster, server, serverBytes(family)) || hasServer(entry.local, server, serverBytes(family)))
    if (!holds) delta.remove(family, sets.affinity, key, value)
  }
  return [...delta.operations()]
}
