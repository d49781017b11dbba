/** One hash over the folded states of a whole node: equal logs give equal hashes, on every runtime. */
import type { NodeFold } from "./fold.ts"
import { canonical } from "./json.ts"

/** `hash`: SHA-256 of a text, hex (a parameter, so that this stays pure of any runtime's API). */
export const stateHash = (fold: NodeFold, hash: (text: string) => string): string =>
  hash(
    [...fold.actors]
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([path, { state, actorSequence }]) => canonical([path, actorSequence, state]))
      .join("\n")
  )
