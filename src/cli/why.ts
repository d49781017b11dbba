/** `chronode why EVENT-ID | pod NS/NAME` */
import { Effect, Result, Stream } from "effect"
import { type CauseChain, causeChain, evidence, isTrouble, trigger } from "../events/causes.ts"
import type { RecordedEvent } from "../events/envelope.ts"
import { CommandFailed, exitCodes, UsageError } from "./exit.ts"
import { type PodName, parsePodName } from "./filter.ts"
import type { EventLog } from "./log.ts"
import { openChainedLog } from "./open-log.ts"
import type { Execute } from "./program.ts"
import { actorText, eventLine, sentence } from "./render.ts"
import type { Terminal } from "./terminal.ts"
import { oneLine, type Paint, painter } from "./text.ts"
import { formatLength } from "./times.ts"

interface WhyFlags {
  readonly from: string
  readonly dataDir: string
  readonly all?: boolean
  readonly output: "text" | "json"
}

/** Steps of a long chain that are printed without `--all`: the latest ones. */
const shownSteps = 30

/** What one asks about, and how it was found. */
interface Question {
  readonly event: RecordedEvent
  readonly chosen: string | undefined
}

export const execute: Execute<WhyFlags, [event: string, pod: string | undefined]> = async (
  context,
  flags,
  event,
  pod
) => {
  const { terminal } = context
  if (event === "pod" && pod === undefined) throw new UsageError("why pod: which one? write NAMESPACE/NAME")
  if (event !== "pod" && pod !== undefined) throw new UsageError(`why: unexpected '${pod}' after the id of an event`)
  const name = event === "pod" ? parsePodName(pod as string) : undefined
  const answer = Effect.gen(function* () {
    const log = yield* openChainedLog(flags.from, flags.dataDir)
    const question = name === undefined ? yield* byId(log, event) : yield* latestOfPod(log, name)
    const chain = yield* causeChain(question.event, log.find)
    if (flags.output === "json") terminal.out(`${JSON.stringify(asJson(question, chain), null, 2)}\n`)
    else print(terminal, question, chain, flags.all === true)
  })
  await Effect.runPromise(Effect.scoped(answer))
  return exitCodes.good
}

const byId = (log: EventLog, id: string): Effect.Effect<Question, CommandFailed> =>
  Effect.flatMap(log.find(id), (event) =>
    event === undefined
      ? Effect.fail(
          new CommandFailed(`no event ${id} in ${log.name}`, "ids are in the output of: chronode events -o json")
        )
      : Effect.succeed({ event, chosen: undefined })
  )

/** The pod's latest restart, kill or failure; where it had none, its latest event. */
const latestOfPod = (log: EventLog, pod: PodName): Effect.Effect<Question, CommandFailed> =>
  Effect.gen(function* () {
    let latest: RecordedEvent | undefined
    let trouble: RecordedEvent | undefined
    yield* Stream.runForEachArray(log.read({ pod }, false), (lines) =>
      Effect.sync(() => {
        for (const { event } of lines) {
          if (Result.isFailure(event) || event.success.actor.kind !== "pod") continue
          latest = event.success
          if (isTrouble(latest)) trouble = latest
        }
      })
    )
    const name = `${pod.namespace}/${pod.name}`
    if (trouble !== undefined) return { event: trouble, chosen: `the latest restart, kill or failure of pod ${name}` }
    if (latest !== undefined)
      return { event: latest, chosen: `pod ${name} had no restart, kill or failure; this is its latest event` }
    return yield* Effect.fail(
      new CommandFailed(`no events of pod ${name} in ${log.name}`, "pods are listed by: chronode get pods")
    )
  })

const secondsBetween = (from: RecordedEvent, to: RecordedEvent): number => Date.parse(to.time) - Date.parse(from.time)

/** One sentence: what happened, and what set it off. */
export const summary = (event: RecordedEvent, chain: CauseChain): string => {
  const what = `${actorText(event.actor)}: ${sentence(event)}`
  const first = trigger(chain.steps)
  if (first === undefined)
    return `${what}. ${chain.missing === undefined ? "Nothing caused it: it came from outside" : "Its cause is not in this log"}.`
  const before = secondsBetween(first, event)
  return `${what}. It was set off ${before <= 0 ? "at the same time" : `${formatLength(before)} before`} by ${actorText(first.actor)}: ${sentence(first)}.`
}

const print = (terminal: Terminal, { event, chosen }: Question, chain: CauseChain, all: boolean): void => {
  const paint: Paint = painter(terminal.colours)
  terminal.out(`${paint("bold", summary(event, chain))}\n`)
  if (chosen !== undefined) terminal.out(`(${chosen}; event ${event.id})\n`)
  terminal.out("\n")
  const shown = all ? chain.steps : chain.steps.slice(-shownSteps)
  if (shown.length < chain.steps.length)
    terminal.out(`… ${chain.steps.length - shown.length} earlier steps; --all prints them\n`)
  else if (chain.missing !== undefined)
    terminal.out(`… caused by event ${chain.missing}, which this log does not hold (pruned, or outside the slice)\n`)
  for (const step of shown) {
    terminal.out(`${eventLine(step, paint)}\n`)
    const facts = evidence(step).filter(([, text]) => text !== "")
    const width = Math.max(0, ...facts.map(([label]) => label.length))
    for (const [label, text] of facts) terminal.out(`    ${paint("dim", label.padEnd(width))}  ${oneLine(text)}\n`)
  }
}

const asJson = ({ event, chosen }: Question, chain: CauseChain): unknown => ({
  summary: summary(event, chain),
  event: event.id,
  ...(chosen === undefined ? {} : { chosen }),
  trigger: trigger(chain.steps)?.id,
  ...(chain.missing === undefined ? {} : { missing: chain.missing }),
  steps: chain.steps.map((step) => ({
    id: step.id,
    time: step.time,
    actor: actorText(step.actor),
    type: step.event._tag === "Unknown" ? step.event.type : step.event._tag,
    severity: step.severity,
    sequence: step.sequence,
    sentence: sentence(step),
    evidence: Object.fromEntries(evidence(step))
  }))
})
