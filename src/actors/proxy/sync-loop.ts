/**
 * Puts Services into the kernel: at the start all of them, then what changes, as soon as it does. Everything is compared with
 * the kernel from time to time, when the kernel tells of others at work, and after a failure. One thing at a time; what
 * comes meanwhile is taken together.
 *
 * A comparison restores what was in force; changes are made after it and by themselves, so that what others broke and what
 * is new are told apart.
 */
import { Clock, Effect, Result } from "effect"
import {
  type Applied,
  type Change,
  type Dataplane,
  type DataplaneError,
  type Desired,
  maxExamples,
  type ServiceRules
} from "../../adapters/dataplane/port.ts"
import type { HealthPort, ProxyTelemetry } from "../../adapters/http/port.ts"
import { timestamp } from "../../events/definition.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { ReportProgrammed } from "../service/commands.ts"
import { serviceActor } from "../service/identity.ts"
import { type DirtyEntry, isServed, type ServiceEntry, type Table } from "../service/table.ts"
import { backOff } from "./back-off.ts"
import type { ProxyCommand } from "./commands.ts"
import type { StaleFlowLooks } from "./flows.ts"
import { proxyActor } from "./identity.ts"
import { isolate } from "./isolation.ts"
import { changesOf, programmed } from "./programming.ts"
import { inForce, noneRefused, Refusals, type Refused, refusedOf } from "./refusals.ts"
import type { ProxySettingsShape } from "./settings.ts"

export type Emit = (outgoing: Outgoing) => Effect.Effect<void>

/** Milliseconds of quiet after the kernel told of others at work. */
const disturbanceDebounce = 200
/** Comparisons take no more of the time than this: at most one in a hundred changes waits for one. */
const comparisonShare = 1 / 100
/** kube-proxy's period of full syncs where nothing fails. */
const longestComparisonPause = 3_600_000
/** Tries of a change for which the kernel is busy, and milliseconds between them. */
const busyRetries = 3
const busyPause = 2
/** Entries made anew before others get their turn. */
const slice = 256

type NoticedBy = "resync" | "notification" | "change"

interface Failing {
  readonly attempt: number
  readonly retryAt: number
}

interface SyncWorld {
  readonly dataplane: Dataplane["Service"]
  readonly table: Table
  readonly settings: ProxySettingsShape
  readonly telemetry: ProxyTelemetry["Service"]
  readonly flows: StaleFlowLooks
  readonly emit: Emit
}

export class SyncLoop {
  private inForce = false
  private failing: Failing | undefined
  /** Calls that failed since one last went well. */
  private failures = 0
  private compareAt = Number.POSITIVE_INFINITY
  private disturbedAt: number | undefined
  private changedAt = Number.NEGATIVE_INFINITY
  /** What surrounds the rules is another than the kernel was told: addresses of node ports, health checks. */
  private surroundings = ""
  private readonly refusals = new Refusals()
  private counted = { services: 0, endpoints: 0 }

  private readonly dataplane: Dataplane["Service"]
  private readonly table: Table
  private readonly settings: ProxySettingsShape
  private readonly telemetry: ProxyTelemetry["Service"]
  private readonly flows: StaleFlowLooks
  private readonly emit: Emit

  constructor(world: SyncWorld) {
    this.dataplane = world.dataplane
    this.table = world.table
    this.settings = world.settings
    this.telemetry = world.telemetry
    this.flows = world.flows
    this.emit = world.emit
  }

  /** The kernel told that somebody else changed something. */
  readonly disturbed = Effect.map(Clock.currentTimeMillis, (now) => {
    this.disturbedAt = now
    this.table.wake.openUnsafe()
  })

