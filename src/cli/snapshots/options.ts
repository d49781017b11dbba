/** How a command folds a log: with snapshots unless it is told not to, and heard of where it takes long. */
import type { Terminal } from "../terminal.ts"
import type { FoldOptions } from "./fold-at.ts"

/** How often long work says how far it is, milliseconds. */
const progressPeriod = 1000

export const foldOptions = (terminal: Terminal, { snapshots }: { readonly snapshots: boolean }): FoldOptions => {
  let told = terminal.now()
  return {
    snapshots,
    note: terminal.note,
    progress: (events) => {
      if (!terminal.interactive || terminal.now() - told < progressPeriod) return
      told = terminal.now()
      terminal.note(`${events} events folded, and snapshots made: the next look is faster`)
    }
  }
}
