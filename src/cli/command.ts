/** What a command is to the program: a function of a file of its own, and what that function is given. */
import type { Neighbours } from "./neighbours.ts"
import type { Terminal } from "./terminal.ts"

/** What the file of a command exports as `execute`: answers the exit code. */
export type Execute<Flags, Arguments extends ReadonlyArray<unknown>> = (
  context: Context,
  flags: Flags,
  ...parameters: Arguments
) => Promise<number>

/** What every command is given: where it writes, and the live code that it may ask for. */
export interface Context {
  readonly terminal: Terminal
  readonly neighbours: Neighbours
}
