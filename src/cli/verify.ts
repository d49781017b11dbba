/** `chronode verify --journal | FILE`: is its chain whole, and is it the chain whose head is known? */
import { Effect } from "effect"
import type { Proof } from "../events/journal/head-proof.ts"
import type { Execute } from "./command.ts"
import { headFlag } from "./event-log/head-flags.ts"
import { positionText, type Verification } from "./event-log/log.ts"
import { fileOrJournal, openChainedLog } from "./event-log/open-log.ts"
import { proveLog } from "./event-log/prove-log.ts"
import { exitCodes } from "./exit.ts"
import type { NatsConnectionFlags } from "./nats-flags.ts"
import type { Terminal } from "./terminal.ts"
import { painter } from "./text.ts"

interface VerifyFlags extends NatsConnectionFlags {
  readonly journal?: boolean
  readonly head?: ReadonlyArray<string>
  readonly headFrom?: string
  readonly dataDir: string
  readonly output: "text" | "json"
}

interface Verified {
  readonly name: string
  readonly report: Verification
  /** Only where heads were given, and the chain is whole. */
  readonly proof: Proof | undefined
  /** Of a journal: its newest events that are not in the stream yet. */
  readonly unpublished: number
}

export const execute: Execute<VerifyFlags, [file: string | undefined]> = async (
  { neighbours, terminal },
  flags,
  file
) => {
  const from = fileOrJournal("verify", file, flags.journal)
  const heads = { given: (flags.head ?? []).map(headFlag), from: flags.headFrom }
  const hasHeads = heads.given.length > 0 || heads.from !== undefined
  const verified = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(from, flags.dataDir)
        const report = yield* log.verify
        const proof =
          hasHeads && report.chain === "whole"
            ? yield* proveLog(log, heads, neighbours, flags, terminal.note)
            : undefined
        const isLive = flags.journal === true && heads.from === "nats"
        return { name: log.name, report, ...(isLive ? withoutTail(proof, report) : { proof, unpublished: 0 }) }
      })
    )
  )
  if (flags.output === "json") {
    const { proof, report, unpublished } = verified
    const whole = report.chain === "whole"
    const said = {
      whole,
      ...report,
      ...(proof === undefined ? {} : { proof: { holds: isProven(proof), ...proof, unpublished } })
    }
    terminal.out(`${JSON.stringify(said, null, 2)}\n`)
  } else print(terminal, verified)
  return exitCodeOf(verified)
}

/** What a journal wrote last is on its way to the stream, for a moment or for as long as NATS is away: no fault of it. */
const withoutTail = (
  proof: Proof | undefined,
  { lastSequence }: Verification
): Pick<Verified, "proof" | "unpublished"> => {
  const [tail, ...others] = proof?.unproven ?? []
  const isTail = tail !== undefined && others.length === 0 && tail.last >= lastSequence
  if (proof === undefined || proof.broken !== undefined || proof.proven === 0 || !isTail)
    return { proof, unpublished: 0 }
  return { proof: { ...proof, unproven: [] }, unpublished: tail.last - tail.first + 1 }
}

const isProven = ({ broken, unproven }: Proof): boolean => broken === undefined && unproven.length === 0

const exitCodeOf = ({ proof, report }: Verified): number => {
  if (report.chain === "none") return exitCodes.failed
  const holds = report.chain === "whole" && (proof === undefined || isProven(proof))
  return holds ? exitCodes.good : exitCodes.verificationFailed
}

const print = (terminal: Terminal, { name, proof, report, unpublished }: Verified): void => {
  const { broken, chain, events, firstSequence, lastSequence, headHash } = report
  const paint = painter(terminal.colours)
  const span =
    events === 0 ? "no events" : `${events} events, sequences ${firstSequence} to ${lastSequence}, head ${headHash}`
  if (broken !== undefined)
    terminal.out(`${paint("red", "broken")}: ${name}: at ${positionText(broken)}: ${broken.problem}\n`)
  else if (chain === "none") terminal.out(`${name} has no hash chain: nothing can be said of it\n`)
  else terminal.out(`${paint("green", "whole")}: ${name}: ${span}\n`)
  if (proof !== undefined) printProof(terminal, proof, unpublished)
}

const printProof = (terminal: Terminal, proof: Proof, unpublished: number): void => {
  const paint = painter(terminal.colours)
  const { broken, events, proven, unproven } = proof
  if (broken !== undefined) {
    const place = broken.sequence === undefined ? "" : `at sequence ${broken.sequence}: `
    terminal.out(`${paint("red", "not the log of that chain")}: ${place}${broken.problem}\n`)
  } else if (unpublished > 0)
    terminal.out(
      `${paint("green", "proven")}: ${proven} events belong to the chain; ${unpublished} are not published yet\n`
    )
  else if (isProven(proof)) terminal.out(`${paint("green", "proven")}: all ${events} events belong to the chain\n`)
  else {
    const ranges = unproven.map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`)).join(", ")
    terminal.out(
      `${paint("red", "not proven")}: ${events - proven} of ${events} events, sequences ${ranges}: no known head stands behind them\n`
    )
    terminal.note("  a head proves what is before it without a gap; --head-from nats has one behind each event")
  }
}
