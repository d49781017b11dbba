/** Every bound of a test run, in one place. Two cores, shared: the whole run ends within twenty minutes. */
import type { Level } from "./options.ts"

const second = 1000
const minute = 60 * second

/** The whole run, milliseconds. */
export const runLimit = 20 * minute

export interface LevelLimits {
  /** All files of the level on one runtime, milliseconds. */
  readonly stage: number
  /** One file, milliseconds. */
  readonly file: number
  /** One test that names no timeout of its own, milliseconds (Bun's default is 5 s; Deno has none). */
  readonly test: number
  /** Files at once, where the machine has that many cores. Those with an `// alone:` line come after them, one by one. */
  readonly concurrency: number
}

export const levelLimits: Readonly<Record<Level, LevelLimits>> = {
  unit: { stage: 4 * minute, file: 90 * second, test: 20 * second, concurrency: 2 },
  int: { stage: 7 * minute, file: 4 * minute, test: 60 * second, concurrency: 2 },
  e2e: { stage: 11 * minute, file: 6 * minute, test: 120 * second, concurrency: 2 }
}

/** The virtual machine, milliseconds from power on to power off: what is always run in it, and what `--vm` adds. */
export const vmLimits = { always: 5 * minute, campaign: 20 * minute } as const
/** How much more time a test may take in it than on a machine itself. */
export const vmSlowness = 4

/** One check (formatter, compiler, …), milliseconds. */
export const checkLimit = 2 * minute

/** Rounds that the limits are made for; more rounds stretch them in proportion. */
export const plannedRounds = 20

/** From SIGTERM to SIGKILL for a command that is over its limit, milliseconds. */
export const killGrace = 5 * second
/** How long processes may take to follow their test runner, milliseconds. */
export const leftoverGrace = 3 * second
/** Of a command's output, the last so many characters are kept. */
export const outputLimit = 4_000_000
