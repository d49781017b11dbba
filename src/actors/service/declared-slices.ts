/** What EndpointSlices declare, compared with what was told of them before, as commands for the endpoints' actors. */
import type { DeclaredSlice } from "../../adapters/services/port.ts"
import type { EndpointFacts, Protocol } from "../../events/service-shape.ts"
import type { DesireEndpoint, UndesireEndpoint } from "../endpoint/commands.ts"
import { endpointActor } from "../endpoint/identity.ts"
import type { Endpoint } from "../endpoint/state.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { RejectEndpoints } from "./commands.ts"
import { replaced } from "./differing.ts"
import { serviceActor } from "./identity.ts"
import { endpointKey, portKey } from "./rules/endpoint.ts"
import {
  endpointsOfSlices,
  type SlicedChange,
  type SlicedEndpoint,
  type SlicedEndpoints,
  slicedChanges
} from "./rules/slices.ts"
import type { ServiceEntry, Table } from "./table.ts"

/** Endpoints that cannot be used, in one command: it stands in an event of at most 64 KiB. */
const maxRejected = 64

/** Sorted by name, as the directory has them; mostly one. */
type SlicesOfService = ReadonlyArray<DeclaredSlice>

export class DeclaredSlices {
  /** By Service, by slice. */
  private told = new Map<string, SlicesOfService>()
  private last: ReadonlyArray<DeclaredSlice> = []
  private isFirst = true
  private readonly table: Table

  constructor(table: Table) {
    this.table = table
  }

  /** `slices`: all that are declared now. `at`: milliseconds since the epoch. */
  take(slices: ReadonlyArray<DeclaredSlice>, at: number): ReadonlyArray<Outgoing> {
    const differing = this.isFirst ? undefined : replaced(this.last, slices, sliceName)
    this.last = slices
    const outgoing: Array<Outgoing> = []
    // One by one: a call takes some 100,000 arguments at most, and a Service may have more endpoints.
    const add = (some: ReadonlyArray<Outgoing>): void => {
      for (const one of some) outgoing.push(one)
    }
    const look = (key: string, now: SlicesOfService): void => {
      const before = this.told.get(key)
      if (before !== undefined && isSame(before, now)) return
      add(this.compare(key, before, now, at))
      for (const slice of now) if (slice.bad.length > 0 && before?.includes(slice) !== true) add(reject(slice, at))
    }
    if (differing !== undefined) {
      const instead = new Map(differing.map(({ before, now }) => [before, now]))
      for (const key of new Set(differing.map(({ now }) => keyOf(now)))) {
        const now = this.told.get(key)!.map((slice) => instead.get(slice) ?? slice)
        look(key, now)
        this.told.set(key, now)
      }
      return outgoing
    }
    const next = byService(slices)
    for (const [key, now] of next) look(key, now)
    for (const [key, before] of this.told) if (!next.has(key)) add(this.compare(key, before, none, at))
    if (this.isFirst) {
      for (const { key } of this.table.all()) if (!next.has(key)) add(this.compare(key, undefined, none, at))
      this.isFirst = false
    }
    this.told = next
    return outgoing
  }

  private compare(
    key: string,
    before: SlicesOfService | undefined,
    now: SlicesOfService,
    at: number
  ): ReadonlyArray<Outgoing> {
    const slash = key.indexOf("/")
    const [namespace, service] = [key.slice(0, slash), key.slice(slash + 1)]
    // What an earlier life of the agent was told stands in the actors' states.
    const old = before === undefined ? knownFromSlices(this.table.entry(key)) : endpointsOfSlices(before)
    const { added, changed, removed } = slicedChanges(old, endpointsOfSlices(now))
    return [
      ...[...added, ...changed].map((change) => desire(namespace, service, change, at)),
      ...removed.map((change) => undesire(namespace, service, change, at))
    ]
  }
}

const none: SlicesOfService = []

const keyOf = ({ namespace, service }: DeclaredSlice): string => `${namespace}/${service}`
/** With its Service: one that stands behind another now is another one. */
const sliceName = ({ namespace, name, service }: DeclaredSlice): string => `${namespace}/${name} ${service}`

const byService = (slices: ReadonlyArray<DeclaredSlice>): Map<string, SlicesOfService> => {
  const all = new Map<string, Array<DeclaredSlice>>()
  for (const slice of slices) {
    const key = keyOf(slice)
    const own = all.get(key)
    if (own === undefined) all.set(key, [slice])
    else own.push(slice)
  }
  return all
}

const isSame = (a: SlicesOfService, b: SlicesOfService): boolean =>
  a.length === b.length && a.every((slice, i) => slice === b[i])

const fromSlice = "slice "

const knownFromSlices = (entry: ServiceEntry | undefined): SlicedEndpoints => {
  const ports = new Map<string, Map<string, SlicedEndpoint>>()
  for (const endpoints of entry?.ports.values() ?? []) {
    for (const endpoint of endpoints) {
      if (!endpoint.from.startsWith(fromSlice)) continue
      const key = portKey(endpoint.portName, endpoint.protocol)
      const own = ports.get(key) ?? new Map<string, SlicedEndpoint>()
      ports.set(key, own)
      own.set(endpointKey(endpoint), sliced(endpoint))
    }
  }
  return ports
}

const sliced = (endpoint: Endpoint): SlicedEndpoint => ({
  ...factsOf(endpoint),
  address: endpoint.address,
  port: endpoint.port,
  slice: endpoint.from.slice(fromSlice.length)
})

const factsOf = ({ ready, serving, terminating, node, zone, zoneHints, nodeHints }: EndpointFacts): EndpointFacts => ({
  ...{ ready, serving, terminating },
  ...(node === undefined ? {} : { node }),
  ...(zone === undefined ? {} : { zone }),
  ...(zoneHints === undefined ? {} : { zoneHints }),
  ...(nodeHints === undefined ? {} : { nodeHints })
})

/** Of a `portKey`. */
const portOf = (key: string): { readonly portName: string; readonly protocol: Protocol } => {
  const slash = key.lastIndexOf("/")
  return { portName: key.slice(0, slash), protocol: key.slice(slash + 1) as Protocol }
}

const desire = (namespace: string, service: string, { port: key, endpoint }: SlicedChange, at: number): Outgoing => {
  const { portName, protocol } = portOf(key)
  const { address, port, slice } = endpoint
  const which = { service, portName, protocol, address, port }
  const command: DesireEndpoint = {
    _tag: "DesireEndpoint",
    at,
    ...which,
    facts: factsOf(endpoint),
    from: `${fromSlice}${slice}`
  }
  return { to: endpointActor(namespace, which), command }
}

const undesire = (namespace: string, service: string, { port: key, endpoint }: SlicedChange, at: number): Outgoing => {
  const { address, port, slice } = endpoint
  const command: UndesireEndpoint = { _tag: "UndesireEndpoint", at, from: `${fromSlice}${slice}` }
  return { to: endpointActor(namespace, { service, portName: portOf(key).portName, address, port }), command }
}

const reject = ({ namespace, service, name, file, hash, bad }: DeclaredSlice, at: number): ReadonlyArray<Outgoing> =>
  Array.from({ length: Math.ceil(bad.length / maxRejected) }, (_, i) => {
    const endpoints = bad.slice(i * maxRejected, (i + 1) * maxRejected)
    const command: RejectEndpoints = { _tag: "RejectEndpoints", at, slice: name, file, hash, endpoints }
    return { to: serviceActor(namespace, service), command }
  })
