/**
 * Makes the kernel what it should be, in steps between which every packet of a Service that stays is served: what is needed
 * beside comes before its virtual server, and goes after it; a real server comes before another one goes.
 *
 * What the kernel has is known from the last look at it and from what was done since. Where that turns out to be wrong, the
 * virtual server is looked at anew; where it cannot be known, everything is.
 */
import { Effect } from "effect"
import type { NetlinkError } from "../../netlink/error.ts"
import type { Ipvs, IpvsChange } from "../../netlink/ipvs-calls.ts"
import {
  type Applied,
  type Change,
  DataplaneError,
  type Desired,
  type Refusal,
  type Repaired,
  rulesKey,
  type ServiceRules
} from "../port.ts"
import { attempt, type Companion, inParts } from "./companion.ts"
import { DesiredTable, entryId } from "./desired.ts"
import type { Device } from "./device.ts"
import type { Drains } from "./drains.ts"
import { difference, Findings, findingOf } from "./findings.ts"
import { KernelServers, recordedIn } from "./kernel-servers.ts"
import { type Entry, type PlannedServer, planRules, type Surroundings } from "./plan.ts"
import { changeName } from "./servers.ts"
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

interface Work {
  readonly keys: Iterable<string>
  readonly entries: { readonly added: ReadonlyArray<Entry>; readonly removed: ReadonlyArray<Entry> }
  readonly addresses: { readonly added: ReadonlyArray<string>; readonly removed: ReadonlyArray<string> }
}

export class Engine {
  readonly #kernel: Kernel
  readonly #settings: EngineSettings
  readonly #drains: Drains
  readonly #servers: KernelServers
  #table = new DesiredTable()
  #around: Surroundings
  /** False: what the kernel has is not known. */
  #isKnown = false
  /** What all rules would be, for a look at everything between two resyncs. */
  #desired: { readonly rules: Map<string, ServiceRules>; readonly rest: Omit<Desired, "rules"> } | undefined

  constructor(kernel: Kernel, settings: EngineSettings, drains: Drains) {
    this.#kernel = kernel
    this.#settings = settings
    this.#drains = drains
    this.#servers = new KernelServers(kernel.ipvs, { mark: settings.around.mark, isOthers: settings.isOthers })
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
    if (this.#servers.isForeign(server.key))
      return `${server.key} is a virtual server of somebody else: remove it (ipvsadm -D) or give the Service another address or port`
    return undefined
  }

  #noteLostClaims(keys: Iterable<string> | undefined, refused: Map<string, string>): void {
    for (const { server, holder } of this.#table.lostClaims(keys)) {
      refused.set(server.rules, `${server.key} belongs to ${holder}, which was there before`)
    }
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
      const draining = yield* this.#servers.change(
        [...work.keys],
        (key) => this.#table.server(key),
        (server, why) => refused.set(server.rules, this.#hindrance(server) ?? why),
        onChange
      )
      const failures = new Map<string, NetlinkError>()
      yield* inParts(work.addresses.added, (part) => {
        for (const [address, error] of device.add(part)) failures.set(address, error)
      })
      this.#addressFailures(failures, refused)
      yield* attempt(() => this.#drains.sweep(this.#kernel.ipvs, this.#servers.known, draining))
      yield* inParts(work.addresses.removed, device.remove)
      yield* companion.change(phases.removed, [])
    })
  }

  #addressFailures(failures: ReadonlyMap<string, NetlinkError>, refused: Map<string, string>): void {
    if (failures.size === 0) return
    for (const server of this.#table.servers()) {
      const error = server.binds ? failures.get(server.address) : undefined
      if (error !== undefined) refused.set(server.rules, error.message)
    }
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
    const { device, companion } = this.#kernel
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
      yield* this.#servers.read(recordedIn(there))
      this.#around = {
        ...{ ...this.#settings.around, nodeAddresses: others },
        // Who lists the node's addresses may count those on our device to them.
        nodePortAddresses: rest.nodePortAddresses.filter((address) => !own.has(address) || others.has(address))
      }
      this.#table = new DesiredTable()
      yield* inParts([...rules], (part) => {
        for (const [key, one] of part) this.#plan(key, one, refused)
      })
      this.#table.takeDelta()
      this.#noteLostClaims(undefined, refused)
      const entries = difference(this.#table.entries, there)
      const addresses = difference(this.#table.addresses, new Map([...own].map((address) => [address, address])))
      for (const entry of entries.added) findings.note("missing", entryId(entry))
      for (const entry of entries.removed) findings.note("unexpected", entryId(entry))
      for (const address of addresses.added) findings.note("missing", `address ${address}`)
      for (const address of addresses.removed) findings.note("unexpected", `address ${address}`)
      const keys = new Set([...this.#servers.known.keys(), ...[...this.#table.servers()].map(({ key }) => key)])
      yield* this.#carryOut({ keys, entries, addresses }, refused, (change) =>
        findings.note(findingOf(change), changeName(change))
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
      this.#isKnown ? attempt(() => this.#drains.sweep(this.#kernel.ipvs, this.#servers.known)) : Effect.void
    )
  }

  /** Everything that any life made, however little of it this one knows. Tells what. */
  get cleanup(): Effect.Effect<ReadonlyArray<string>, DataplaneError> {
    const { device, companion } = this.#kernel
    return Effect.gen({ self: this }, function* () {
      this.#isKnown = false
      this.#desired = undefined
      const recorded = recordedIn(yield* companion.read)
      yield* this.#servers.read(recorded)
      const gone = yield* attempt(() => this.#servers.deleteAll())
      const hadDevice = yield* attempt(() => device.destroy())
      const hadTable = yield* companion.remove
      return [
        ...gone.map((name) => `virtual server ${name}`),
        ...(hadDevice ? [`device ${device.name}`] : []),
        ...(hadTable ? [`table inet ${companion.name}`] : [])
      ]
    })
  }
}
