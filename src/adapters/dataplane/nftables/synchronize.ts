/**
 * Brings Services into the kernel: sends what differs in one transaction, and finds out which Services are to blame where
 * the kernel refuses. Calls come one after the other (live.ts).
 */
import { Effect } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import {
  type Applied,
  type Change,
  DataplaneError,
  type DataplaneSettings,
  type Desired,
  type Refusal,
  type Repaired,
  rulesKey
} from "../port.ts"
import { staleAffinities } from "./affinity.ts"
import { adopting, allFamilies, elementsIn, type Known, makeComparison } from "./comparison.ts"
import type { Kernel } from "./kernel.ts"
import { nftFamily, sets } from "./layout.ts"
import { Model } from "./model.ts"
import { isMismatch, makeSender, patiently, refusalOf } from "./sending.ts"
import { tableText } from "./skeleton.ts"

/** How often clients that are remembered are listed again because some were forgotten meanwhile. */
const maxAffinityAttempts = 4

/** A loopback address is no node's: answers to packets for it would not come back (`proxier.go` setupNFTables). */
const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1"

/** Addresses on which node ports are answered. */
const answering = ({ nodePortAddresses }: Desired): ReadonlyArray<string> =>
  nodePortAddresses.filter((address) => !isLoopback(address))

const isAsKnown = ({ model, healthCheckPorts }: Known, desired: Desired): boolean =>
  model.nodeAddresses.join() === answering(desired).join() &&
  healthCheckPorts.join() === desired.healthCheckPorts.join()

const nothingFound = { missing: 0, altered: 0, unexpected: 0, examples: [] } as const

export interface Synchronizer {
  readonly resync: (desired: Desired) => Effect.Effect<Repaired, DataplaneError>
  readonly apply: (changes: ReadonlyArray<Change>) => Effect.Effect<Applied, DataplaneError>
  readonly undisturbed: Effect.Effect<boolean, DataplaneError>
  readonly cleanup: Effect.Effect<ReadonlyArray<string>, DataplaneError>
}

