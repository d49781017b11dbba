/**
 * Virtual servers in the kernel, as far as they are known: from the last look at them and from what was done since. Where that
 * turns out to be wrong, a virtual server is looked at anew.
 */
import { Duration, Effect } from "effect"
import { EBUSY } from "../../netlink/errno.ts"
import type { NetlinkError } from "../../netlink/error.ts"
import { type Ipvs, type IpvsChange, serviceName } from "../../netlink/ipvs-calls.ts"
import { DataplaneError } from "../port.ts"
import { attempt, inParts } from "./companion.ts"
import { type Entry, type PlannedServer, virtualKey } from "./plan.ts"
import { afterwards, failureText, knownOf, listServers, type Ownership, readServer } from "./servers.ts"
import { type AddressedId, type KnownServer, stepsFor } from "./steps.ts"

/** A virtual server that fails is looked at anew and tried again, so often; a busy kernel is waited for so long. */
const maxAttempts = 4
const busyPause = Duration.millis(50)

interface KeyedChange {
  /** Of the virtual server. */
  readonly key: string
  readonly change: IpvsChange
}

interface Failed {
  readonly change: IpvsChange
  readonly error: NetlinkError
}

export class KernelServers {
  readonly #ipvs: Ipvs
  readonly #by: Omit<Ownership, "recorded">
  #foreign: ReadonlySet<string> = new Set()
  /** Ours, by key. */
  known = new Map<string, KnownServer>()

  constructor(ipvs: Ipvs, by: Omit<Ownership, "recorded">) {
    this.#ipvs = ipvs
    this.#by = by
  }

  isForeign(key: string): boolean {
    return this.#foreign.has(key)
  }

  /** Looks at all of them; `recorded`: keys that our table names. */
  read(recorded: Ownership["recorded"]): Effect.Effect<void, DataplaneError> {
    return Effect.gen({ self: this }, function* () {
      const { ours, foreign } = yield* attempt(() => listServers(this.#ipvs, { ...this.#by, recorded }))
      const known = new Map<string, KnownServer>()
      yield* inParts([...ours], (part) => {
        for (const [key, server] of part) known.set(key, knownOf(this.#ipvs, server))
      })
      this.known = known
      this.#foreign = foreign
    })
  }

  /** Answers their names. Throws NetlinkError. */
  deleteAll(): ReadonlyArray<string> {
    const all = [...this.known.values()]
    this.#ipvs.change(all.map(({ id }) => ({ do: "deleteService", service: id })))
    this.known = new Map()
    return all.map(({ id }) => serviceName(id))
  }

  /**
   * Sends changes, virtual servers before what stands behind them: a real server must not come to one that turns out to be
   * somebody else's. Answers the first failure of each key.
   */
  #send(changes: ReadonlyArray<KeyedChange>): Effect.Effect<Map<string, Failed>, DataplaneError> {
    const ipvs = this.#ipvs
    const failed = new Map<string, Failed>()
    const part = (these: ReadonlyArray<KeyedChange>) =>
      inParts(these, (some) => {
        for (const [index, error] of ipvs.change(some.map(({ change }) => change))) {
          const { key, change } = some[index]!
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
  change(
    keys: ReadonlyArray<string>,
    plannedOf: (key: string) => PlannedServer | undefined,
    onRefusal: (server: PlannedServer, why: string) => void,
    onChange: (change: IpvsChange) => void
  ): Effect.Effect<ReadonlySet<string>, DataplaneError> {
    return Effect.gen({ self: this }, function* () {
      const draining = new Set<string>()
      let left = keys
      for (let tries = 1; left.length > 0; tries++) {
        const changes: Array<KeyedChange> = []
        const done = new Map<string, KnownServer | undefined>()
        for (const key of left) {
          const planned = plannedOf(key)
          const steps = stepsFor(planned, this.known.get(key))
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
        left = yield* this.#afterFailures(failed, tries, plannedOf, onRefusal)
      }
      return draining
    })
  }

  #learn(key: string, known: KnownServer | undefined): void {
    if (known === undefined) this.known.delete(key)
    else this.known.set(key, known)
  }

  #lookAgain(key: string, id: AddressedId) {
    return attempt(() => {
      const found = readServer(this.#ipvs, { ...this.#by, recorded: this.known }, id)
      if (found === "foreign") {
        this.#foreign = new Set([...this.#foreign, key])
        this.known.delete(key)
      } else this.#learn(key, found)
    })
  }

  /** Which keys are tried again. */
  #afterFailures(
    failed: ReadonlyMap<string, Failed>,
    tries: number,
    plannedOf: (key: string) => PlannedServer | undefined,
    onRefusal: (server: PlannedServer, why: string) => void
  ) {
    return Effect.gen({ self: this }, function* () {
      const again: Array<string> = []
      for (const [key, { change, error }] of failed) {
        const planned = plannedOf(key)
        if (error.reason === "NoPermission") return yield* Effect.fail(denied(error))
        if (this.#foreign.has(key)) {
          if (planned !== undefined) onRefusal(planned, `${key} is a virtual server of somebody else`)
        } else if (tries < maxAttempts) again.push(key)
        else if (planned !== undefined) onRefusal(planned, failureText(change, error))
      }
      if (again.some((key) => failed.get(key)!.error.errno === EBUSY)) yield* Effect.sleep(busyPause)
      return again
    })
  }
}

/** Keys of virtual servers that the table names. */
export const recordedIn = (entries: ReadonlyMap<string, Entry>): ReadonlySet<string> => {
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
