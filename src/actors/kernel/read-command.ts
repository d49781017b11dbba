/** Recorded commands read back by the deciders' own schemas, each compiled once. */
import { Result } from "effect"
import { makeDecoder } from "../../events/decoder.ts"
import type { Command } from "./behavior.ts"
import type { AnyDecider } from "./fold.ts"

export interface UnreadText {
  /** Why it is no command of today's, on one line. */
  readonly problem: string
  /** The text as JSON; undefined: it is none. */
  readonly json: unknown
}

/** @returns what reads a command's JSON text for a decider */
export const makeCommandReader = (): ((decider: AnyDecider, text: string) => Result.Result<Command, UnreadText>) => {
  const readers = new Map<AnyDecider, ReturnType<typeof makeDecoder>>()
  return (decider, text) => {
    let read = readers.get(decider)
    if (read === undefined) {
      read = makeDecoder(decider.command as never)
      readers.set(decider, read)
    }
    let json: unknown
    try {
      json = JSON.parse(text)
      const result = read(json)
      if (Result.isSuccess(result)) return Result.succeed(result.success as Command)
      return Result.fail({ problem: String(result.failure).replaceAll("\n", " "), json })
    } catch (error) {
      return Result.fail({ problem: error instanceof Error ? error.message : String(error), json })
    }
  }
}
