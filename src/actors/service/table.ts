/**
 * The Services of this node and their endpoints, as the kernel is to be told of them: a picture in memory of what the actors'
 * committed states say, never a source of truth. It is filled once after recovery, and kept by the actors' reactions.
 *
 * Nothing here takes time in proportion to all Services but what goes through all of them by name.
 */
import { Context, Latch } from "effect"
import type { ServiceRules } from "../../adapters/dataplane/port.ts"
import type { HealthPort } from "../../adapters/http/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { IpFamily, ServiceSpec } from "../../events/service-shape.ts"
import { placeOfEndpoint, serviceOfEndpoint } from "../endpoint/identity.ts"
import type { Endpoint, EndpointState } from "../endpoint/state.ts"
import { serviceKey } from "./identity.ts"
import { EndpointsOfService } from "./port-endpoints.ts"
import { portKey, type Vantage } from "./rules/endpoint.ts"
import { isProxied } from "./rules/service-port.ts"
import { type EndpointsByPort, healthCheckOf, serviceRules } from "./rules/service-rules.ts"
import type { ServiceState } from "./state.ts"

export interface ServiceEntry {
  readonly namespace: string
  readonly name: string
  /** `namespace/name` */
  readonly key: string
  /** In force; undefined: there are endpoints of a Service that is not declared. */
  spec: ServiceSpec | undefined
  /** Its actor has said something of it, also that it is rejected. */
  isKnown: boolean
  /** By `portKey`. */
  readonly ports: EndpointsOfService
  /** What the kernel is to have, as of the last look, and what it has. */
  rules: ReadonlyArray<ServiceRules>
  applied: ReadonlyArray<ServiceRules>
  /** Changes of it wait until then, milliseconds since the epoch. */
  restsUntil: number
  /** Ports of policy Local that have servers, but none here. */
  withoutLocal: { readonly internal: number; readonly external: number }
}

/** Why an entry has to be looked at. */
export interface Dirt {
  /** When the first change came, `performance.now()`. */
  readonly since: number
  /** Id of the event of the first change. */
  readonly cause: string | undefined
  readonly services: number
  readonly endpoints: number
}

export interface DirtyEntry {
  readonly entry: ServiceEntry
  readonly dirt: Dirt
}

/** Servers of one Service up to which each change is taken at once. */
const restlessServers = 500
/**
 * Milliseconds, for each server, that a larger one rests after it was programmed: some ten times what one look at all of them
 * takes, so that a Service of 100,000 that grows by a few costs neither itself a square nor the others their turn.
 */
const restPerServer = 0.04
const longestRest = 5_000

const noRules: ReadonlyArray<ServiceRules> = []
const noneWithoutLocal = { internal: 0, external: 0 } as const

export class Table {
  /** Open while there is something to do for whoever programs the kernel. */
  readonly wake: Latch.Latch = Latch.makeUnsafe(false)
  /** Opens when all that is declared at the start is in the table. */
  readonly ready: Latch.Latch = Latch.makeUnsafe(false)
  private readonly entries = new Map<string, ServiceEntry>()
  private readonly dirty = new Map<string, Dirt>()
  /** By namespace, then by the first label of the selector: Services that a pod's labels may select. */
  private readonly selecting = new Map<string, Map<string, Set<ServiceEntry>>>()
  private readonly health = new Map<string, HealthPort>()
  private healthMoved = false
  private readonly vantage: Vantage
  private readonly families: ReadonlyArray<IpFamily>
  readonly withoutLocal = { internal: 0, external: 0 }
  /** Changes that came since the start. */
  readonly changes = { services: 0, endpoints: 0 }

  constructor(vantage: Vantage, families: ReadonlyArray<IpFamily>) {
    this.vantage = vantage
    this.families = families
  }

  /** Takes over all states after recovery. */
  seed(
    services: Iterable<{ readonly id: ActorId; readonly state: unknown }>,
    endpoints: Iterable<{ readonly id: ActorId; readonly state: unknown }>
  ): void {
    for (const { id, state } of services) this.takeService(id, state as ServiceState)
    for (const { id, state } of endpoints) this.takeEndpoint(id, state as EndpointState)
  }

  get size(): number {
    return this.entries.size
  }

  all(): Iterable<ServiceEntry> {
    return this.entries.values()
  }

  entry(key: string): ServiceEntry | undefined {
    return this.entries.get(key)
  }

  /** One of the Service `key`. */
  endpoint(key: string, port: string, place: Pick<Endpoint, "address" | "port">): Endpoint | undefined {
    return this.entries.get(key)?.ports.get(port)?.get(place)
  }

