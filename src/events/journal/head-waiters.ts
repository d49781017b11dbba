/** Those who wait for the journal to grow (`awaitBeyond`). */
import { Effect } from "effect"
import type { JournalError, JournalHead } from "./port.ts"

type Resume = (effect: Effect.Effect<JournalHead, JournalError>) => void

export interface HeadWaiters {
  readonly await: (sequence: number, head: () => JournalHead) => Effect.Effect<JournalHead, JournalError>
  readonly wake: (head: JournalHead) => void
  /** From now on waiting fails so. */
  readonly fail: (error: JournalError) => void
}

export const makeHeadWaiters = (): HeadWaiters => {
  const waiting = new Map<Resume, number>()
  let failure: JournalError | undefined
  return {
    await: (sequence, head) =>
      Effect.callback((resume) => {
        if (head().sequence > sequence) return resume(Effect.succeed(head()))
        if (failure !== undefined) return resume(Effect.fail(failure))
        waiting.set(resume, sequence)
        return Effect.sync(() => void waiting.delete(resume))
      }),
    wake: (head) => {
      for (const [resume, sequence] of waiting) {
        if (head.sequence <= sequence) continue
        waiting.delete(resume)
        resume(Effect.succeed(head))
      }
    },
    fail: (error) => {
      failure ??= error
      for (const resume of waiting.keys()) resume(Effect.fail(error))
      waiting.clear()
    }
  }
}
