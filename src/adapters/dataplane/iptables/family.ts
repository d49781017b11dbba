/** The rules of one family of addresses: what is in force, how it is brought there, and what is done about a refusal. */
import { Effect } from "effect"
import { DataplaneError, type Refusal, type RuleCount, type ServiceRules } from "../port.ts"
import { Drift } from "./compare.ts"
import type { Context } from "./context.ts"
import { RuleCounts } from "./counts.ts"
import { deltaOf, type RulesChange, sharedEdits } from "./delta.ts"
import { healthRules } from "./expected.ts"
import type { Generations } from "./generation.ts"
import { type InputLimits, inputsOfAll, type TableChange } from "./plan.ts"
import { differences, driftOf, type Wanted, withoutLongDeletions } from "./readback.ts"
import type { Failure, Tool } from "./tool.ts"

export interface Settled {
  readonly refused: ReadonlyArray<Refusal>
  readonly drift: Drift
}

/** Services that are refused one by one before the whole change counts as refused: each costs a look at all rules. */
const maxAttempts = 64

/** A chain of ours that others' rules lead to stays, empty. */
type Kept = ReadonlySet<string>

const isRefusal = (failure: Failure): boolean => failure.complaint.error.reason === "Refused"

interface InForce extends Wanted {
  readonly rules: Map<string, ServiceRules>
}

const put = (rules: Map<string, ServiceRules>, changes: ReadonlyMap<string, ServiceRules | undefined>): void => {
  for (const [key, after] of changes) {
    if (after === undefined) rules.delete(key)
    else rules.set(key, after)
  }
}

/** What is said when a chain that should be there is not. */
const ofChains = /Couldn't load target|does not exist|No such file or directory/u

/**
 * Whose rules were refused, where the failure says so and nothing was done: a rule that could not be added tells of its
 * Service, one that could not be deleted of what others did.
 */
const culpritOf = ({ complaint, input, done }: Failure): string | undefined => {
  const { line, error } = complaint
  if (done > 0 || line === undefined || ofChains.test(error.message)) return undefined
  return input.text.split("\n")[line - 1]?.startsWith("-A ") === true ? input.keys.get(line) : undefined
}

export interface FamilyRules {
  readonly settle: (wanted: Wanted) => Effect.Effect<Settled, DataplaneError>
  readonly change: (changes: ReadonlyMap<string, ServiceRules | undefined>) => Effect.Effect<Settled, DataplaneError>
  /** Services' ports that are in force. */
  readonly size: () => number
  readonly rulesOf: (key: string) => ServiceRules | undefined
  readonly counts: () => ReadonlyArray<RuleCount>
}

