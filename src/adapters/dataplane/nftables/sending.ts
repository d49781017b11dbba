/** Sending a difference to the kernel: chains first where they are not there, and again while it is busy. */
import { Duration, Effect } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { DataplaneError } from "../port.ts"
import { chainsToMake, targetsOf } from "./chains.ts"
import type { Delta, Operation } from "./delta.ts"
import type { Entry } from "./entry.ts"
import type { Kernel } from "./kernel.ts"
import { isSlots, sets } from "./layout.ts"
import { type Chain, chainText } from "./skeleton.ts"
import type { ChoiceChain } from "./transaction.ts"

/** How often the same is sent when the kernel says that it is busy, and how long is waited first, in milliseconds. */
const maxBusyAttempts = 6
const firstBusyPause = 2

const ENOENT = 2
const EEXIST = 17

/** Says that the kernel has other elements than it should, not that it does not like one. */
export const isMismatch = (error: DataplaneError): boolean =>
  error.reason === "Refused" && (error.errno === ENOENT || error.errno === EEXIST)

export const patiently = <A>(effect: Effect.Effect<A, DataplaneError>, attempt = 1): Effect.Effect<A, DataplaneError> =>
  Effect.catch(effect, (error) =>
    error.reason !== "Busy" || attempt >= maxBusyAttempts
      ? Effect.fail(error)
      : Effect.andThen(
          Effect.sleep(Duration.millis(firstBusyPause * 2 ** (attempt - 1))),
          Effect.suspend(() => patiently(effect, attempt + 1))
        )
  )

/** A refusal as a value: it is looked into; other errors end what is being done. */
export const refusalOf = (
  effect: Effect.Effect<void, DataplaneError>
): Effect.Effect<DataplaneError | undefined, DataplaneError> =>
  effect.pipe(
    Effect.as(undefined),
    Effect.catch((error) => (error.reason === "Refused" ? Effect.succeed(error) : Effect.fail(error)))
  )

/** Names of chains that are there. */
export type ChainNames = Readonly<Record<IpFamily, Set<string>>>

/** Chains among servers on one side, all others, which nft makes, on the other. */
export const partChains = (
  chains: ReadonlyArray<Chain>,
  family: IpFamily
): { readonly choices: ReadonlyArray<ChoiceChain>; readonly others: ReadonlyArray<Chain> } => {
  const choices: Array<ChoiceChain> = []
  const others: Array<Chain> = []
  for (const chain of chains) {
    if (chain.choice === undefined) others.push(chain)
    else choices.push({ family, name: chain.name, choice: chain.choice })
  }
  return { choices, others }
}

export interface Sending {
  readonly delta: Delta
  /** Where the source ranges of chains are found. */
  readonly entries: () => Iterable<Entry | undefined>
  /** Chains that are made anew in any case. */
  readonly choices?: ReadonlyArray<ChoiceChain>
  /** Once all that packets see of it is in force. */
  readonly onTaken?: () => void
  /** Not one transaction but several, so that others get their turn in between: for all Services at once. */
  readonly inParts?: boolean
}

/** Elements of one of several transactions: some milliseconds of the kernel's work. */
const maxPartElements = 4096

/** Slots before what leads to them, and what packets are looked up in first comes last. */
const rank = ({ set }: Operation): number =>
  isSlots(set) ? 0 : set === sets.services || set === sets.nodePorts ? 2 : 1

const partsOf = (operations: ReadonlyArray<Operation>): ReadonlyArray<ReadonlyArray<Operation>> => {
  const ranked: ReadonlyArray<Array<Operation>> = [[], [], []]
  for (const operation of operations) ranked[rank(operation)]!.push(operation)
  const inOrder = ranked.flat()
  const parts: Array<ReadonlyArray<Operation>> = []
  for (let at = 0; at < inOrder.length; at += maxPartElements) parts.push(inOrder.slice(at, at + maxPartElements))
  return parts
}

export const makeSender =
  (kernel: Kernel, table: string, families: ReadonlyArray<IpFamily>) =>
  (
    chains: ChainNames,
    { delta, entries, choices = [], onTaken, inParts = false }: Sending
  ): Effect.Effect<void, DataplaneError> =>
    Effect.gen(function* () {
      const { first, then } = delta.steps()
      const lines: Array<string> = []
      const made: Array<readonly [IpFamily, string]> = []
      const more: Array<ChoiceChain> = [...choices]
      for (const family of families) {
        const missing = chainsToMake(targetsOf(delta.verdicts(family)), family, chains[family], entries())
        const parted = partChains(missing, family)
        more.push(...parted.choices)
        lines.push(...parted.others.flatMap((chain) => chainText(chain, family, table)))
        for (const { name } of missing) made.push([family, name])
      }
      yield* patiently(kernel.script("make chains", lines))
      if (inParts) {
        yield* patiently(kernel.commit([], more))
        for (const part of partsOf(first)) {
          yield* patiently(kernel.commit(part, []))
          yield* Effect.yieldNow
        }
      } else yield* patiently(kernel.commit(first, more))
      for (const [family, name] of made) chains[family].add(name)
      onTaken?.()
      if (then.length > 0) yield* patiently(kernel.commit(then, []))
    })

export type Sender = ReturnType<typeof makeSender>
