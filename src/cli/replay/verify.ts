/**
 * `chronode replay FILE --verify`: takes every recorded decision again with today's deciders, and checks the file's chain
 * beside it. Ends at the first difference, and prints both sides of it.
 */

import { Effect, Fiber } from "effect"
import { deciders } from "../../actors/deciders.ts"
import { adviceOn, type Difference } from "../../actors/kernel/difference.ts"
import { flagsText, unknownFlags } from "../../actors/kernel/flags.ts"
import { Redecision } from "../../actors/kernel/redecide.ts"
import type { Execute } from "../command.ts"
import { fieldDifferences } from "../differences.ts"
import { beginFold, hashOf, upTo } from "../event-log/fold-log.ts"
import { openIncidentLog } from "../event-log/incident-log.ts"
import { positionText, unreadableText, type Verification } from "../event-log/log.ts"
import { momentFlag } from "../event-log/moments.ts"
import { type Redecided, redecideLines } from "../event-log/redecide-log.ts"
import { sliceText } from "../event-log/slice-text.ts"
import { exitCodes, UsageError } from "../exit.ts"
import { progressOf } from "../progress.ts"
import type { Terminal } from "../terminal.ts"
import { oneLine, type Paint, painter, table } from "../text.ts"
import { version } from "../version.ts"
import type { ReplayFlags } from "./flags.ts"

/** Differences that are printed with `--all`; the rest is counted. */
const maxShown = 100
/** Characters of a value in the table of fields; both sides follow whole. */
const valueWidth = 60

interface Verified extends Redecided {
  readonly chain: Verification
  readonly redecision: Redecision
  /** What of a slice can be decided again. */
  readonly slice: string | undefined
}

export const execute: Execute<ReplayFlags, [file: string]> = async ({ terminal }, flags, file) => {
  if (flags.verify !== true) throw new UsageError("replay: --all goes with --verify")
  if (flags.speed !== undefined || flags.step === true)
    throw new UsageError("replay: --speed and --step show events, and --verify shows none: run it once for each")
  if ([flags.pod, flags.type, flags.since, flags.filter].some((given) => given !== undefined))
    throw new UsageError(
      "replay: --verify takes all decisions again: --pod, --type, --since and --filter choose what is told"
    )
  const until = momentFlag("--until", flags.until, terminal.now())
  const progress = progressOf(terminal, (events) => `${events} events decided again`)
  const verified: Verified = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openIncidentLog(file, { checkChain: false })
        const chain = yield* Effect.forkChild(log.verify)
        const { flags: known } = log.configuration
        const redecision = new Redecision(deciders, {
          isCut: until !== undefined || log.isSlice,
          fold: yield* beginFold(log),
          ...(known === undefined || unknownFlags(known).length > 0 ? {} : { flags: new Set(known) })
        })
        const redecided = yield* redecideLines(upTo(log, until), redecision, { all: flags.all === true, progress })
        return { ...redecided, redecision, slice: sliceText(log.filter), chain: yield* Fiber.join(chain) }
      })
    )
  )
  for (const line of verified.unreadable) terminal.note(`chronode: ${unreadableText(line)}`)
  if (flags.output === "json") terminal.out(`${JSON.stringify(asJson(verified), null, 2)}\n`)
  else print(terminal, verified)
  if (!isTrue(verified)) return exitCodes.verificationFailed
  return verified.unreadable.length === 0 ? exitCodes.good : exitCodes.failed
}

const isTrue = ({ chain, redecision }: Verified): boolean => chain.chain !== "broken" && redecision.found === 0

const print = (terminal: Terminal, { chain, redecision, slice, stopped }: Verified): void => {
  const paint = painter(terminal.colours)
  const { decisions, differences, fold, found, skipped } = redecision
  if (!stopped) terminal.out(`state: ${hashOf(fold)}\n\n`)
  if (chain.broken !== undefined)
    terminal.out(`chain: ${paint("red", "broken")} at ${positionText(chain.broken)}: ${chain.broken.problem}\n`)
  else if (chain.chain === "none") terminal.out("chain: this file has none\n")
  else terminal.out(`chain: ${paint("green", "whole")}, ${chain.events} events\n`)
  if (slice !== undefined) terminal.out(`slice: ${slice}\n`)
  const left =
    skipped === 0 ? "" : `; ${skipped} not taken again, for what was before them is not in the file or cannot be read`
  const where = stopped ? `up to sequence ${fold.lastSequence}, where the first one differs; --all goes on` : ""
  if (found === 0) terminal.out(`decisions: ${decisions} taken again, all the same${left}\n`)
  else if (stopped) terminal.out(`decisions: ${decisions} taken again ${where}${left}\n`)
  else terminal.out(`decisions: ${decisions} taken again, ${paint("red", `${found} differences`)}${left}\n`)
  for (const difference of differences.slice(0, stopped ? 1 : maxShown)) {
    terminal.out(`\n${differenceText(difference, paint)}`)
  }
  if (!stopped && found > maxShown) terminal.out(`\n… ${found - maxShown} more\n`)
}

