/**
 * What the directory of Services declares, compared with what was told of it before, as commands for the actors. Also who
 * gets what two Services ask for: what is in force stays; of those that wait the one that was declared first comes first, then
 * by name, and those that leave the choice to this node come last.
 */
import type { DeclaredService } from "../../adapters/services/port.ts"
import type { ServiceProblem } from "../../events/kinds/service.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { type AllotmentRanges, allot, type FormerSpec } from "./allotment.ts"
import { Claims } from "./claims.ts"
import type { DeclareService, RemoveService } from "./commands.ts"
import { replaced } from "./differing.ts"
import { serviceActor, serviceKey } from "./identity.ts"
import type { ServiceState } from "./state.ts"

interface KnownService {
  readonly namespace: string
  readonly name: string
  readonly state: ServiceState
}

export class Declarations {
  private readonly claims = new Claims()
  private declared = new Map<string, DeclaredService>()
  private last: ReadonlyArray<DeclaredService> = []
  /** By key, what is in force. */
  private readonly inForce = new Map<string, FormerSpec>()
  /** By key, when the log first knew it, RFC 3339. */
  private readonly since = new Map<string, string>()
  private readonly rejected = new Set<string>()
  /** Known from before, and not seen in the directory yet. */
  private readonly former = new Map<string, { readonly namespace: string; readonly name: string }>()
  private readonly ranges: AllotmentRanges

  constructor(known: Iterable<KnownService>, ranges: AllotmentRanges) {
    this.ranges = ranges
    for (const { namespace, name, state } of known) {
      const key = serviceKey({ namespace, name })
      this.former.set(key, { namespace, name })
      if (state.since !== undefined) this.since.set(key, state.since)
      if (state.declared === null) continue
      const { spec, allotted } = state.declared
      this.inForce.set(key, { spec, ...(allotted === undefined ? {} : { allotted }) })
      this.claims.take(key, spec)
    }
  }

  /** `services`: all that are declared now. `at`: milliseconds since the epoch. */
  take(services: ReadonlyArray<DeclaredService>, at: number): ReadonlyArray<Outgoing> {
    const differing = this.former.size > 0 ? undefined : replaced(this.last, services, serviceKey)
    this.last = services
    if (differing !== undefined) {
      for (const { now } of differing) this.declared.set(serviceKey(now), now)
      const changed = differing.map(({ now }) => now)
      return changed.length === 0 ? [] : this.decide(changed, false, at)
    }
    const next = new Map(services.map((service) => [serviceKey(service), service]))
    const outgoing: Array<Outgoing> = []
    let freed = false
    const gone = [...this.former, ...this.declared].filter(([key]) => !next.has(key))
    for (const [key, { namespace, name }] of gone) {
      const command: RemoveService = { _tag: "RemoveService", at }
      outgoing.push({ to: serviceActor(namespace, name), command })
      freed = this.claims.release(key) || freed
      this.inForce.delete(key)
      this.rejected.delete(key)
      this.since.delete(key)
    }
    this.former.clear()
    const changed = services.filter((service) => this.declared.get(serviceKey(service)) !== service)
    this.declared = next
    if (changed.length > 0 || freed) outgoing.push(...this.decide(changed, freed, at))
    return outgoing
  }

  private decide(changed: ReadonlyArray<DeclaredService>, freed: boolean, at: number): ReadonlyArray<Outgoing> {
    const outgoing: Array<Outgoing> = []
    const pending = new Map(changed.map((service) => [serviceKey(service), service]))
    const withWaiting = (): void => {
      for (const key of this.rejected) pending.set(key, this.declared.get(key)!)
    }
    if (freed) withWaiting()
    let problems = new Map<string, ReadonlyArray<ServiceProblem>>()
    for (let goesOn = true; goesOn; ) {
      goesOn = false
      problems = new Map()
      for (const service of this.inOrder(pending.values())) {
        const key = serviceKey(service)
        const allotment = allot(key, service.spec, this.inForce.get(key), this.claims, this.ranges)
        const found = [...allotment.problems, ...this.claims.problems(key, allotment.spec)]
        if (found.length > 0) {
          problems.set(key, found)
          continue
        }
        goesOn = this.claims.take(key, allotment.spec) || goesOn
        const { spec, allotted } = allotment
        this.inForce.set(key, { spec, allotted })
        this.rejected.delete(key)
        pending.delete(key)
        outgoing.push(this.declare(service, { spec, ...(allotted.length === 0 ? {} : { allotted }) }, at))
      }
      if (goesOn) withWaiting()
    }
    for (const [key, service] of pending) {
      this.rejected.add(key)
      const line = service.line === undefined ? {} : { line: service.line }
      const told = (problems.get(key) ?? []).map((problem) => ({ ...problem, ...line }))
      outgoing.push(this.declare(service, { spec: service.spec, problems: told }, at))
    }
    return outgoing
  }

  private declare(
    { namespace, name, file, hash }: DeclaredService,
    outcome: Pick<DeclareService, "spec" | "allotted" | "problems">,
    at: number
  ): Outgoing {
    const command: DeclareService = { _tag: "DeclareService", at, file, hash, ...outcome }
    return { to: serviceActor(namespace, name), command }
  }

  private inOrder(services: Iterable<DeclaredService>): ReadonlyArray<DeclaredService> {
    const ranked = Array.from(services, (service) => {
      const key = serviceKey(service)
      const rank = this.inForce.has(key) ? "0" : leavesChoice(service) ? "2" : "1"
      // What the log does not know yet is younger than all that it knows.
      return { service, order: `${rank} ${this.since.get(key) ?? "~"} ${key}` }
    })
    return ranked.sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ service }) => service)
  }
}

const leavesChoice = ({ spec }: DeclaredService): boolean =>
  spec.families !== undefined ||
  (spec.type !== "ClusterIP" && spec.ports.some(({ nodePort }) => nodePort === undefined))
