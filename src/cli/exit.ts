/** Exit codes and the failures of a command. The codes are a contract (README): scripts depend on them. */

export const exitCodes = {
  /** The command did what it was asked. */
  good: 0,
  /** It could not: a file that is missing, a server that does not answer, a check that fails. */
  failed: 1,
  /** It was asked wrongly: an unknown flag, a missing argument, a value out of range. */
  usage: 2,
  /** The log was read and does not hold: its hash chain is broken, or it does not lead to the same decisions. */
  verificationFailed: 3
} as const

/** A command that was given wrongly. `message` names the flag or argument; exit code 2, with a hint to `--help`. */
export class UsageError extends Error {
  readonly _tag = "UsageError"
  override readonly name = "UsageError"
}

/** A command that could not be done. `message` says what failed and on what, `advice` what to do next; exit code 1. */
export class CommandFailed extends Error {
  readonly _tag = "CommandFailed"
  override readonly name = "CommandFailed"
  readonly advice: string | undefined
  constructor(message: string, advice?: string) {
    super(message)
    this.advice = advice
  }
}
