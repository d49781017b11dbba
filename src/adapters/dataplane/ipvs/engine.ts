/**
 * Makes the kernel what it should be, in steps between which every packet of a Service that stays is served: what is needed
 * beside comes before its virtual server, and goes after it; a real server comes before another one goes.
 *
 * What the kernel has is known from the last look at it and from what was done since. Where that turns out to be wrong, the
 * virtual server is looked at anew; where it cannot be known, everything is.
 */
import { Duration, Effect } from "effect"
import { EBUSY } from "../../netlink/errno.ts"
import type { NetlinkError } from "../../netlink/error.ts"
import { type Ipvs, type IpvsChange, serviceName } from "../../netlink/ipvs-calls.ts"
import {
  type Applied,
  type Change,
  DataplaneError,
  type Desired,
  maxExamples,
  type Refusal,
  type Repaired,
  rulesKey,
  type ServiceRules
} from "../port.ts"
import { attempt, type Companion } from "./companion.ts"
import { DesiredTable, entryId } from "./desired.ts"
import type { Device } from "./device.ts"
import type { Drains } from "./drains.ts"
import { type Entry, type PlannedServer, planRules, type Surroundings, virtualKey } from "./plan.ts"
import { afterwards, changeName, type Ownership, readServer, readServers } from "./servers.ts"
import { type AddressedId, type KnownServer, stepsFor } from "./steps.ts"
import { whyInvalid } from "./validity.ts"

export interface Kernel {
  readonly ipvs: Ipvs
  readonly device: Device
  readonly companion: Companion
}

export interface EngineSettings {
  readonly around: Pick<Surroundings, "scheduler" | "mark">
  /** Addresses whose virtual servers are never touched (excludeCIDRs). */
  readonly isOthers: (address: string) => boolean
}

/** A virtual server that fails is looked at anew and tried again, so often; a busy kernel is waited for so long. */
const maxAttempts = 4
const busyPause = Duration.millis(50)

interface Work {
  readonly keys: Iterable<string>
  readonly entries: { readonly added: ReadonlyArray<Entry>; readonly removed: ReadonlyArray<Entry> }
  readonly addresses: { readonly added: ReadonlyArray<string>; readonly removed: ReadonlyArray<string> }
}

interface KeyedChange {
  /** Of the virtual server. */
  readonly key: string
  readonly change: IpvsChange
}

interface Failed {
  readonly change: IpvsChange
  readonly error: NetlinkError
}

/** Counts what a comparison found. */
class Findings {
  missing = 0
  altered = 0
  unexpected = 0
  readonly examples: Array<string> = []

  note(kind: "missing" | "altered" | "unexpected", what: string): void {
    this[kind] += 1
    if (this.examples.length < maxExamples) this.examples.push(`${kind}: ${what}`)
  }

  get counts(): Omit<Repaired, "refused"> {
    const { missing, altered, unexpected, examples } = this
    return { missing, altered, unexpected, examples }
  }
}

const kindOf = (change: IpvsChange): "missing" | "altered" | "unexpected" => {
  if (change.do === "newService" || change.do === "newDestination") return "missing"
  if (change.do === "setDestination" && change.destination.weight === 0) return "unexpected"
  return change.do === "deleteService" || change.do === "deleteDestination" ? "unexpected" : "altered"
}

export class Engine {
  readonly #kernel: Kernel
  readonly #settings: EngineSettings
  readonly #drains: Drains
  #table = new DesiredTable()
  #known = new Map<string, KnownServer>()
  #foreign: ReadonlySet<string> = new Set()
  #around: Surroundings
  /** False: what the kernel has is not known. */
  #isKnown = false
  /** What all rules would be, for a look at everything between two resyncs. */
  #desired: { readonly rules: Map<string, ServiceRules>; readonly rest: Omit<Desired, "rules"> } | undefined

  constructor(kernel: Kernel, settings: EngineSettings, drains: Drains) {
    this.#kernel = kernel
    this.#settings = settings
    this.#drains = drains
    this.#around = { ...settings.around, nodeAddresses: new Set(), nodePortAddresses: [] }
  }

