/** How a command folds a log: with snapshots unless it is told not to, and heard of where it takes long. */
import { progressOf } from "../progress.ts"
import type { Terminal } from "../terminal.ts"
import type { FoldOptions } from "./fold-at.ts"

export const foldOptions = (terminal: Terminal, { snapshots }: { readonly snapshots: boolean }): FoldOptions => ({
  snapshots,
  note: terminal.note,
  progress: progressOf(terminal, (events) => `${events} events folded, and snapshots made: the next look is faster`)
})
