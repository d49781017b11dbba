/** Work in steps (sqlite-log.ts `Task`) as streams and effects, wherever the steps are made. */
import { Effect, Option, Stream } from "effect"
import type { JournalError } from "./port.ts"
import type { Calls, TaskValue } from "./sqlite-protocol.ts"

type What = Calls["begin"][0]

export interface Tasks {
  readonly begin: (what: What) => Effect.Effect<number, JournalError>
  readonly step: (task: number) => Effect.Effect<{ readonly done: boolean; readonly value: TaskValue }, JournalError>
  readonly drop: (task: number) => Effect.Effect<void>
}

const begun = (tasks: Tasks, what: What) => Effect.acquireRelease(tasks.begin(what), tasks.drop)

/** The rows of a read, step by step: the next step is made when the rows of the one before are taken. */
export const taskStream = <Row>(tasks: Tasks, what: What): Stream.Stream<Row, JournalError> =>
  Stream.unwrap(
    Effect.map(begun(tasks, what), (task) =>
      Stream.paginate(task, (number) =>
        Effect.map(tasks.step(number), ({ done, value }) => [
          value as unknown as ReadonlyArray<Row>,
          done ? Option.none<number>() : Option.some(number)
        ])
      )
    )
  )

/** All steps, and what the last one answers. */
export const taskResult = <A>(tasks: Tasks, what: What): Effect.Effect<A, JournalError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const task = yield* begun(tasks, what)
      while (true) {
        const { done, value } = yield* tasks.step(task)
        if (done) return value as unknown as A
      }
    })
  )