  /** Puts rules into the table, without what cannot be had; tells why it cannot. */
  #plan(key: string, rules: ServiceRules | undefined, refused: Map<string, string>): void {
    const invalid = rules === undefined ? undefined : whyInvalid(rules)
    if (invalid !== undefined) refused.set(key, invalid)
    if (rules === undefined || invalid !== undefined) {
      this.#table.set(key, undefined)
      return
    }
    const all = planRules(rules, this.#around)
    this.#table.set(
      key,
      all.filter((server) => {
        const why = this.#hindrance(server)
        if (why !== undefined) refused.set(key, why)
        return why === undefined
      })
    )
  }

  #hindrance(server: PlannedServer): string | undefined {
    if (this.#settings.isOthers(server.address))
      return `${server.key} is within excludeCIDRs: its virtual server is left to others`
    if (this.#foreign.has(server.key))
      return `${server.key} is a virtual server of somebody else: remove it (ipvsadm -D) or give the Service another address or port`
    return undefined
  }

  #noteLostClaims(keys: Iterable<string> | undefined, refused: Map<string, string>): void {
    for (const { server, holder } of this.#table.lostClaims(keys)) {
      refused.set(server.rules, `${server.key} belongs to ${holder}, which was there before`)
    }
  }

  #ownership(recorded: ReadonlySet<string>): Ownership {
    return { mark: this.#settings.around.mark, isOthers: this.#settings.isOthers, recorded }
  }

  #refusals(refused: ReadonlyMap<string, string>): ReadonlyArray<Refusal> {
    return [...refused].map(([key, message]) => ({ key, message }))
  }

  /** Entries that take another value are changed at once, at the beginning. */
  #entryPhases(entries: Work["entries"]) {
    const front = ({ set, family, key }: Entry) => `${set} ${family} ${key}`
    const coming = new Set(entries.added.filter(({ value }) => value !== undefined).map(front))
    const replaced = (entry: Entry) => entry.value !== undefined && coming.has(front(entry))
    return {
      replaced: entries.removed.filter(replaced),
      removed: entries.removed.filter((entry) => !replaced(entry))
    }
  }

  /** Throws nothing away before what takes its place is there. `onChange` is told of every change of a virtual server. */
  #carryOut(work: Work, refused: Map<string, string>, onChange: (change: IpvsChange) => void = () => undefined) {
    const { companion, device } = this.#kernel
    return Effect.gen({ self: this }, function* () {
      const phases = this.#entryPhases(work.entries)
      yield* companion.change(phases.replaced, work.entries.added)
      const draining = yield* this.#changeServers([...work.keys], refused, onChange)
      yield* attempt(() => device.add(work.addresses.added)).pipe(
        Effect.flatMap((failures) => this.#addressFailures(failures, refused))
      )
      yield* attempt(() => this.#drains.sweep(this.#kernel.ipvs, this.#known, draining))
      yield* attempt(() => device.remove(work.addresses.removed))
      yield* companion.change(phases.removed, [])
    })
  }

  #addressFailures(failures: ReadonlyMap<string, NetlinkError>, refused: Map<string, string>) {
    return Effect.sync(() => {
      if (failures.size === 0) return
      for (const server of this.#table.servers()) {
        const error = server.binds ? failures.get(server.address) : undefined
        if (error !== undefined) refused.set(server.rules, error.message)
      }
    })
  }

  /**
   * Sends changes, virtual servers before what stands behind them: a real server must not come to one that turns out to be
   * somebody else's. Answers the first failure of each key.
   */
  #send(changes: ReadonlyArray<KeyedChange>): Effect.Effect<Map<string, Failed>, DataplaneError> {
    const { ipvs } = this.#kernel
    const failed = new Map<string, Failed>()
    const part = (these: ReadonlyArray<KeyedChange>) =>
      these.length === 0
        ? Effect.void
        : attempt(() => {
            for (const [index, error] of ipvs.change(these.map(({ change }) => change))) {
              const { key, change } = these[index]!
              if (!failed.has(key)) failed.set(key, { change, error })
            }
          })
    const isFront = ({ change }: KeyedChange) => change.do === "newService" || change.do === "setService"
    return Effect.gen(function* () {
      yield* part(changes.filter(isFront))
      yield* part(changes.filter((one) => !isFront(one) && !failed.has(one.key)))
      return failed
    })
  }

  /** Answers the keys of virtual servers that have real servers to drain. */
  #changeServers(
    keys: ReadonlyArray<string>,
    refused: Map<string, string>,
    onChange: (change: IpvsChange) => void
  ): Effect.Effect<ReadonlySet<string>, DataplaneError> {
    return Effect.gen({ self: this }, function* () {
      const draining = new Set<string>()
      let left = keys
      for (let tries = 1; left.length > 0; tries++) {
        const changes: Array<KeyedChange> = []
        const done = new Map<string, KnownServer | undefined>()
        for (const key of left) {
          const planned = this.#table.server(key)
          const steps = stepsFor(planned, this.#known.get(key))
          for (const change of steps.changes) {
            changes.push({ key, change })
            if (tries === 1) onChange(change)
          }
          if (steps.draining.length > 0) draining.add(key)
          done.set(key, planned === undefined ? undefined : afterwards(planned, steps.draining))
        }
        const failed = yield* this.#send(changes)
        for (const [key, known] of done) if (!failed.has(key)) this.#learn(key, known)
        for (const [key, { change }] of failed) yield* this.#lookAgain(key, change.service as AddressedId)
        left = yield* this.#afterFailures(failed, tries, refused)
      }
      return draining
    })
  }

  #learn(key: string, known: KnownServer | undefined): void {
    if (known === undefined) this.#known.delete(key)
    else this.#known.set(key, known)
  }

  #lookAgain(key: string, id: AddressedId) {
    return attempt(() => {
      const found = readServer(this.#kernel.ipvs, this.#ownership(new Set(this.#known.keys())), id)
      if (found === "foreign") {
        this.#foreign = new Set([...this.#foreign, key])
        this.#known.delete(key)
      } else this.#learn(key, found)
    })
  }

  /** Which keys are tried again. */
  #afterFailures(failed: ReadonlyMap<string, Failed>, tries: number, refused: Map<string, string>) {
    return Effect.gen({ self: this }, function* () {
      const again: Array<string> = []
      for (const [key, { change, error }] of failed) {
        const planned = this.#table.server(key)
        if (error.reason === "NoPermission") return yield* Effect.fail(denied(error))
        if (this.#foreign.has(key)) {
          if (planned !== undefined) refused.set(planned.rules, this.#hindrance(planned)!)
        } else if (tries < maxAttempts) again.push(key)
        else if (planned !== undefined) refused.set(planned.rules, `${changeName(change)}: ${error.message}`)
      }
      if (again.some((key) => failed.get(key)!.error.errno === EBUSY)) yield* Effect.sleep(busyPause)
      return again
    })
  }

  /** Whether something is ours that nobody should have: it is undone what was made for a virtual server of somebody else. */
  #withdrawForeign(refused: Map<string, string>) {
    return Effect.gen({ self: this }, function* () {
      const rules = [...refused.keys()].filter((key) => this.#desired?.rules.has(key))
      for (const key of rules) this.#plan(key, this.#desired!.rules.get(key), refused)
      const { servers, entries, addresses } = this.#table.takeDelta()
      if (servers.size > 0) yield* this.#carryOut({ keys: servers, entries, addresses }, refused)
    })
  }

  resync(desired: Desired): Effect.Effect<Repaired, DataplaneError> {
    const rules = new Map<string, ServiceRules>()
    for (const one of desired.rules) rules.set(rulesKey(one), one)
    const { rules: _, ...rest } = desired
    this.#desired = { rules, rest }
    return this.#lookAtAll()
  }

  #lookAtAll(): Effect.Effect<Repaired, DataplaneError> {
    const { ipvs, device, companion } = this.#kernel
    return Effect.gen({ self: this }, function* () {
      const findings = new Findings()
      const refused = new Map<string, string>()
      const { rules, rest } = this.#desired!
      this.#isKnown = false
      const state = yield* companion.ensure
      if (state !== "same") findings.note(state, `table inet ${companion.name}`)
      if (yield* attempt(() => device.ensure())) findings.note("missing", `device ${device.name}`)
      const { own, others } = yield* attempt(() => device.addresses())
      const there = yield* companion.read
      const servers = yield* attempt(() => readServers(ipvs, this.#ownership(recordedIn(there))))
      this.#known = servers.ours
      this.#foreign = servers.foreign
      this.#around = {
        ...{ ...this.#settings.around, nodeAddresses: others },
        nodePortAddresses: rest.nodePortAddresses
      }
      this.#table = new DesiredTable()
      for (const [key, one] of rules) this.#plan(key, one, refused)
      this.#table.takeDelta()
      this.#noteLostClaims(undefined, refused)
      const entries = difference(this.#table.entries, there)
      const addresses = difference(this.#table.addresses, new Map([...own].map((address) => [address, address])))
      for (const entry of entries.added) findings.note("missing", entryId(entry))
      for (const entry of entries.removed) findings.note("unexpected", entryId(entry))
      for (const address of addresses.added) findings.note("missing", `address ${address}`)
      for (const address of addresses.removed) findings.note("unexpected", `address ${address}`)
      const keys = new Set([...this.#known.keys(), ...[...this.#table.servers()].map(({ key }) => key)])
      yield* this.#carryOut({ keys, entries, addresses }, refused, (change) =>
        findings.note(kindOf(change), changeName(change))
      )
      yield* this.#withdrawForeign(refused)
      this.#isKnown = true
      return { ...findings.counts, refused: this.#refusals(refused) }
    })
  }

  apply(changes: ReadonlyArray<Change>): Effect.Effect<Applied, DataplaneError> {
    return Effect.gen({ self: this }, function* () {
      const desired = this.#desired
      if (desired === undefined) {
        const message = "changes came before the kernel was compared with what should be in it"
        return yield* new DataplaneError({ reason: "Failed", operation: "apply changes", message })
      }
      for (const { key, rules } of changes) {
        if (rules === undefined) desired.rules.delete(key)
        else desired.rules.set(key, rules)
      }
      if (!this.#isKnown) {
        const { refused } = yield* this.#lookAtAll()
        return { refused }
      }
      const refused = new Map<string, string>()
      for (const { key, rules } of changes) this.#plan(key, rules, refused)
      const { servers, entries, addresses } = this.#table.takeDelta()
      this.#isKnown = false
      yield* this.#carryOut({ keys: servers, entries, addresses }, refused)
      if (refused.size > 0) yield* this.#withdrawForeign(refused)
      this.#noteLostClaims(servers, refused)
      this.#isKnown = true
      return { refused: this.#refusals(refused) }
    }).pipe(
      // Something is not as it was left: then all is looked at, with these changes in it.
      Effect.catchIf(
        ({ reason }) => reason === "Refused" || reason === "Busy",
        () => Effect.map(this.#lookAtAll(), ({ refused }) => ({ refused }))
      )
    )
  }

  /** Real servers that were only kept for their last connections go when these are over. */
  get sweep(): Effect.Effect<void, DataplaneError> {
    return Effect.suspend(() =>
      this.#isKnown ? attempt(() => this.#drains.sweep(this.#kernel.ipvs, this.#known)) : Effect.void
    )
  }

  /** Everything that any life made, however little of it this one knows. Tells what. */
  get cleanup(): Effect.Effect<ReadonlyArray<string>, DataplaneError> {
    const { ipvs, device, companion } = this.#kernel
    return Effect.gen({ self: this }, function* () {
      this.#isKnown = false
      this.#desired = undefined
      const recorded = recordedIn(yield* companion.read)
      const { ours } = yield* attempt(() => readServers(ipvs, this.#ownership(recorded)))
      const gone = [...ours.values()].map(({ id }): IpvsChange => ({ do: "deleteService", service: id }))
      yield* attempt(() => ipvs.change(gone))
      const hadDevice = yield* attempt(() => device.destroy())
      const hadTable = yield* companion.remove
      this.#known = new Map()
      return [
        ...[...ours.values()].map(({ id }) => `virtual server ${serviceName(id)}`),
        ...(hadDevice ? [`device ${device.name}`] : []),
        ...(hadTable ? [`table inet ${companion.name}`] : [])
      ]
    })
  }
}

/** Keys of virtual servers that the table names. */
const recordedIn = (entries: ReadonlyMap<string, Entry>): ReadonlySet<string> => {
  const keys = new Set<string>()
  for (const { set, key } of entries.values()) {
    if (set !== "services") continue
    const [address, protocol, port] = key.split(" . ") as [string, string, string]
    keys.add(virtualKey(protocol.toUpperCase(), address, Number(port)))
  }
  return keys
}

const denied = (error: NetlinkError): DataplaneError =>
  new DataplaneError({ reason: "NoPermission", operation: error.operation, message: error.message })

const difference = <A>(wanted: ReadonlyMap<string, { readonly value: A }>, there: ReadonlyMap<string, A>) => {
  const added: Array<A> = []
  const removed: Array<A> = []
  for (const [id, { value }] of wanted) if (!there.has(id)) added.push(value)
  for (const [id, value] of there) if (!wanted.has(id)) removed.push(value)
  return { added, removed }
}
