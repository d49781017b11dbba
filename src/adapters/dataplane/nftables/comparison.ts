/**
 * The kernel compared with what is wanted, and made that: what stands and is right is not touched, so that packets of
 * Services that stay are served at every moment. Takes over what an earlier life of the agent has left.
 */
import { Effect } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import { DataplaneError, type DataplaneSettings, type Refusal, type Repaired } from "../port.ts"
import { chainsToMake, isCounted, readyChains, targetsOf } from "./chains.ts"
import { Delta, type Operation } from "./delta.ts"
import { asFound, emitAll } from "./elements.ts"
import type { Entry } from "./entry.ts"
import type { Kernel } from "./kernel.ts"
import { nftFamily, shapeNamed } from "./layout.ts"
import type { Model, Plan } from "./model.ts"
import { addGlobals, compareChains, Findings, findingsOf, isOurLayout } from "./repair.ts"
import type { Elements, TableFound } from "./ruleset.ts"
import { type ChainNames, isMismatch, partChains, patiently, refusalOf, type Sender } from "./sending.ts"
import { type Chain, chainText, fixedChains, skeletonText, tableText } from "./skeleton.ts"
import { operationsText } from "./text.ts"
import type { ChoiceChain } from "./transaction.ts"

export const allFamilies = ["IPv4", "IPv6"] as const satisfies ReadonlyArray<IpFamily>

/** How often the tables are read anew because others changed something meanwhile. */
const maxLooks = 8

/** What is in the kernel as far as this life of the agent has put it there or seen it. */
export interface Known {
  readonly model: Model
  readonly healthCheckPorts: ReadonlyArray<number>
  /** Chains with their rules as they stood after this program had made them. */
  readonly tables: ReadonlyMap<IpFamily, TableFound>
  readonly chains: ChainNames
}

export interface Found {
  readonly table: TableFound | undefined
  readonly elements: Elements
  /** Whether it can be put right piece by piece. */
  readonly isOurs: boolean
}

export type FoundTables = ReadonlyMap<IpFamily, Found>

/** An entry with its servers in the slots in which they were found. */
export const adopting =
  (found: FoundTables) =>
  (entry: Entry): Entry => {
    const there = found.get(entry.family)
    return there === undefined || !there.isOurs
      ? entry
      : asFound(entry, (set, key) => there.elements.get(set.name)?.get(key))
  }

/** Elements that were found, for the difference of a plan to them. */
export const elementsIn = (found: FoundTables): ReadonlyMap<IpFamily, Elements> =>
  new Map([...found].filter(([, { isOurs }]) => isOurs).map(([family, { elements }]) => [family, elements]))

export interface Comparison {
  readonly look: Effect.Effect<FoundTables, DataplaneError>
  /** @param plan what is wanted, with its difference to what was found; `model` takes it up */
  readonly bring: (
    wanted: { readonly plan: Plan; readonly model: Model; readonly healthCheckPorts: ReadonlyArray<number> },
    found: FoundTables,
    known: Known | undefined
  ) => Effect.Effect<{ readonly known: Known; readonly repaired: Repaired }, DataplaneError>
}

