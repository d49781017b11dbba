/** The command line within this process, for tests that give it neighbours of their own. */
import type { Neighbours } from "../../src/cli/neighbours.ts"
import { main } from "../../src/cli/program.ts"
import type { Terminal } from "../../src/cli/terminal.ts"

/** What `now` is. */
export const now = Date.UTC(2026, 0, 16)

/** Runs `words` and answers the exit code and what was written. A neighbour that is not given must not be asked for. */
export const runMain = async (words: ReadonlyArray<string>, neighbours: Partial<Neighbours>) => {
  let out = ""
  let err = ""
  const terminal: Terminal = {
    out: (text) => {
      out += text
    },
    note: (line) => {
      err += `${line}\n`
    },
    flush: () => {},
    bytes: () => {},
    noteBytes: () => {},
    colours: false,
    interactive: false,
    columns: 120,
    now: () => now
  }
  const code = await main(words, { terminal, neighbours: { runtimeName: "test", ...neighbours } as Neighbours })
  return { code, out, err }
}