export const makeFamilyRules = (
  tool: Tool,
  generations: Generations,
  settings: { readonly initial: Context; readonly limits: InputLimits }
): FamilyRules => {
  let inForce: InForce = { context: settings.initial, rules: new Map(), healthCheckPorts: [] }
  /** What the kernel has is what `inForce` says, but for what others have done. */
  let isKnown = false

  const counts = new RuleCounts()

  const restore = (changes: ReadonlyArray<TableChange>): Effect.Effect<Failure | undefined> =>
    tool
      .restore(
        inputsOfAll(
          // Whoever loses all servers is refused after their chains are gone, and served again before it is refused no more.
          changes.toSorted((a, b) => (a.table === b.table ? 0 : a.table === "nat" ? -1 : 1)),
          settings.limits
        )
      )
      .pipe(
        Effect.tap((failure) =>
          Effect.sync(() => {
            // What is in force after a failure is known when all is read the next time.
            if (failure === undefined) counts.written(changes)
          })
        )
      )

  /** Reads everything back and makes it what is wanted; the failure tells which input was refused. */
  const once = (
    wanted: Wanted,
    kept: Kept
  ): Effect.Effect<{ readonly drift: Drift; readonly failure?: Failure }, DataplaneError> =>
    Effect.gen(function* () {
      isKnown = false
      const at = generations.current
      const saved = { filter: yield* tool.read("filter"), nat: yield* tool.read("nat") }
      generations.verified(tool.family, at)
      counts.read(saved)
      const { changes, drift } = yield* differences(wanted, saved, kept)
      const failure = yield* restore(changes)
      if (failure !== undefined) return { drift, failure }
      inForce = { ...wanted, rules: new Map(wanted.rules) }
      isKnown = true
      return { drift }
    }).pipe(Effect.mapError((error) => (error instanceof DataplaneError ? error : error.error)))

  const settle = (wanted: Wanted): Effect.Effect<Settled, DataplaneError> =>
    Effect.gen(function* () {
      const before = inForce.rules
      const rules = new Map(wanted.rules)
      const refused: Array<Refusal> = []
      const kept = new Set<string>()
      let drift: Drift | undefined
      /** Of which nobody knows yet that all are taken; the rest has been. */
      let doubted: ReadonlyArray<string> | undefined
      /** What was said last: others may have changed something after it was read, and a second look is without blame. */
      let said: string | undefined
      const refuse = (key: string, message: string): void => {
        refused.push({ key, message })
        const old = before.get(key)
        // What was in force stays so, as far as it was taken before.
        if (old === undefined || old === rules.get(key)) rules.delete(key)
        else rules.set(key, old)
      }
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const tried = new Map(rules)
        for (const key of doubted ?? []) {
          const old = before.get(key)
          if (old === undefined) tried.delete(key)
          else tried.set(key, old)
        }
        const result = yield* once({ ...wanted, rules: tried }, kept)
        drift ??= result.drift
        const { failure } = result
        if (failure === undefined) {
          if (doubted === undefined) return { refused, drift }
          // The culprit is among those that were left out.
          if (doubted.length === 1) {
            refuse(doubted[0] as string, "the kernel did not take its rules")
            doubted = undefined
          } else doubted = doubted.slice(Math.ceil(doubted.length / 2))
          continue
        }
        if (!isRefusal(failure)) return yield* failure.complaint.error
        const { line = 0, error } = failure.complaint
        const isNews = doubted === undefined && error.message !== said
        said = error.message
        if (isNews) continue
        const chain = failure.input.removals.get(line)
        const key = failure.input.keys.get(line)
        if (chain !== undefined && !kept.has(chain)) kept.add(chain)
        else if (key !== undefined && rules.has(key)) {
          refuse(key, error.message)
          doubted = undefined
        } else {
          // It does not say which: all that the input was for, then the half of them that it is not.
          const suspects = [...new Set(failure.input.keys.values())].filter((each) => tried.has(each))
          if (suspects.length === 0) return yield* error
          doubted = suspects.length === 1 ? suspects : suspects.slice(0, Math.ceil(suspects.length / 2))
        }
      }
      return yield* new DataplaneError({
        reason: "Refused",
        operation: "find the Services that the kernel does not take",
        message: `${refused.length} Services were refused, and still not all is taken: look at \`iptables-save\` and the kernel's log`
      })
    })

  /** Changes of what is in force, as one delta; the failure leaves it unknown what is, unless nothing was done. */
  const applyDelta = (delta: ReadonlyArray<TableChange>, done: () => void): Effect.Effect<Failure | undefined> =>
    Effect.gen(function* () {
      // Also whoever is interrupted does not know.
      isKnown = false
      const failure = yield* restore(delta)
      if (failure === undefined) done()
      isKnown = failure === undefined || failure.done === 0
      return failure
    })

  const rulesWith = (changes: ReadonlyMap<string, ServiceRules | undefined>): Map<string, ServiceRules> => {
    const rules = new Map(inForce.rules)
    put(rules, changes)
    return rules
  }

  const change = (changes: ReadonlyMap<string, ServiceRules | undefined>): Effect.Effect<Settled, DataplaneError> =>
    Effect.gen(function* () {
      const left = new Map(changes)
      const refused: Array<Refusal> = []
      while (isKnown) {
        const list = [...left].map(([key, after]): RulesChange => ({ key, before: inForce.rules.get(key), after }))
        const delta = withoutLongDeletions(deltaOf(inForce.context, list), () => ({
          ...inForce,
          rules: rulesWith(left)
        }))
        const failure = yield* applyDelta(delta, () => put(inForce.rules, left))
        if (failure === undefined) return { refused, drift: new Drift() }
        if (!isRefusal(failure)) return yield* failure.complaint.error
        const culprit = refused.length < maxAttempts ? culpritOf(failure) : undefined
        if (culprit === undefined) isKnown = false
        else {
          refused.push({ key: culprit, message: failure.complaint.error.message })
          left.delete(culprit)
        }
      }
      const settled = yield* settle({ ...inForce, rules: rulesWith(left) })
      return { refused: [...refused, ...settled.refused], drift: settled.drift }
    })

  /** As `settle`, but without a look at the kernel where nobody can have changed anything. */
  const settleQuickly = (wanted: Wanted): Effect.Effect<Settled, DataplaneError> =>
    Effect.suspend(() => {
      const isSame = JSON.stringify(wanted.context) === JSON.stringify(inForce.context)
      if (!isKnown || !isSame || !generations.isOurs(tool.family)) return settle(wanted)
      const keys = new Set([...inForce.rules.keys(), ...wanted.rules.keys()])
      const list = [...keys]
        .map((key): RulesChange => ({ key, before: inForce.rules.get(key), after: wanted.rules.get(key) }))
        .filter(({ before, after }) => before !== after && JSON.stringify(before) !== JSON.stringify(after))
      const health = sharedEdits(
        healthRules(inForce.context, inForce.healthCheckPorts),
        healthRules(wanted.context, wanted.healthCheckPorts)
      )
      const delta = deltaOf(wanted.context, list, health)
      return Effect.flatMap(
        applyDelta(
          withoutLongDeletions(delta, () => wanted),
          () => {
            inForce = { ...wanted, rules: new Map(wanted.rules) }
          }
        ),
        (failure) =>
          failure === undefined ? Effect.succeed({ refused: [], drift: driftOf(tool.family, delta) }) : settle(wanted)
      )
    })

  return {
    settle: settleQuickly,
    change,
    size: () => inForce.rules.size,
    rulesOf: (key) => inForce.rules.get(key),
    counts: () => counts.list(tool.family)
  }
}
