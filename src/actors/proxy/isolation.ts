/** Finds the changes that the kernel does not take among many, by halves, so that all others get in. */
import { Effect } from "effect"
import type { Applied, Change, DataplaneError, Refusal } from "../../adapters/dataplane/port.ts"

/** Calls that may fail before what is left counts as refused: where nothing works, not everything is tried. */
const maxFailures = 32

export interface Isolated {
  /** Changes that are in force. */
  readonly done: number
  readonly refused: ReadonlyArray<Refusal>
  /** The last failure of a call. */
  readonly error: DataplaneError | undefined
}

export const isolate = (
  changes: ReadonlyArray<Change>,
  apply: (changes: ReadonlyArray<Change>) => Effect.Effect<Applied, DataplaneError>
): Effect.Effect<Isolated> =>
  Effect.gen(function* () {
    const refused: Array<Refusal> = []
    let failures = 0
    let done = 0
    let error: DataplaneError | undefined
    const rest: Array<ReadonlyArray<Change>> = changes.length === 0 ? [] : [changes]
    for (let some = rest.pop(); some !== undefined; some = rest.pop()) {
      if (failures >= maxFailures) {
        for (const { key } of some) refused.push({ key, message: error?.message ?? "" })
        continue
      }
      const part = some
      const outcome = yield* Effect.match(apply(part), {
        onFailure: (failure) => failure,
        onSuccess: (applied) => applied
      })
      if (!("_tag" in outcome)) {
        done += part.length - outcome.refused.length
        refused.push(...outcome.refused)
        continue
      }
      failures += 1
      error = outcome
      if (part.length === 1) refused.push({ key: part[0]!.key, message: outcome.message })
      else {
        const half = Math.ceil(part.length / 2)
        rest.push(part.slice(half), part.slice(0, half))
      }
    }
    return { done, refused, error }
  })
