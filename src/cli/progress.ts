/** Progress of long work on stderr: where a person watches it, and not more often than they can read. */
import type { Terminal } from "./terminal.ts"

/** Milliseconds between two lines. */
const period = 1000

/** Tells how far it is, now and then. @param text of the line, e.g. of a number of events */
export const progressOf = (terminal: Terminal, text: (done: number) => string): ((done: number) => void) => {
  let told = terminal.now()
  return (done) => {
    if (!terminal.interactive || terminal.now() - told < period) return
    told = terminal.now()
    terminal.note(text(done))
  }
}
