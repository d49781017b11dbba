/** Random inputs that can be had again: every generator prints its seed, and CHRONODE_SEED sets it. */
import { randomInt } from "node:crypto"
import process from "node:process"

export interface Random {
  readonly seed: number
  /** At least 0, less than 1. */
  readonly next: () => number
  /** A whole number from `low` to `high`, both included. */
  readonly int: (low: number, high: number) => number
  /** True with this probability. */
  readonly chance: (probability: number) => boolean
  /** One of these; throws when there is none. */
  readonly pick: <A>(from: ReadonlyArray<A>) => A
  readonly shuffle: <A>(these: ReadonlyArray<A>) => ReadonlyArray<A>
}

const seedLimit = 2 ** 31

/** The generator of one seed (Mulberry32: 32 bits of state, good enough for test inputs). Prints nothing. */
export const randomFrom = (seed: number): Random => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    seed,
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (from) => {
      if (from.length === 0) throw new Error("nothing to pick from")
      return from[int(0, from.length - 1)]!
    },
    shuffle: (these) => {
      const all = [...these]
      for (let k = all.length - 1; k > 0; k--) {
        const other = int(0, k)
        const held = all[k]!
        all[k] = all[other]!
        all[other] = held
      }
      return all
    }
  }
}

/** A generator with a new seed, or that of CHRONODE_SEED; says which, so that a failure can be repeated. */
export const seededRandom = (purpose: string): Random => {
  const given = process.env.CHRONODE_SEED
  const seed = given === undefined || given === "" ? randomInt(seedLimit) : Number(given)
  if (!Number.isSafeInteger(seed)) throw new Error(`CHRONODE_SEED is no whole number: ${given}`)
  console.log(`${purpose}: seed ${seed} (CHRONODE_SEED=${seed} repeats it)`)
  return randomFrom(seed)
}

/** How often a test that repeats does so: CHRONODE_ROUNDS (`npm test -- --rounds N`), else this number. */
export const roundsOr = (usual: number): number => {
  const given = process.env.CHRONODE_ROUNDS
  if (given === undefined || given === "") return usual
  const rounds = Number(given)
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new Error(`CHRONODE_ROUNDS is no whole number above zero: ${given}`)
  return rounds
}
