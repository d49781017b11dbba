/** `chronode verify --journal | FILE` */
import { Effect } from "effect"
import { exitCodes } from "./exit.ts"
import { positionText } from "./log.ts"
import { fileOrJournal, openChainedLog } from "./open-log.ts"
import type { Execute } from "./program.ts"
import { painter } from "./text.ts"

interface VerifyFlags {
  readonly journal?: boolean
  readonly dataDir: string
  readonly output: "text" | "json"
}

export const execute: Execute<VerifyFlags, [file: string | undefined]> = async ({ terminal }, flags, file) => {
  const from = fileOrJournal("verify", file, flags.journal)
  const { name, report } = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(from, flags.dataDir)
        return { name: log.name, report: yield* log.verify }
      })
    )
  )
  const { broken, chain, events, firstSequence, lastSequence, headHash } = report
  if (flags.output === "json") {
    terminal.out(`${JSON.stringify({ whole: chain === "whole", ...report }, null, 2)}\n`)
  } else {
    const paint = painter(terminal.colours)
    const span =
      events === 0 ? "no events" : `${events} events, sequences ${firstSequence} to ${lastSequence}, head ${headHash}`
    if (broken !== undefined)
      terminal.out(`${paint("red", "broken")}: ${name}: at ${positionText(broken)}: ${broken.problem}\n`)
    else if (chain === "none") terminal.out(`${name} has no hash chain: nothing can be said of it\n`)
    else terminal.out(`${paint("green", "whole")}: ${name}: ${span}\n`)
  }
  return chain === "whole" ? exitCodes.good : chain === "none" ? exitCodes.failed : exitCodes.verificationFailed
}