  /** Services that may select a pod with these labels; whether they do is for the caller to see. */
  *candidates(namespace: string, labels: Readonly<Record<string, string>>): Iterable<ServiceEntry> {
    const byLabel = this.selecting.get(namespace)
    if (byLabel === undefined) return
    for (const name in labels) {
      const found = byLabel.get(`${name}=${labels[name]}`)
      if (found !== undefined) yield* found
    }
  }

  /** An event of a Service's actor has been committed. */
  serviceChanged(id: ActorId, state: ServiceState, event: string): void {
    this.changes.services += 1
    this.mark(this.takeService(id, state), event, 1, 0)
  }

  /** An event of an endpoint's actor has been committed. */
  endpointChanged(id: ActorId, state: EndpointState, event: string): void {
    this.changes.endpoints += 1
    const entry = this.takeEndpoint(id, state)
    // What is behind a Service that is not declared concerns nobody yet.
    if (entry.spec !== undefined || entry.applied.length > 0) this.mark(entry, event, 0, 1)
    else this.forgetEmpty(entry)
  }

  /** Looks at it again at the next chance. */
  mark(entry: ServiceEntry, cause: string | undefined, services = 0, endpoints = 0): void {
    const known = this.dirty.get(entry.key)
    this.dirty.set(
      entry.key,
      known === undefined
        ? { since: performance.now(), cause, services, endpoints }
        : { ...known, services: known.services + services, endpoints: known.endpoints + endpoints }
    )
    this.wake.openUnsafe()
  }

  /** When the first of what changed may be taken, milliseconds since the epoch; Infinity: nothing did. */
  get dueAt(): number {
    let due = Number.POSITIVE_INFINITY
    for (const key of this.dirty.keys()) due = Math.min(due, this.entries.get(key)?.restsUntil ?? due)
    return due
  }

  /** Keys of some Services that wait. */
  waiting(most: number): ReadonlyArray<string> {
    const keys: Array<string> = []
    for (const key of this.dirty.keys()) {
      if (keys.length === most) break
      keys.push(key)
    }
    return keys
  }

  get dirtySize(): number {
    return this.dirty.size
  }

  /** All that changed and does not rest at `now`, with its rules made anew. */
  takeDirty(now = Number.POSITIVE_INFINITY): ReadonlyArray<DirtyEntry> {
    this.wake.closeUnsafe()
    const taken: Array<DirtyEntry> = []
    for (const [key, dirt] of this.dirty) {
      const entry = this.entries.get(key)
      if (entry !== undefined && entry.restsUntil > now) continue
      this.dirty.delete(key)
      if (entry === undefined) continue
      this.refresh(entry)
      taken.push({ entry, dirt })
    }
    return taken
  }

  /** What was taken and could not be done. */
  putBack(taken: ReadonlyArray<DirtyEntry>): void {
    for (const { entry, dirt } of taken) {
      const later = this.dirty.get(entry.key)
      this.dirty.set(
        entry.key,
        later === undefined
          ? dirt
          : { ...dirt, services: dirt.services + later.services, endpoints: dirt.endpoints + later.endpoints }
      )
    }
    if (taken.length > 0) this.wake.openUnsafe()
  }

  /** The kernel has what the entry's rules say. `now`: milliseconds since the epoch. */
  settle(entry: ServiceEntry, applied: ReadonlyArray<ServiceRules>, now: number): void {
    entry.applied = applied
    let servers = 0
    for (const { cluster, local } of applied) servers += cluster.length + local.length
    entry.restsUntil = servers <= restlessServers ? 0 : now + Math.min(longestRest, servers * restPerServer)
    this.forgetEmpty(entry)
  }

  /** Makes the rules of an entry anew. */
  refresh(entry: ServiceEntry): void {
    const { spec, namespace, name, ports } = entry
    const served = spec === undefined ? undefined : { namespace, name, spec }
    entry.rules = served === undefined ? noRules : serviceRules(served, ports, this.vantage, this.families)
    this.countLocal(entry)
    const health = served === undefined ? undefined : healthCheckOf(served, ports, this.vantage)
    const known = this.health.get(entry.key)
    if (health?.port === known?.port && health?.localReady === known?.localEndpoints) return
    this.healthMoved = true
    if (health === undefined) this.health.delete(entry.key)
    else this.health.set(entry.key, { namespace, name, port: health.port, localEndpoints: health.localReady })
  }

