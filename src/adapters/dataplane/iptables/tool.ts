/** Reads and changes of one family's rules. */
import { Effect, Schedule } from "effect"
import type { IpFamily } from "../../../events/service-shape.ts"
import type { Table } from "./context.ts"
import type { Generations } from "./generation.ts"
import type { RestoreInput, RestoreInputs } from "./plan.ts"
import { type Complaint, lockWaitSeconds, type Programs, run } from "./run.ts"
import { readSave, type SavedTable } from "./save.ts"

export interface Failure {
  readonly complaint: Complaint
  readonly input: RestoreInput
  /** How many inputs are in force already. */
  readonly done: number
}

/** Times that it is tried again when the lock is held longer than the programs wait, or the rules changed under them. */
const busyRetries = 2

const ifBusy = <A>(effect: Effect.Effect<A, Complaint>): Effect.Effect<A, Complaint> =>
  Effect.retry(effect, {
    while: ({ error }) => error.reason === "Busy",
    schedule: Schedule.upTo(Schedule.spaced("100 millis"), { times: busyRetries })
  })

export interface Tool {
  readonly family: IpFamily
  readonly read: (table: Table) => Effect.Effect<SavedTable, Complaint>
  /** One after the other, up to the first that fails; undefined: all are in force. */
  readonly restore: (inputs: RestoreInputs) => Effect.Effect<Failure | undefined>
}

export const makeTool = (family: IpFamily, programs: Programs, generations: Generations): Tool => ({
  family,
  read: (table) => Effect.map(ifBusy(run(programs.save, `list the rules of table ${table}`, ["-t", table])), readSave),
  restore: (inputs) =>
    Effect.gen(function* () {
      let done = 0
      for (const input of inputs) {
        const before = generations.current
        const operation = `change the rules of table ${input.table}`
        const args = ["--noflush", "--wait", String(lockWaitSeconds)]
        const complaint = yield* ifBusy(run(programs.restore, operation, args, input.text)).pipe(
          Effect.as(undefined),
          Effect.catch((each) => Effect.succeed(each))
        )
        if (complaint !== undefined) {
          generations.forget(family)
          return { complaint, input, done }
        }
        generations.changed(before)
        done += 1
      }
      return undefined
    })
})
