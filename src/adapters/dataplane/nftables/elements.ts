/** What of an entry stands in which set: pure. */
import { type Bytes, packIndex, serverBytes, split } from "./bytes.ts"
import { arrange, type Entry } from "./entry.ts"
import { type Chooser, chooserChain, type SetShape, sets, slotsFor, stickyChain, verdicts } from "./layout.ts"

/** A verdict as nft writes it (`goto cluster-8`), a packed target, or nothing in sets without values. */
export type Value = string

export type Emit = (set: SetShape, key: Bytes, value: Value) => void

/** Servers behind one address or node port. */
export interface SlotGroup {
  readonly set: SetShape
  /** The key without the slot's number. */
  readonly prefix: Bytes
  readonly policy: "cluster" | "local"
  readonly servers: Bytes
}

/** How many servers a packed list has. */
export const serversIn = (entry: Entry, servers: Bytes): number => servers.length / serverBytes(entry.family)

const goto = (entry: Entry, kind: Chooser, servers: Bytes): Value =>
  `goto ${chooserChain(kind, slotsFor(serversIn(entry, servers)), entry.affinity > 0)}`

/** Servers for traffic of the cluster's own. */
const internal = (entry: Entry): Bytes => (entry.internalLocal ? entry.local : entry.cluster)

/** Its elements that are not slots, each once. Elements of sets in `sharedSets` may be other entries' too. */
export const emitStatic = (entry: Entry, emit: Emit): void => {
  emit(sets.clusterIPs, entry.clusterIP, "")
  emitClusterFront(entry, emit)
  for (const front of entry.externalFronts) emitExternal(entry, front, emit)
  for (const front of entry.balancerFronts) {
    emitExternal(entry, front, emit)
    emitFirewall(entry, front, emit)
  }
  if (entry.nodePort !== undefined) emitNodePort(entry, entry.nodePort, emit)
  const width = serverBytes(entry.family)
  const protocol = entry.clusterFront.slice(-8, -4)
  for (let at = 0; at < entry.onNode.length; at += width) {
    const address = entry.onNode.slice(at, at + width - 2)
    emit(sets.hairpin, `${address}${address}${protocol}${entry.onNode.slice(at + width - 2, at + width)}\0\0`, "")
  }
}

const absence = (entry: Entry): Value => (entry.hasAny ? verdicts.drop : verdicts.reject)

const emitClusterFront = (entry: Entry, emit: Emit): void => {
  const servers = internal(entry)
  if (servers === "") emit(sets.noEndpoints, entry.clusterFront, absence(entry))
  else {
    emit(sets.services, entry.clusterFront, goto(entry, "cluster", servers))
    emitSticky(entry, entry.clusterFront, emit)
  }
}

const emitSticky = (entry: Entry, front: Bytes, emit: Emit): void => {
  if (entry.affinity > 0) emit(sets.sticky, front, `goto ${stickyChain(entry.affinity)}`)
}

const emitExternal = (entry: Entry, front: Bytes, emit: Emit): void => {
  const { cluster, local } = entry
  if (!entry.externalLocal) {
    if (cluster === "") emit(sets.noEndpoints, front, absence(entry))
    else {
      emit(sets.services, front, goto(entry, "cluster", cluster))
      emit(sets.masquerade, front, verdicts.masquerade)
      emitSticky(entry, front, emit)
    }
    return
  }
  if (local === "") emit(sets.noEndpoints, front, absence(entry))
  if (cluster === "" && local === "") return
  emit(sets.services, front, verdicts.externalLocal)
  emit(sets.masquerade, front, verdicts.masqueradeNode)
  emitSticky(entry, front, emit)
  if (cluster !== "") emit(sets.externalCluster, front, goto(entry, "cluster", cluster))
  if (local !== "") emit(sets.externalLocal, front, goto(entry, "local", local))
}

