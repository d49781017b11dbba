/** How much CPU something uses at the moment: the growth of its counter from one pass to the next. */

interface Reading {
  readonly at: number
  readonly usage: number
  readonly rate: number | undefined
}

/** Milliseconds between readings of which a rate is made; passes that follow each other faster tell the rate before. */
export const minRateInterval = 1_000
const millisecondsPerSecond = 1_000

/** `[what, at in milliseconds, nanoseconds so far]` */
export type CpuReading = readonly [path: string, at: number, usage: number | undefined]

export class CpuRates {
  #before = new Map<string, Reading>()

  /**
   * Takes the readings of a pass and answers what each uses, in nanoseconds of CPU a second (nanocores); undefined for what
   * is read for the first time. What is not read in a pass is forgotten.
   */
  of(readings: ReadonlyArray<CpuReading>): (path: string) => number | undefined {
    const now = new Map<string, Reading>()
    for (const [path, at, usage] of readings) {
      if (usage !== undefined) now.set(path, next(this.#before.get(path), at, usage))
    }
    this.#before = now
    return (path) => now.get(path)?.rate
  }
}

const next = (before: Reading | undefined, at: number, usage: number): Reading => {
  if (before === undefined || usage < before.usage) return { at, usage, rate: undefined }
  const elapsed = at - before.at
  return elapsed < minRateInterval
    ? before
    : { at, usage, rate: Math.round(((usage - before.usage) * millisecondsPerSecond) / elapsed) }
}