  readonly step: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    const now = yield* Clock.currentTimeMillis
    if (this.failing !== undefined) {
      if (now < this.failing.retryAt) return yield* Effect.sleep(this.failing.retryAt - now)
      return yield* this.inForce ? this.recover : this.begin
    }
    if (!this.inForce) return yield* this.begin
    if (this.disturbedAt !== undefined && now >= this.disturbedAt + disturbanceDebounce) {
      this.disturbedAt = undefined
      return yield* Effect.asVoid(this.compare("notification"))
    }
    if (now >= this.compareAt) return yield* Effect.asVoid(this.compare("resync"))
    if (this.table.dueAt <= now) {
      const wait = this.changedAt + this.settings.minSyncPeriod - now
      return yield* wait > 0 ? Effect.sleep(wait) : this.program
    }
    if (now >= this.refusals.retryAt) return yield* this.tryRefusedAgain
    yield* this.rest(now)
  })

  /** Until something changes, or is due. */
  private rest(now: number): Effect.Effect<void> {
    this.table.wake.closeUnsafe()
    const due = Math.min(
      this.table.dueAt,
      this.compareAt,
      this.refusals.retryAt,
      this.disturbedAt === undefined ? Number.POSITIVE_INFINITY : this.disturbedAt + disturbanceDebounce
    )
    const { wake } = this.table
    return due === Number.POSITIVE_INFINITY
      ? wake.await
      : Effect.raceFirst(wake.await, Effect.sleep(Math.max(0, due - now)))
  }

  // --- everything --------------------------------------------------------------------------------------------------

  private desired(rulesOf: (entry: ServiceEntry) => ReadonlyArray<ServiceRules>): Desired {
    const { table } = this
    const nodePortAddresses = this.settings.nodePortAddresses()
    const { healthCheckPorts } = table
    this.surroundings = JSON.stringify([nodePortAddresses, healthCheckPorts])
    const rules = {
      *[Symbol.iterator]() {
        for (const entry of table.all()) yield* rulesOf(entry)
      }
    }
    return { rules, nodePortAddresses, healthCheckPorts }
  }

  /** Makes the kernel what it should be, whatever it has: the first thing in this life of the agent. */
  private readonly begin: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    let count = 0
    for (const entry of this.table.all()) {
      this.table.refresh(entry)
      if (++count % slice === 0) yield* Effect.yieldNow
    }
    const taken = this.take()
    const dirt = new Map(taken.map(({ entry, dirt: its }) => [entry, its]))
    // Before the agent answers health checks, their ports have to be open.
    yield* this.tellHealth(this.table.takeHealth())
    const started = performance.now()
    const result = yield* Effect.result(this.dataplane.resync(this.desired(({ rules }) => rules)))
    if (Result.isFailure(result)) return yield* this.fail(result.failure, taken, true)
    const duration = performance.now() - started
    this.inForce = true
    yield* this.compared(duration)
    let [services, endpoints] = [0, 0]
    for (const entry of this.table.all()) {
      if (!isServed(entry)) continue
      services += 1
      for (const port of entry.ports.values()) endpoints += port.size
    }
    const refused = refusedOf(result.success.refused)
    this.failing = undefined
    const at = yield* Clock.currentTimeMillis
    yield* this.tell({ _tag: "ReportSynced", at, services, endpoints, duration })
    const since = started
    const all = [...this.table.all()].map(
      (entry): DirtyEntry => ({
        entry,
        dirt: dirt.get(entry) ?? { since, cause: undefined, services: 1, endpoints: 0 }
      })
    )
    yield* this.finish(all, refused, duration)
  })

  /** The kernel says that a comparison would find nothing, and the node has the addresses that it had. */
  private readonly isUndisturbed: Effect.Effect<boolean> = Effect.suspend(() => {
    const { surroundings } = this
    this.desired(() => [])
    if (surroundings !== this.surroundings || this.dataplane.undisturbed === undefined) {
      this.surroundings = surroundings
      return Effect.succeed(false)
    }
    // Where even that cannot be asked the comparison says what is wrong.
    return Effect.orElseSucceed(this.dataplane.undisturbed, () => false)
  })

  /** Restores what was in force. Answers whether it could be. */
  private compare(noticedBy: NoticedBy | undefined): Effect.Effect<boolean> {
    return Effect.gen({ self: this }, function* () {
      const started = performance.now()
      if (noticedBy === "resync" && (yield* this.isUndisturbed)) {
        yield* this.compared(performance.now() - started)
        for (const entry of this.table.all()) this.flows.add(entry)
        return true
      }
      const { surroundings } = this
      const desired = this.desired(({ applied }) => applied)
      const result = yield* Effect.result(this.dataplane.resync(desired))
      if (Result.isFailure(result)) {
        yield* this.fail(result.failure, [], true)
        return false
      }
      const duration = performance.now() - started
      yield* this.compared(duration)
      const { missing, altered, unexpected, examples } = result.success
      // What follows from other addresses of the node is nobody's doing.
      const isOurs = noticedBy === undefined || surroundings !== this.surroundings
      if (!isOurs && missing + altered + unexpected > 0) {
        const at = yield* Clock.currentTimeMillis
        const drift = { noticedBy, missing, altered, unexpected, examples: examples.slice(0, maxExamples), duration }
        yield* this.tell({ _tag: "ReportDrift", at, ...drift })
      }
      for (const entry of this.table.all()) this.flows.add(entry)
      return true
    })
  }

  private compared(duration: number): Effect.Effect<void> {
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const pause = Math.max(this.settings.syncPeriod, Math.min(duration / comparisonShare, longestComparisonPause))
      this.compareAt = now + pause
      this.telemetry.synced({ full: true, milliseconds: duration })
      this.tellRules()
    })
  }

  // --- changes -----------------------------------------------------------------------------------------------------

  /** `now`: what rests then stays; by default all is taken. */
  private take(now?: number): ReadonlyArray<DirtyEntry> {
    const { changes } = this.table
    this.telemetry.queued({
      services: changes.services - this.counted.services,
      endpoints: changes.endpoints - this.counted.endpoints
    })
    this.counted = { ...changes }
    return this.table.takeDirty(now)
  }

  private readonly program: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    const taken = this.take(yield* Clock.currentTimeMillis)
    const changes = taken.flatMap(({ entry }) => changesOf(entry))
    yield* this.surround
    if (this.failing !== undefined) return this.table.putBack(taken)
    if (changes.length === 0) return yield* this.finish(taken, noneRefused, 0)
    const started = performance.now()
    const result = yield* Effect.result(this.apply(changes))
    if (Result.isFailure(result)) return yield* this.fail(result.failure, taken, false)
    const duration = performance.now() - started
    this.changedAt = yield* Clock.currentTimeMillis
    this.telemetry.synced({ full: false, milliseconds: duration })
    this.tellRules()
    yield* this.finish(taken, refusedOf(result.success.refused), duration)
  })

  /** Again at once while the kernel is busy with others. */
  private apply(changes: ReadonlyArray<Change>, tries = busyRetries): Effect.Effect<Applied, DataplaneError> {
    return Effect.catch(this.dataplane.apply(changes), (error) =>
      error.reason === "Busy" && tries > 0
        ? Effect.andThen(
            Effect.sleep(busyPause),
            Effect.suspend(() => this.apply(changes, tries - 1))
          )
        : Effect.fail(error)
    )
  }

  private tellRules(): void {
    const counts = this.dataplane.ruleCounts?.()
    if (counts !== undefined) this.telemetry.rules(counts)
  }

  private tellHealth(health: ReadonlyArray<HealthPort> | undefined): Effect.Effect<void> {
    if (health === undefined) return Effect.void
    const { healthChecksOnNodePortAddresses, nodePortAddresses } = this.settings
    return this.telemetry.healthPorts(health, healthChecksOnNodePortAddresses ? nodePortAddresses() : undefined)
  }

  /** Addresses of node ports and ports of health checks reach the kernel with a comparison only. */
  private readonly surround: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    const health = this.table.takeHealth()
    if (health === undefined) return
    const { surroundings } = this
    this.desired(() => [])
    if (this.surroundings !== surroundings) yield* this.compare(undefined)
    yield* this.tellHealth(health)
  })

  /** What was taken is in the kernel, but for what it refused. */
  private finish(taken: ReadonlyArray<DirtyEntry>, refused: Refused, duration: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const acknowledged = performance.now()
      if (refused.size === 0) this.failures = 0
      const reports: Array<Outgoing> = []
      const at = yield* Clock.currentTimeMillis
      for (const { entry, dirt } of taken) {
        const before = entry.applied
        const after = refused.size === 0 ? entry.rules : inForce(entry, refused)
        const isMoved = changesOf(entry).length > 0
        if (isMoved) this.flows.add(entry)
        this.refusals.settle(entry, refused)
        this.table.settle(entry, after, at)
        const latency = acknowledged - dirt.since
        this.telemetry.programmed(latency)
        if (!isMoved && dirt.services === 0) continue
        if (before.length === 0 && after.length === 0) continue
        const command: ReportProgrammed = {
          _tag: "ReportProgrammed",
          at,
          ...programmed(before, after),
          duration: rounded(duration),
          latency: rounded(latency)
        }
        const to = serviceActor(entry.namespace, entry.name)
        reports.push({ to, command, ...(dirt.cause === undefined ? {} : { cause: dirt.cause }) })
      }
      this.telemetry.pending({ services: this.table.dirtySize, endpoints: 0 })
      this.telemetry.withoutLocalServers(this.table.withoutLocal)
      yield* Effect.forEach(reports, this.emit, { discard: true })
      yield* this.tellRefusals(refused, taken)
    })
  }

  // --- failures ----------------------------------------------------------------------------------------------------

  private fail(error: DataplaneError, taken: ReadonlyArray<DirtyEntry>, full: boolean): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      this.table.putBack(taken)
      this.telemetry.syncFailed({ full })
      // From now on the proxy has a time in which to recover until it is unhealthy.
      this.telemetry.queued({ services: 0, endpoints: 0 })
      if (this.table.dirtySize > 0) this.telemetry.pending({ services: this.table.dirtySize, endpoints: 0 })
      const at = yield* Clock.currentTimeMillis
      this.failures += 1
      const attempt = this.failures
      const retryAt = at + backOff(attempt)
      this.failing = { attempt, retryAt }
      const services = this.table.waiting(maxExamples)
      const cause = taken[0]?.dirt.cause
      const { reason, message } = error
      const told = { reason, message, services, pending: this.table.dirtySize, attempt, retryAt: timestamp(retryAt) }
      yield* this.tell({ _tag: "ReportFailed", at, ...told }, attempt === 1 ? cause : undefined)
    })
  }

  /** Restores what was in force, and then finds out which changes the kernel does not take. */
  private readonly recover: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    if (yield* this.compare("change")) yield* this.isolated
  })

  private readonly isolated: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    const taken = this.take()
    const changes = taken.flatMap(({ entry }) => changesOf(entry))
    const started = performance.now()
    const { refused: found } = yield* isolate(changes, (some) => this.apply(some))
    const duration = performance.now() - started
    this.changedAt = yield* Clock.currentTimeMillis
    if (changes.length > 0) {
      this.telemetry.synced({ full: false, milliseconds: duration })
      this.tellRules()
    }
    const wasFailing = this.failing !== undefined
    this.failing = undefined
    const refused = refusedOf(found)
    yield* this.finish(taken, refused, duration)
    if (wasFailing && this.refusals.isEmpty)
      yield* this.tell({ _tag: "ReportRecovered", at: yield* Clock.currentTimeMillis })
  })

  private tellRefusals(refused: Refused, taken: ReadonlyArray<DirtyEntry>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const at = yield* Clock.currentTimeMillis
      if (refused.size > 0) {
        this.telemetry.syncFailed({ full: false })
        const { command, cause } = this.refusals.failed(at, refused, taken)
        yield* this.tell(command, cause)
      } else if (this.refusals.ended() && this.failing === undefined) {
        yield* this.tell({ _tag: "ReportRecovered", at })
      }
    })
  }

  private readonly tryRefusedAgain: Effect.Effect<void> = Effect.suspend(() => {
    for (const service of this.refusals.services) {
      const entry = this.table.entry(service)
      if (entry !== undefined) this.table.mark(entry, undefined)
    }
    return this.isolated
  })

  private tell(command: ProxyCommand, cause?: string): Effect.Effect<void> {
    return this.emit({ to: proxyActor, command, ...(cause === undefined ? {} : { cause }) })
  }
}

/** Microseconds are enough. */
const rounded = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000