const titles = {
  DeterminismViolation: "DETERMINISM VIOLATION",
  IncompatibleHistory: "INCOMPATIBLE HISTORY"
} as const

const sideText = (value: unknown): string => (value === undefined ? "nothing" : oneLine(JSON.stringify(value)))

const cellText = (value: unknown): string => {
  const text = value === undefined ? "-" : JSON.stringify(value)
  return text.length > valueWidth ? `${text.slice(0, valueWidth - 1)}…` : text
}

/** The fields in which both sides of a decision differ. */
const fieldsOf = (difference: Difference) =>
  difference._tag === "DeterminismViolation" && difference.recorded !== undefined && difference.decided !== undefined
    ? fieldDifferences("", difference.recorded, difference.decided)
    : []

const decidedWith = (difference: Difference): string => {
  const { command, flags, recordedBy } = difference
  const what = command === undefined ? "" : `command ${command}; `
  return `${what}recorded by ${recordedBy === undefined ? "an unknown version" : `chronode ${recordedBy}`} with flags ${flagsText(flags)}, read by chronode ${version}`
}

/** Several lines for people: which, where, both sides, what to do. */
export const differenceText = (difference: Difference, paint: Paint): string => {
  const { actor, id, sequence, time } = difference
  const isViolation = difference._tag === "DeterminismViolation"
  const of = actor === "" ? "" : ` of ${actor}`
  const lines = [
    `${paint("red", titles[difference._tag])} at sequence ${sequence}${of}: ${oneLine(difference.message)}`,
    `  event ${id}${time === "" ? "" : `, ${time}`}`,
    `  ${decidedWith(difference)}`
  ]
  const fields = fieldsOf(difference)
  if (fields.length > 0) {
    const rows = fields.map(({ field, a, b }) => [field, cellText(a), cellText(b)])
    lines.push(
      ...table(["FIELD", "RECORDED", "DECIDED"], rows)
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`)
    )
  }
  if (isViolation || difference.recorded !== undefined) lines.push(`  recorded  ${sideText(difference.recorded)}`)
  if (isViolation) lines.push(`  decided   ${sideText(difference.decided)}`)
  return `${[...lines, `  ${adviceOn(difference)}`].join("\n")}\n`
}

const differenceJson = (difference: Difference) => {
  const { _tag: kind, sequence, id, time, actor, command, recordedBy, flags, message, recorded } = difference
  const sides =
    difference._tag === "DeterminismViolation"
      ? {
          position: difference.position,
          fields: fieldsOf(difference).map(({ field, a, b }) => ({ field, recorded: a, decided: b })),
          recorded,
          decided: difference.decided
        }
      : { what: difference.what, recorded }
  return {
    kind,
    sequence,
    id,
    time,
    actor,
    command,
    recordedBy,
    flags,
    message,
    ...sides,
    advice: adviceOn(difference)
  }
}

const asJson = (verified: Verified) => {
  const { chain, redecision, slice, stopped, unreadable } = verified
  const { decisions, differences, fold, found, skipped } = redecision
  return {
    whole: isTrue(verified),
    node: fold.node,
    events: fold.events,
    to: fold.lastTime,
    unknown: fold.unknown,
    unreadable: unreadable.map(({ place }) => place),
    // Up to a difference it would be the state of a part.
    ...(stopped ? {} : { stateHash: hashOf(fold) }),
    chain,
    ...(slice === undefined ? {} : { slice }),
    decisions,
    skipped,
    stopped,
    found,
    differences: differences.slice(0, stopped ? 1 : maxShown).map(differenceJson)
  }
}
