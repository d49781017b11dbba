/** `chronode why EVENT-ID | pod NS/NAME | container NS/NAME/NAME | service NS/NAME | endpoint IP:PORT` */
import { Effect, Result, Stream } from "effect"
import { type CauseChain, causeChain, evidence, isTrouble, trigger } from "../events/causes.ts"
import type { RecordedEvent } from "../events/envelope.ts"
import type { Execute } from "./command.ts"
import { type EventLog, noEvent } from "./event-log/log.ts"
import { openChainedLog } from "./event-log/open-log.ts"
import { CommandFailed, exitCodes, UsageError } from "./exit.ts"
import { type PodName, parsePodName } from "./filter.ts"
import { actorText, eventLine, sentence } from "./render.ts"
import { oneLine, type Paint, painter } from "./text.ts"
import { formatLength } from "./times.ts"
import type { Question } from "./why/question.ts"
import { type EndpointAddress, parseEndpoint, questionOfService, questionsOfEndpoint } from "./why/service.ts"
import { PodVerdict } from "./why/verdict.ts"

interface WhyFlags {
  readonly from: string
  readonly dataDir: string
  readonly all?: boolean
  readonly output: "text" | "json"
}

/** Steps of a long chain that are printed without `--all`: the latest ones. */
const shownSteps = 30

export const execute: Execute<WhyFlags, [event: string, name: string | undefined]> = async (
  context,
  flags,
  event,
  name
) => {
  const { terminal } = context
  const asked = askedFor(event, name)
  const answers = await Effect.runPromise(
    Effect.scoped(Effect.flatMap(openChainedLog(flags.from, flags.dataDir), (log) => answersTo(log, asked)))
  )
  // An address may stand behind several Services: it is always answered with a list.
  const document = answers.map(asJson)
  if (flags.output === "json")
    terminal.out(`${JSON.stringify(asked._tag === "Endpoint" ? document : document[0], null, 2)}\n`)
  else
    terminal.out(answers.map((answer) => answerText(answer, painter(terminal.colours), flags.all === true)).join("\n"))
  return exitCodes.good
}

export interface Answer extends Question {
  readonly chain: CauseChain
}

const answered = (log: EventLog, question: Question): Effect.Effect<Answer, CommandFailed> =>
  Effect.map(causeChain(question.event, log.find), (chain) => ({ ...question, chain }))

/** Why the event of this id happened. */
export const whyEvent = (log: EventLog, id: string): Effect.Effect<Answer, CommandFailed> =>
  Effect.flatMap(byId(log, id), (question) => answered(log, question))

/** Why the latest restart, kill or failure of a pod or container happened. */
export const whySubject = (log: EventLog, subject: Subject): Effect.Effect<Answer, CommandFailed> =>
  Effect.flatMap(latestOf(log, subject), (question) => answered(log, question))

/** A pod, or one container of it. */
export interface Subject {
  readonly pod: PodName
  readonly container: string | undefined
}

type Asked =
  | { readonly _tag: "Event"; readonly id: string }
  | { readonly _tag: "Pod"; readonly subject: Subject }
  | { readonly _tag: "Service"; readonly service: PodName }
  | { readonly _tag: "Endpoint"; readonly endpoint: EndpointAddress }

const askedFor = (what: string, name: string | undefined): Asked => {
  switch (what) {
    case "pod":
      if (name === undefined) throw new UsageError("why pod: which one? write NAMESPACE/NAME")
      return { _tag: "Pod", subject: { pod: parsePodName(name), container: undefined } }
    case "container": {
      if (name === undefined) throw new UsageError("why container: which one? write NAMESPACE/POD/CONTAINER")
      const [namespace = "", pod = "", container = "", ...rest] = name.split("/")
      if (container === "" || rest.length > 0)
        throw new UsageError(`'${name}' is no container; write NAMESPACE/POD/CONTAINER`)
      return { _tag: "Pod", subject: { pod: parsePodName(`${namespace}/${pod}`), container } }
    }
    case "service":
      if (name === undefined) throw new UsageError("why service: which one? write NAMESPACE/NAME")
      return { _tag: "Service", service: parsePodName(name, "Service") }
    case "endpoint":
      if (name === undefined) throw new UsageError("why endpoint: which one? write IP:PORT")
      return { _tag: "Endpoint", endpoint: parseEndpoint(name) }
  }
  if (name !== undefined) throw new UsageError(`why: unexpected '${name}' after the id of an event`)
  return { _tag: "Event", id: what }
}

