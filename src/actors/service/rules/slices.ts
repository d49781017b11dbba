/**
 * The endpoints of one Service out of its EndpointSlices (`pkg/proxy/endpointslicecache.go`). An address may stand in several
 * slices for a while, as it moves from one to another, and twice in one, where a pod's address was given to another pod.
 */
import type { DeclaredSlice, SliceEndpoint } from "../../../adapters/services/port.ts"
import { type Endpoint, endpointKey, familyOf, portKey } from "./endpoint.ts"

export interface SlicedEndpoint extends Endpoint {
  /** `namespace/name` of the slice that is believed. */
  readonly slice: string
}

/** By `portKey` and `endpointKey`. */
export type SlicedEndpoints = ReadonlyMap<string, ReadonlyMap<string, SlicedEndpoint>>

/** A pod that runs comes before one that is being ended, and one that is ready before one that is not. */
const rank = (endpoint: SliceEndpoint): number => (endpoint.terminating ? 0 : 2) + (endpoint.ready ? 1 : 0)

/** Slices of one Service; the outcome does not depend on their order. Takes time in proportion to endpoints × ports. */
export const endpointsOfSlices = (slices: ReadonlyArray<DeclaredSlice>): SlicedEndpoints => {
  const byPort = new Map<string, Map<string, SlicedEndpoint>>()
  for (const slice of slices.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = `${slice.namespace}/${slice.name}`
    for (const port of slice.ports) {
      const key = portKey(port.name, port.protocol)
      const known = byPort.get(key) ?? new Map<string, SlicedEndpoint>()
      byPort.set(key, known)
      for (const endpoint of slice.endpoints) {
        if (familyOf(endpoint.address) !== slice.family) continue
        const at = endpointKey({ address: endpoint.address, port: port.port })
        const other = known.get(at)
        if (other === undefined || rank(endpoint) > rank(other)) {
          known.set(at, { ...endpoint, port: port.port, slice: name })
        }
      }
    }
  }
  return byPort
}

const isSameList = (a: ReadonlyArray<string> | undefined, b: ReadonlyArray<string> | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((text, i) => text === b[i]))

const isSame = (a: SlicedEndpoint, b: SlicedEndpoint): boolean =>
  a === b ||
  (a.ready === b.ready &&
    a.serving === b.serving &&
    a.terminating === b.terminating &&
    a.node === b.node &&
    a.zone === b.zone &&
    a.slice === b.slice &&
    isSameList(a.zoneHints, b.zoneHints) &&
    isSameList(a.nodeHints, b.nodeHints))

export interface SlicedChange {
  /** `portKey` */
  readonly port: string
  readonly endpoint: SlicedEndpoint
}

export interface SlicedChanges {
  readonly added: ReadonlyArray<SlicedChange>
  /** As they are now. */
  readonly changed: ReadonlyArray<SlicedChange>
  /** As they were. */
  readonly removed: ReadonlyArray<SlicedChange>
}

/** What is other between two states of a Service's endpoints. */
export const slicedChanges = (before: SlicedEndpoints, after: SlicedEndpoints): SlicedChanges => {
  const added: Array<SlicedChange> = []
  const changed: Array<SlicedChange> = []
  const removed: Array<SlicedChange> = []
  for (const [port, now] of after) {
    const old = before.get(port)
    for (const [key, endpoint] of now) {
      const known = old?.get(key)
      if (known === undefined) added.push({ port, endpoint })
      else if (!isSame(known, endpoint)) changed.push({ port, endpoint })
    }
  }
  for (const [port, old] of before) {
    const now = after.get(port)
    for (const [key, endpoint] of old) if (now?.has(key) !== true) removed.push({ port, endpoint })
  }
  return { added, changed, removed }
}
