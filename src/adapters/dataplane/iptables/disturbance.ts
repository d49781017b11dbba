/** Hints that somebody else has changed rules. */
import { Effect, Schedule, Stream } from "effect"
import type { Generations } from "./generation.ts"
import type { Programs } from "./run.ts"
import { run } from "./run.ts"

/** How often nf_tables is asked for its number: one system call. */
const lookEvery = "1 second"

/** Services up to which every foreign change is told; above, only one that took the jumps to our chains. */
const wholeLookServices = 500

export interface Watched {
  readonly generations: Generations
  /** Our own changes are going on. */
  readonly isBusy: () => boolean
  readonly services: () => number
  readonly programs: ReadonlyArray<Programs>
}

/** nat PREROUTING leads to us still: a flush of the table or of the rule set takes this rule with all others. */
const areJumpsThere = (programs: ReadonlyArray<Programs>): Effect.Effect<boolean> =>
  Effect.map(
    Effect.forEach(programs, ({ command }) =>
      run(command, "list the rules of PREROUTING", ["-t", "nat", "-S", "PREROUTING"]).pipe(
        Effect.map((text) => text.includes("-j KUBE-SERVICES")),
        Effect.catch(() => Effect.succeed(true))
      )
    ),
    (all) => all.every((each) => each)
  )

export const disturbancesOf = (watched: Watched): Stream.Stream<void> =>
  Stream.suspend(() => {
    let told: number | undefined
    const look = Effect.suspend(() => {
      if (watched.isBusy() || watched.generations.areOurs) return Effect.succeed(false)
      const now = watched.generations.current
      // Nobody can tell: the next resync looks.
      if (now === undefined || now === told) return Effect.succeed(false)
      told = now
      if (watched.services() <= wholeLookServices) return Effect.succeed(true)
      return Effect.map(areJumpsThere(watched.programs), (there) => !there)
    })
    return Stream.fromSchedule(Schedule.spaced(lookEvery)).pipe(
      Stream.mapEffect(() => look),
      Stream.filter((isNews) => isNews),
      Stream.map(() => undefined)
    )
  })
