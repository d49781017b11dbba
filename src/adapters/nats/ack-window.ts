/**
 * Book-keeping of publish acknowledgements: which messages of which window the server has answered for, and what that
 * means together. Pure but for the callback that tells the outcome.
 */
import { type Settled, StreamError } from "./port.ts"

export type Outcome = { readonly settled: Settled } | { readonly error: StreamError }

export type Answer =
  | { readonly _tag: "Stored"; readonly sequence: number; readonly duplicate: boolean }
  | { readonly _tag: "Refused"; readonly error: StreamError }

interface Window {
  readonly server: string
  readonly first: number
  readonly after: number
  readonly answers: Array<Answer | undefined>
  missing: number
  readonly done: (outcome: Outcome) => void
}

const judge = (window: Window): Outcome => {
  const { after, answers } = window
  let stored = 0
  for (; stored < answers.length; stored++) {
    const answer = answers[stored]
    if (answer?._tag !== "Stored" || answer.sequence !== after + stored + 1) break
  }
  let known = stored
  // "Duplicate" at another place: the stream has had this event before; its place here stayed empty.
  for (; known < answers.length; known++) {
    const answer = answers[known]
    if (answer?._tag !== "Stored" || !answer.duplicate) break
  }
  const refused = answers[known]
  if (known === answers.length || known > stored) return { settled: { messages: known, lastSequence: after + stored } }
  if (refused?._tag === "Refused") return { error: refused.error }
  const message = "the server stored a message elsewhere than expected (it ignores Nats-Expected-Last-Sequence)"
  return { error: new StreamError({ reason: "Protocol", server: window.server, message }) }
}

export interface AckWindows {
  /** A new window of `count` messages; answers the number of its first message, which count up over all windows. */
  readonly open: (count: number, after: number, done: (outcome: Outcome) => void) => number
  readonly answer: (number: number, answer: Answer) => void
  /** Fails every open window. */
  readonly abort: (error: StreamError) => void
  readonly pending: () => number
}

/** `server`: named in errors. */
export const makeAckWindows = (server: string): AckWindows => {
  let next = 0
  let open: Array<Window> = []
  return {
    open: (count, after, done) => {
      const first = next
      next += count
      open.push({
        server,
        first,
        after,
        answers: new Array<Answer | undefined>(count).fill(undefined),
        missing: count,
        done
      })
      return first
    },
    answer: (number, answer) => {
      const window = open.find((w) => number >= w.first && number < w.first + w.answers.length)
      if (window === undefined || window.answers[number - window.first] !== undefined) return
      window.answers[number - window.first] = answer
      if (--window.missing > 0) return
      open = open.filter((w) => w !== window)
      window.done(judge(window))
    },
    abort: (error) => {
      const failed = open
      open = []
      for (const window of failed) window.done({ error })
    },
    pending: () => open.reduce((sum, window) => sum + window.missing, 0)
  }
}