export const makeSynchronizer = (kernel: Kernel, settings: DataplaneSettings): Synchronizer => {
  const { families, name } = settings
  const send = makeSender(kernel, name, families)
  const { look, bring } = makeComparison(kernel, settings, send)
  let known: Known | undefined
  /** Whether the kernel has what the model says is not known: it is compared before the next change. */
  let isDoubtful = false

  const doubt = <A>(effect: Effect.Effect<A, DataplaneError>): Effect.Effect<A, DataplaneError> =>
    Effect.onError(effect, () =>
      Effect.sync(() => {
        isDoubtful = true
      })
    )

  /** Splits off what is of a family that is not served. */
  const served = (changes: ReadonlyArray<Change>) => {
    const isServed = ({ rules }: Change): boolean => rules === undefined || families.includes(rules.family)
    const refused: ReadonlyArray<Refusal> = changes
      .filter((change) => !isServed(change))
      .map(({ key, rules }) => ({ key, message: `${rules?.family} is not among the families that are served` }))
    return { some: changes.filter(isServed), refused }
  }

  /** Clients are no longer remembered for what is gone. */
  const forget = (
    model: Model,
    family: IpFamily,
    attempts = maxAffinityAttempts
  ): Effect.Effect<void, DataplaneError> =>
    Effect.gen(function* () {
      const stale = staleAffinities(model, family, yield* kernel.elementsOf(family, sets.affinity))
      yield* patiently(kernel.commit(stale, []))
    }).pipe(
      // One whose time was over in between is not there to be deleted.
      Effect.catch((error) =>
        isMismatch(error) && attempts > 1 ? forget(model, family, attempts - 1) : Effect.fail(error)
      )
    )

  const forgetAll = (model: Model): Effect.Effect<void, DataplaneError> =>
    Effect.forEach(families, (family) => forget(model, family), { discard: true })

  const resync = (desired: Desired): Effect.Effect<Repaired, DataplaneError> =>
    Effect.gen(function* () {
      const { some, refused } = served(Array.from(desired.rules, (rules) => ({ key: rulesKey(rules), rules })))
      if (known !== undefined && !isDoubtful && isAsKnown(known, desired) && (yield* kernel.isTrusted)) {
        // Nobody else has changed anything: what is in the kernel is known without reading it.
        const keys = new Set(some.map(({ key }) => key))
        const gone = Array.from(known.model.entries(), ({ key }) => key).filter((key) => !keys.has(key))
        const changes = [...gone.map((key) => ({ key, rules: undefined })), ...some]
        const others = yield* attempt(known, changes, false)
        yield* forgetAll(known.model)
        return { ...nothingFound, refused: [...refused, ...others] }
      }
      const found = yield* look
      const model = new Model(answering(desired))
      const isSameNode = known?.model.nodeAddresses.join() === model.nodeAddresses.join()
      const former = isSameNode ? known?.model : undefined
      const plan = model.plan(some, { former, found: elementsIn(found), adopt: adopting(found) })
      const { healthCheckPorts } = desired
      const result = yield* bring({ plan, model, healthCheckPorts }, found, known)
      known = result.known
      isDoubtful = false
      yield* forgetAll(model)
      return { ...result.repaired, refused: [...refused, ...plan.refused, ...result.repaired.refused] }
    }).pipe(doubt)

  /** Compares with what this life has put there, in place of what is desired. */
  const repair = (here: Known): Effect.Effect<Known, DataplaneError> =>
    Effect.gen(function* () {
      const found = yield* look
      const model = new Model(here.model.nodeAddresses)
      const adopt = adopting(found)
      const plan = model.planEntries(Array.from(here.model.entries(), adopt), elementsIn(found))
      const { healthCheckPorts } = here
      const result = yield* bring({ plan, model, healthCheckPorts }, found, here)
      known = result.known
      isDoubtful = false
      yield* forgetAll(model)
      return result.known
    }).pipe(doubt)

  /** All of the changes, but for those that the kernel does not take. */
  const attempt = (
    here: Known,
    changes: ReadonlyArray<Change>,
    isSecond: boolean
  ): Effect.Effect<ReadonlyArray<Refusal>, DataplaneError> =>
    Effect.gen(function* () {
      const plan = here.model.plan(changes)
      let isTaken = false
      const onTaken = (): void => {
        isTaken = true
        here.model.commit(plan)
      }
      const entries = () => plan.entries.values()
      const failure = yield* doubt(refusalOf(send(here.chains, { delta: plan.delta, entries, onTaken })))
      if (isTaken) {
        // If it failed, slots that nothing leads to are left: the next comparison removes them.
        isDoubtful ||= failure !== undefined
        for (const family of new Set(plan.forget.map((entry) => entry.family))) yield* doubt(forget(here.model, family))
        return plan.refused
      }
      if (failure === undefined) return plan.refused
      if (isMismatch(failure) && !isSecond) return yield* attempt(yield* repair(here), changes, true)
      const [only] = changes
      if (changes.length <= 1) return only === undefined ? [] : [{ key: only.key, message: failure.message }]
      const half = changes.length >> 1
      return [
        ...(yield* attempt(here, changes.slice(0, half), isSecond)),
        ...(yield* attempt(here, changes.slice(half), isSecond))
      ]
    })

  const apply = (changes: ReadonlyArray<Change>): Effect.Effect<Applied, DataplaneError> =>
    Effect.gen(function* () {
      if (known === undefined) {
        return yield* new DataplaneError({
          reason: "Failed",
          operation: "change Services",
          message: "nothing was compared with the kernel yet: a resync comes first"
        })
      }
      const { some, refused } = served(changes)
      const here = isDoubtful ? yield* repair(known) : known
      return { refused: [...refused, ...(yield* attempt(here, some, false))] }
    })

  const cleanup = Effect.gen(function* () {
    const removed: Array<string> = []
    for (const family of allFamilies) {
      if ((yield* patiently(kernel.table(family))) === undefined) continue
      yield* patiently(kernel.script("remove the table", [`delete table ${tableText(family, name)}`]))
      removed.push(`nf_tables: table ${nftFamily(family)} ${name}`)
    }
    known = undefined
    isDoubtful = false
    return removed
  })

  const undisturbed = Effect.suspend(() =>
    known === undefined || isDoubtful ? Effect.succeed(false) : kernel.isTrusted
  )

  return { resync, apply, undisturbed, cleanup }
}