const answersTo = (log: EventLog, asked: Asked): Effect.Effect<ReadonlyArray<Answer>, CommandFailed> => {
  switch (asked._tag) {
    case "Event":
      return Effect.map(whyEvent(log, asked.id), (answer) => [answer])
    case "Pod":
      return Effect.map(whySubject(log, asked.subject), (answer) => [answer])
    case "Service":
      return Effect.flatMap(questionOfService(log, asked.service), (question) =>
        Effect.map(answered(log, question), (answer) => [answer])
      )
    case "Endpoint":
      return Effect.flatMap(questionsOfEndpoint(log, asked.endpoint), (questions) =>
        Effect.forEach(questions, (question) => answered(log, question))
      )
  }
}

const subjectText = ({ pod, container }: Subject): string =>
  container === undefined ? `pod ${pod.namespace}/${pod.name}` : `container ${pod.namespace}/${pod.name}/${container}`

const byId = (log: EventLog, id: string): Effect.Effect<Question, CommandFailed> =>
  Effect.flatMap(log.find(id), (event) =>
    event === undefined ? Effect.fail(noEvent(id, log.name)) : Effect.succeed({ event, chosen: undefined })
  )

const isOf = ({ container }: Subject, { actor, event }: RecordedEvent): boolean =>
  actor.kind === "pod" && (container === undefined || ("container" in event && event.container === container))

/** The event behind how it is with a pod or container; else its latest restart, kill or failure; else its latest event. */
const latestOf = (log: EventLog, subject: Subject): Effect.Effect<Question, CommandFailed> =>
  Effect.gen(function* () {
    let latest: RecordedEvent | undefined
    let trouble: RecordedEvent | undefined
    const course = new PodVerdict(subject.container)
    yield* Stream.runForEachArray(log.read({ pod: subject.pod }, false), (lines) =>
      Effect.sync(() => {
        for (const { event } of lines) {
          if (Result.isFailure(event)) continue
          course.apply(event.success)
          if (!isOf(subject, event.success)) continue
          latest = event.success
          if (isTrouble(latest)) trouble = latest
        }
      })
    )
    const text = subjectText(subject)
    if (latest === undefined) {
      const kind = subject.container === undefined ? "pods" : "containers"
      return yield* Effect.fail(
        new CommandFailed(`no events of ${text} in ${log.name}`, `${kind} are listed by: chronode get ${kind}`)
      )
    }
    const { text: answer, about } = course.verdict()
    const restarts = course.restartsText()
    const told = {
      answer: `${text}: ${answer}`,
      ...(restarts === undefined ? {} : { restarts: `${text}: ${restarts}` })
    }
    if (about !== undefined) return { ...told, event: about, chosen: "what that comes from" }
    if (trouble !== undefined)
      return { ...told, event: trouble, chosen: `the latest restart, kill or failure of ${text}` }
    return { ...told, event: latest, chosen: `${text} had no restart, kill or failure; this is its latest event` }
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

/** The answer for people, several lines. */
export const answerText = ({ event, chosen, answer, chain }: Answer, paint: Paint, all: boolean): string => {
  const lines: Array<string> = []
  if (answer !== undefined) lines.push(paint("bold", answer))
  lines.push(answer === undefined ? paint("bold", summary(event, chain)) : summary(event, chain))
  if (chosen !== undefined) lines.push(`(${chosen}; event ${event.id})`)
  lines.push("")
  const shown = all ? chain.steps : chain.steps.slice(-shownSteps)
  if (shown.length < chain.steps.length)
    lines.push(`… ${chain.steps.length - shown.length} earlier steps; --all prints them`)
  else if (chain.missing !== undefined)
    lines.push(`… caused by event ${chain.missing}, which this log does not hold (pruned, or outside the slice)`)
  for (const step of shown) {
    lines.push(eventLine(step, paint))
    const facts = evidence(step).filter(([, text]) => text !== "")
    const width = Math.max(0, ...facts.map(([label]) => label.length))
    for (const [label, text] of facts) lines.push(`    ${paint("dim", label.padEnd(width))}  ${oneLine(text)}`)
  }
  return `${lines.join("\n")}\n`
}

const asJson = ({ event, chosen, answer, restarts, chain }: Answer): unknown => ({
  ...(answer === undefined ? {} : { answer }),
  ...(restarts === undefined ? {} : { restarts }),
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
