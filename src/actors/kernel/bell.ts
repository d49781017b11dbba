/** How one part of a node wakes another that waits: several rings before an answer count as one, and the last one's word is kept. */
import { Effect, Queue } from "effect"

export interface Bell<Word = void> {
  readonly ring: (word: Word) => Effect.Effect<void>
  /** Answers after the next ring, at once where there was one since the last answer. */
  readonly rung: Effect.Effect<Word>
}

export const makeBell = <Word = void>(): Effect.Effect<Bell<Word>> =>
  Effect.map(Queue.sliding<Word>(1), (queue) => ({
    ring: (word) => Effect.asVoid(Queue.offer(queue, word)),
    rung: Queue.take(queue)
  }))