const emitNodePort = (entry: Entry, port: Bytes, emit: Emit): void => {
  const { cluster, local } = entry
  const remember = (): void => {
    if (entry.affinity > 0) emit(sets.nodePortSticky, port, `goto ${stickyChain(entry.affinity)}`)
  }
  if (!entry.externalLocal) {
    if (cluster === "") emit(sets.nodePortNoEndpoints, port, absence(entry))
    else {
      emit(sets.nodePorts, port, goto(entry, "node-port", cluster))
      emit(sets.nodePortMasquerade, port, verdicts.masquerade)
      remember()
    }
    return
  }
  if (local === "") emit(sets.nodePortNoEndpoints, port, absence(entry))
  if (cluster === "" && local === "") return
  emit(sets.nodePorts, port, verdicts.nodePortLocal)
  emit(sets.nodePortMasquerade, port, verdicts.masqueradeNode)
  remember()
  if (cluster !== "") emit(sets.nodePortCluster, port, goto(entry, "node-port", cluster))
  if (local !== "") emit(sets.nodePortLocal, port, goto(entry, "node-port-local", local))
}

const emitFirewall = (entry: Entry, front: Bytes, emit: Emit): void => {
  const { firewall } = entry
  if (firewall === undefined) return
  emit(sets.firewall, front, `goto ${firewall.chain}`)
  if (!firewall.fromNode) return
  for (const other of entry.balancerFronts) emit(sets.vipSources, other.slice(0, entry.clusterIP.length) + front, "")
}

/** Where its servers stand. */
export const slotGroups = (entry: Entry): ReadonlyArray<SlotGroup> => {
  const groups: Array<SlotGroup> = []
  const add = (set: SetShape, prefix: Bytes, policy: SlotGroup["policy"]): void => {
    if (entry[policy] !== "") groups.push({ set, prefix, policy, servers: entry[policy] })
  }
  add(sets.slots, entry.clusterFront, entry.internalLocal ? "local" : "cluster")
  for (const front of [...entry.externalFronts, ...entry.balancerFronts]) {
    add(sets.slots, front, "cluster")
    if (entry.externalLocal) add(sets.localSlots, front, "local")
  }
  if (entry.nodePort !== undefined) {
    add(sets.nodePortSlots, entry.nodePort, "cluster")
    if (entry.externalLocal) add(sets.nodePortLocalSlots, entry.nodePort, "local")
  }
  return groups
}

/** The entry with its servers in the order in which they stand in the kernel already, as far as they do. */
export const asFound = (entry: Entry, found: (set: SetShape, key: Bytes) => Value | undefined): Entry => {
  const orders: { cluster?: Bytes; local?: Bytes } = {}
  const width = serverBytes(entry.family)
  for (const { set, prefix, policy, servers } of slotGroups(entry)) {
    if (orders[policy] !== undefined) continue
    let order = ""
    for (let index = 0; ; index++) {
      const value = found(set, slotKey(prefix, index))
      if (value === undefined) break
      order += value.slice(0, -2)
    }
    orders[policy] = order === servers ? servers : arrange(order, new Set(split(servers, width)), entry.family)
  }
  const { cluster = entry.cluster, local = entry.local } = orders
  if (cluster === entry.cluster && local === entry.local) return entry
  return { ...entry, ...orders }
}

export const slotKey = (prefix: Bytes, index: number): Bytes => prefix + packIndex(index)

/** The value of a slot: `servers` from `at` on, as address and padded port. */
export const slotValue = (servers: Bytes, at: number, width: number): Value => `${servers.slice(at, at + width)}\0\0`

/** All of its elements. */
export const emitAll = (entry: Entry, emit: Emit): void => {
  emitStatic(entry, emit)
  for (const group of slotGroups(entry)) emitSlots(group, serverBytes(entry.family), emit)
}

export const emitSlots = ({ set, prefix, servers }: SlotGroup, width: number, emit: Emit): void => {
  for (let at = 0, index = 0; at < servers.length; at += width, index++) {
    emit(set, slotKey(prefix, index), slotValue(servers, at, width))
  }
}

/** Elements that several entries may have: they go with the last of them. */
export const isShared = (set: SetShape): boolean =>
  set === sets.clusterIPs || set === sets.hairpin || set === sets.vipSources

/** Addresses and node ports that are one entry's alone. */
export const fronts = (entry: Entry): ReadonlyArray<Bytes> => [
  entry.clusterFront,
  ...entry.externalFronts,
  ...entry.balancerFronts,
  ...(entry.nodePort === undefined ? [] : [entry.nodePort])
]