  /** All health checks, where they are others than at the last call; undefined: they are the same. */
  takeHealth(): ReadonlyArray<HealthPort> | undefined {
    if (!this.healthMoved) return undefined
    this.healthMoved = false
    return [...this.health.values()]
  }

  get healthCheckPorts(): ReadonlyArray<number> {
    return [...new Set([...this.health.values()].map(({ port }) => port))].sort((a, b) => a - b)
  }

  /** All endpoints of one port. */
  endpointsOf(entry: ServiceEntry, rules: Pick<ServiceRules, "portName" | "protocol">): Iterable<Endpoint> {
    return entry.ports.get(portKey(rules.portName, rules.protocol)) ?? []
  }

  endpointsByPort(entry: ServiceEntry): EndpointsByPort {
    return entry.ports
  }

  private takeService(id: ActorId, { declared, rejected }: ServiceState): ServiceEntry {
    const entry = this.entryOf(id.namespace, id.name)
    entry.isKnown = declared !== null || rejected !== null
    const spec = declared?.spec
    if (entry.spec !== spec) {
      this.unindex(entry)
      entry.spec = spec
      this.index(entry)
    }
    return entry
  }

  private takeEndpoint(id: ActorId, state: EndpointState): ServiceEntry {
    const entry = this.entryOf(id.namespace, state?.service ?? serviceOfEndpoint(id))
    if (state === null) {
      const gone = placeOfEndpoint(id)
      if (gone !== undefined) entry.ports.delete(gone.place, (key) => key.startsWith(`${gone.portName}/`))
      return entry
    }
    const key = portKey(state.portName, state.protocol)
    // The port's name may have stood for another protocol before.
    if (entry.ports.size > 1)
      entry.ports.delete(state, (other) => other !== key && other.startsWith(`${state.portName}/`))
    entry.ports.set(key, state)
    return entry
  }

  private entryOf(namespace: string, name: string): ServiceEntry {
    const key = serviceKey({ namespace, name })
    let entry = this.entries.get(key)
    if (entry === undefined) {
      entry = {
        namespace,
        name,
        key,
        spec: undefined,
        isKnown: false,
        ports: new EndpointsOfService(),
        rules: noRules,
        applied: noRules,
        restsUntil: 0,
        withoutLocal: noneWithoutLocal
      }
      this.entries.set(key, entry)
    }
    return entry
  }

  private forgetEmpty(entry: ServiceEntry): void {
    const { spec, isKnown, ports, applied, key } = entry
    if (spec !== undefined || isKnown || ports.size > 0 || applied.length > 0 || this.dirty.has(key)) return
    this.entries.delete(key)
  }

  private countLocal(entry: ServiceEntry): void {
    let [internal, external] = [0, 0]
    for (const { internalLocal, externalLocal, local, hasAny } of entry.rules) {
      if (!hasAny || local.length > 0) continue
      if (internalLocal) internal += 1
      if (externalLocal) external += 1
    }
    const before = entry.withoutLocal
    if (before.internal === internal && before.external === external) return
    this.withoutLocal.internal += internal - before.internal
    this.withoutLocal.external += external - before.external
    entry.withoutLocal = { internal, external }
  }

  private index(entry: ServiceEntry): void {
    const label = indexLabel(entry.spec)
    if (label === undefined) return
    const byLabel = this.selecting.get(entry.namespace) ?? new Map<string, Set<ServiceEntry>>()
    this.selecting.set(entry.namespace, byLabel)
    const all = byLabel.get(label) ?? new Set<ServiceEntry>()
    byLabel.set(label, all)
    all.add(entry)
  }

  private unindex(entry: ServiceEntry): void {
    const label = indexLabel(entry.spec)
    if (label === undefined) return
    const byLabel = this.selecting.get(entry.namespace)
    const all = byLabel?.get(label)
    all?.delete(entry)
    if (all?.size === 0) byLabel?.delete(label)
    if (byLabel?.size === 0) this.selecting.delete(entry.namespace)
  }
}

/** `app=web`: one label that a pod must have; undefined: the Service selects none. */
const indexLabel = (spec: ServiceSpec | undefined): string | undefined => {
  for (const name in spec?.selector) return `${name}=${spec.selector[name]}`
  return undefined
}

/** Whether the kernel is to know of it. */
export const isServed = ({ spec }: ServiceEntry): boolean => spec !== undefined && isProxied(spec)

export class ServiceTable extends Context.Service<ServiceTable, Table>()("chronode/ServiceTable") {}