export const makeComparison = (kernel: Kernel, settings: DataplaneSettings, send: Sender): Comparison => {
  const { families, name } = settings
  const inTable = (family: IpFamily): string => tableText(family, name)

  const lookOnce = Effect.gen(function* () {
    const all = new Map<IpFamily, Found>()
    for (const family of allFamilies) {
      const table = yield* patiently(kernel.table(family))
      const isOurs =
        table !== undefined && families.includes(family) && isOurLayout(table, fixedChains(settings, family), family)
      all.set(family, { table, isOurs, elements: isOurs ? yield* patiently(kernel.elements(family)) : new Map() })
    }
    return all
  })

  /** All of it at one moment: the kernel does not say by itself that elements changed while they were listed. */
  const look: Comparison["look"] = Effect.gen(function* () {
    for (let attempt = 1; ; attempt++) {
      const generation = yield* kernel.generation
      const found = yield* lookOnce.pipe(
        // A table that went while it was read.
        Effect.catch((error) => (isMismatch(error) ? Effect.succeed(undefined) : Effect.fail(error)))
      )
      if (found !== undefined && (yield* kernel.generation) === generation) {
        kernel.trust(generation)
        return found
      }
      if (attempt < maxLooks) continue
      return yield* new DataplaneError({
        reason: "Busy",
        operation: "read the tables",
        message: `others changed nf_tables during each of ${maxLooks} attempts to read it`
      })
    }
  })

  /** Commands and chains for one family; what of `operations` the commands do is no difference any more. */
  const tableSteps = (
    family: IpFamily,
    { table, isOurs }: Found,
    chains: ReadonlyArray<Chain>,
    left: TableFound | undefined,
    operations: ReadonlyArray<Operation>
  ): {
    readonly lines: ReadonlyArray<string>
    readonly choices: ReadonlyArray<ChoiceChain>
    readonly isRemade: boolean
  } => {
    const all = partChains([...fixedChains(settings, family), ...chains], family)
    if (table === undefined)
      return { lines: skeletonText(family, name, all.others), choices: all.choices, isRemade: true }
    if (!isOurs) {
      const lines = [
        `delete table ${inTable(family)}`,
        ...skeletonText(family, name, [...fixedChains(settings, family), ...chains]),
        ...operationsText(name, operations)
      ]
      for (const operation of operations) operation.before = operation.after
      return { lines, choices: all.choices, isRemade: true }
    }
    if (left !== undefined && isAsLeft(table, left)) {
      const more = partChains(
        chains.filter((chain) => !table.chains.has(chain.name)),
        family
      )
      return {
        lines: more.others.flatMap((chain) => chainText(chain, family, name)),
        choices: more.choices,
        isRemade: more.others.length + more.choices.length > 0
      }
    }
    return { lines: skeletonText(family, name, all.others), choices: all.choices, isRemade: true }
  }

  const bring: Comparison["bring"] = ({ plan, model, healthCheckPorts }, found, known) =>
    Effect.gen(function* () {
      const findings = new Findings()
      // In an empty kernel at the begin of a life nothing is missing that was there before.
      const isFirst = known === undefined && [...found.values()].every(({ table }) => table === undefined)
      addGlobals(plan.delta, families, model.nodeAddresses, healthCheckPorts)
      findingsOf(plan.delta, findings)
      const operations = [...plan.delta.operations()]
      const chains: ChainNames = { IPv4: new Set(), IPv6: new Set() }
      const lines: Array<string> = []
      const choices: Array<ChoiceChain> = []
      const remade: Array<IpFamily> = []
      for (const [family, there] of found) {
        if (!families.includes(family)) {
          if (there.table === undefined) continue
          lines.push(`delete table ${inTable(family)}`)
          findings.note("unexpected", () => `table ${inTable(family)}`)
          continue
        }
        if (there.table === undefined) findings.note("missing", () => `table ${inTable(family)}`)
        else if (!there.isOurs) findings.note("altered", () => `table ${inTable(family)}`)
        const names = new Set([...readyChains, ...targetsOf(plan.delta.verdicts(family))])
        const counted = chainsToMake(names, family, new Set(), plan.entries.values())
        for (const chain of [...fixedChains(settings, family), ...counted]) chains[family].add(chain.name)
        const mine = operations.filter((operation) => operation.family === family)
        const steps = tableSteps(family, there, counted, known?.tables.get(family), mine)
        lines.push(...steps.lines)
        choices.push(...steps.choices)
        if (steps.isRemade) remade.push(family)
      }
      const here = { model, healthCheckPorts, chains }
      yield* patiently(kernel.script("make tables", lines))
      const failure = yield* refusalOf(
        send(chains, { delta: plan.delta, entries: () => plan.entries.values(), choices })
      )
      if (failure === undefined) model.commit(plan)
      const refused = failure === undefined ? [] : yield* oneByOne(here, plan, choices, failure)
      yield* tidy(chains, found, findings)
      const tables = new Map(known?.tables)
      for (const family of families) {
        const before = found.get(family)?.table
        if (before !== undefined && !remade.includes(family)) continue
        const after = yield* patiently(kernel.table(family))
        if (after === undefined) continue
        tables.set(family, after)
        if (before !== undefined && found.get(family)?.isOurs === true) {
          compareChains(before, after, family, (chain) => !isCounted(chain), findings)
        }
      }
      const { missing, altered, unexpected, examples } = isFirst ? new Findings() : findings
      return { known: { ...here, tables }, repaired: { refused, missing, altered, unexpected, examples } }
    })

  /** After a refusal: Services of which something differs come one by one, so that the others of them are served. */
  const oneByOne = (
    { model, healthCheckPorts, chains }: Omit<Known, "tables">,
    refusedPlan: Plan,
    choices: ReadonlyArray<ChoiceChain>,
    failure: DataplaneError
  ): Effect.Effect<ReadonlyArray<Refusal>, DataplaneError> =>
    Effect.gen(function* () {
      // Some parts of it may have been taken.
      const entries = Array.from(refusedPlan.entries.values()).filter((entry) => entry !== undefined)
      const plan = model.planEntries(entries, elementsIn(yield* look))
      const differing = new Set<Entry>()
      const same: Array<Entry> = []
      for (const entry of plan.entries.values()) {
        if (entry === undefined) continue
        emitAll(entry, (set, key) => {
          const operation = plan.delta.at(entry.family, set, key)
          if (operation !== undefined && operation.before !== operation.after) differing.add(entry)
        })
        if (!differing.has(entry)) same.push(entry)
      }
      if (differing.size === 0) return yield* Effect.fail(failure)
      const globals = new Delta()
      addGlobals(globals, families, model.nodeAddresses, healthCheckPorts)
      addGlobals(plan.delta, families, model.nodeAddresses, healthCheckPorts)
      const clearing = [...globals.operations()]
      for (const { family, set, key, before } of [...plan.delta.operations(), ...plan.delta.removeRest()]) {
        if (before !== undefined) clearing.push({ family, set, key, before, after: undefined })
      }
      yield* patiently(kernel.commit(clearing, choices))
      model.commit(model.planEntries(same))
      const part = (some: ReadonlyArray<Entry>): Effect.Effect<ReadonlyArray<Refusal>, DataplaneError> =>
        Effect.gen(function* () {
          const step = model.planEntries(some)
          const onTaken = (): void => model.commit(step)
          const error = yield* refusalOf(send(chains, { delta: step.delta, entries: () => some, onTaken }))
          if (error === undefined) return []
          const [only] = some
          if (some.length <= 1) return only === undefined ? [] : [{ key: only.key, message: error.message }]
          const half = some.length >> 1
          return [...(yield* part(some.slice(0, half))), ...(yield* part(some.slice(half)))]
        })
      return yield* part([...differing])
    })

  /** Removes what has no business in our tables, and chains that are not needed. What still leads to one keeps it for now. */
  const tidy = (chains: ChainNames, found: FoundTables, findings: Findings): Effect.Effect<void, DataplaneError> =>
    Effect.gen(function* () {
      for (const family of families) {
        const { table, isOurs } = found.get(family) ?? { table: undefined, isOurs: false }
        if (table === undefined || !isOurs) continue
        const strange = [...table.chains.keys()].filter((chain) => !chains[family].has(chain))
        const unused = strange.filter((chain) => isCounted(chain))
        const gone = (chain: string) => [
          `flush chain ${inTable(family)} ${chain}`,
          `delete chain ${inTable(family)} ${chain}`
        ]
        const attempts = [unused.flatMap(gone)]
        for (const chain of strange) {
          if (isCounted(chain)) continue
          findings.note("unexpected", () => `${nftFamily(family)} chain ${chain}`)
          attempts.push(gone(chain))
        }
        for (const [set, type] of table.sets) {
          if (shapeNamed.has(set)) continue
          findings.note("unexpected", () => `${nftFamily(family)} set ${set}`)
          attempts.push([`delete ${type.includes(":") ? "map" : "set"} ${inTable(family)} ${set}`])
        }
        for (const lines of attempts) {
          const error = yield* kernel.script("remove what is not needed", lines).pipe(Effect.flip, Effect.option)
          // What cannot go yet is known to be there still.
          if (error._tag === "Some" && error.value.reason !== "Refused" && error.value.reason !== "Busy") {
            return yield* Effect.fail(error.value)
          }
          if (error._tag === "Some" && lines === attempts[0]) for (const chain of unused) chains[family].add(chain)
        }
      }
    })

  return { look, bring }
}

/** Whether chains and rules are as this program left them. */
const isAsLeft = (table: TableFound, left: TableFound): boolean => {
  for (const [chain, { rules, hook }] of left.chains) {
    const now = table.chains.get(chain)
    if (now === undefined || now.hook !== hook || now.rules.join() !== rules.join()) return false
  }
  return true
}
