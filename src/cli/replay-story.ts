/** `chronode replay FILE` without a mode: the timeline and the state that it led to; with `--verify` its decisions too. */
import { Effect } from "effect"
import { deciders } from "../actors/deciders.ts"
import { type Difference, Redecision } from "../actors/kernel/redecide.ts"
import { columns, type NodeViews, nodeViews, type ViewName } from "./columns.ts"
import { exitCodes, UsageError } from "./exit.ts"
import { type Folded, foldLines, hashOf, remarks, upTo } from "./fold-log.ts"
import { positionText, type Verification } from "./log.ts"
import { momentFlag } from "./moments.ts"
import { openChainedLog } from "./open-log.ts"
import { openPlayback, parsePace } from "./playback.ts"
import type { Execute } from "./program.ts"
import { eventLine } from "./render.ts"
import type { ReplayFlags } from "./replay.ts"
import type { Terminal } from "./terminal.ts"
import { oneLine, painter, table } from "./text.ts"
import { formatLength } from "./times.ts"

/** Differences that are shown; the rest is counted. */
const maxShown = 20

interface Verified {
  readonly chain: Verification
  readonly decisions: number
  readonly differences: ReadonlyArray<Difference>
}

const isTrue = ({ chain, differences }: Verified): boolean => chain.chain !== "broken" && differences.length === 0

export const execute: Execute<ReplayFlags, [file: string]> = async ({ terminal }, flags, file) => {
  const until = momentFlag("--until", flags.until, terminal.now())
  const text = flags.output === "text"
  const pace = parsePace(flags, "max")
  if (pace !== "max" && !text)
    throw new UsageError("--speed and --step show events as they come: leave -o json out, or add --publish")
  const paint = painter(terminal.colours)
  const redecision = new Redecision(deciders)
  let first = ""
  const { folded, verified } = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(file, "")
        const play = yield* openPlayback(pace, terminal.note)
        const folded = yield* foldLines(play(upTo(log, until)), (recorded) => {
          if (first === "") first = recorded.time
          if (flags.verify === true) redecision.apply(recorded)
          if (text) terminal.out(`${eventLine(recorded, paint)}\n`)
          if (pace !== "max") terminal.flush()
        })
        if (flags.verify !== true) return { folded, verified: undefined }
        const chain = yield* log.verify
        const verified: Verified = { chain, differences: redecision.end(), decisions: redecision.decisions }
        return { folded, verified }
      })
    )
  )
  for (const remark of remarks(folded)) terminal.note(remark)
  const views = nodeViews(folded.fold)
  if (text) printState(terminal, folded, views, first)
  else terminal.out(`${JSON.stringify(asJson(folded, views, first, verified), null, 2)}\n`)
  if (verified !== undefined && text) printVerified(terminal, verified)
  if (verified !== undefined && !isTrue(verified)) return exitCodes.verificationFailed
  return folded.unreadable.length === 0 ? exitCodes.good : exitCodes.failed
}

const shown: ReadonlyArray<readonly [name: ViewName, title: string]> = [
  ["node", "Node"],
  ["pods", "Pods"],
  ["containers", "Containers"],
  ["probes", "Probes"],
  ["volumes", "Volumes"]
]

const printState = (terminal: Terminal, { fold }: Folded, views: NodeViews, first: string): void => {
  const paint = painter(terminal.colours)
  const end = Date.parse(fold.lastTime)
  const span = fold.events === 0 ? "" : ` over ${formatLength(end - Date.parse(first))}, to ${fold.lastTime}`
  const unknown = fold.unknown === 0 ? "" : `; ${fold.unknown} of types that this version does not know`
  terminal.out(`\n${paint("bold", `${fold.events} events${span}${unknown}. The state then:`)}\n`)
  for (const [name, title] of shown) {
    const { header, rows } = columns(views, name, end)
    if (rows.length > 0) terminal.out(`\n${paint("bold", title)}\n${table(header, rows)}`)
  }
  terminal.out(`\nstate: ${hashOf(fold)}\n`)
}

const printVerified = (terminal: Terminal, { chain, decisions, differences }: Verified): void => {
  const paint = painter(terminal.colours)
  if (chain.broken !== undefined)
    terminal.out(`\nchain: ${paint("red", "broken")} at ${positionText(chain.broken)}: ${chain.broken.problem}\n`)
  else if (chain.chain === "none") terminal.out("\nchain: this file has none\n")
  else terminal.out(`\nchain: ${paint("green", "whole")}, ${chain.events} events\n`)
  if (differences.length === 0) terminal.out(`decisions: ${decisions} taken again, all the same\n`)
  else terminal.out(`decisions: ${decisions} taken again, ${paint("red", `${differences.length} differ`)}\n`)
  for (const d of differences.slice(0, maxShown)) {
    terminal.out(`  sequence ${d.sequence}, ${d.actor}: ${oneLine(d.message)}\n`)
    terminal.out(`    recorded  ${JSON.stringify(d.recorded)}\n    decided   ${JSON.stringify(d.decided)}\n`)
  }
}

const asJson = ({ fold, unreadable }: Folded, views: NodeViews, first: string, verified: Verified | undefined) => ({
  node: fold.node,
  events: fold.events,
  unknown: fold.unknown,
  unreadable: unreadable.map(({ place }) => place),
  from: first,
  to: fold.lastTime,
  state: views,
  stateHash: hashOf(fold),
  ...(verified === undefined ? {} : { verified: { whole: isTrue(verified), ...verified } })
})
