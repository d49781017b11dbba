/** `chronode replay FILE --with FILE.yaml`: the recorded course and the one that would have been, side by side. */
import { Effect } from "effect"
import { deciders } from "../../actors/deciders.ts"
import type { ContainerAnswer, ContainerFigures } from "../../actors/what-if/answers.ts"
import type { Course } from "../../actors/what-if/course.ts"
import { UnreadableCommand } from "../../actors/what-if/letters.ts"
import type { CourseEvent } from "../../actors/what-if/modelled-run.ts"
import { type PodOutcome, type WhatIf, WhatIfRun } from "../../actors/what-if/what-if.ts"
import { type NodeEvent, severityOf, tell } from "../../events/catalogue.ts"
import { severities } from "../../events/definition.ts"
import type { Execute } from "../command.ts"
import { beginFold, type Folded, foldLines, remarks, upTo } from "../event-log/fold-log.ts"
import { momentFlag } from "../event-log/moments.ts"
import { openChainedLog } from "../event-log/open-log.ts"
import { CommandFailed, exitCodes, UsageError } from "../exit.ts"
import { actorText } from "../render.ts"
import type { Terminal } from "../terminal.ts"
import { nearest, oneLine, type Paint, painter } from "../text.ts"
import { formatLength, localTime } from "../times.ts"
import type { ReplayFlags } from "./flags.ts"
import { evictionsJson, evictionsText } from "./what-if-evictions.ts"
import { readWhatIfFile, type WhatIfFile } from "./what-if-file.ts"

export const execute: Execute<ReplayFlags, [file: string]> = async ({ terminal }, flags, file) => {
  if (flags.with === undefined) throw new UsageError("--with: which file?")
  if (flags.speed !== undefined || flags.step === true || flags.all === true)
    throw new UsageError("replay: --with shows two courses: --speed, --step and --all go with other modes")
  if ([flags.pod, flags.type, flags.since, flags.filter].some((given) => given !== undefined))
    throw new UsageError(
      "replay: --with takes all decisions again: the what-if file says of which pods; --pod, --type, --since and --filter choose what is told"
    )
  const until = momentFlag("--until", flags.until, terminal.now())
  const asked = readWhatIfFile(flags.with)
  for (const remark of asked.remarks) terminal.note(`chronode: ${remark}`)
  const run = new WhatIfRun(deciders, asked.change)
  const folded = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(file, "")
        const left = ["types", "filter"].filter((name) => log.filter[name] !== undefined)
        if (left.length > 0)
          return yield* Effect.fail(
            new CommandFailed(
              `${file}: leaves out events (it was exported by ${left.join(" and ")}), so decisions cannot be taken again`,
              "export the incident by --pod, --since, --until or --around"
            )
          )
        const fold = yield* beginFold(log)
        const first = yield* log.first
        const { flags: numbers, agent } = log.configuration
        run.begin({
          first: first?.state,
          flags: numbers === undefined ? undefined : new Set(numbers),
          recording: agent?.recording === undefined ? undefined : agent.recording === "inputs" ? "inputs" : "events"
        })
        return yield* foldLines(upTo(log, until), (recorded) => run.apply(recorded), fold)
      })
    )
  )
  for (const remark of remarks(folded)) terminal.note(remark)
  const found = readable(file, () => {
    check(asked, folded, run, file)
    return run.finish()
  })
  if (asked.change.eviction !== undefined && found.eviction === undefined)
    terminal.note(`chronode: ${file} has no decisions of eviction: nothing is known of what the node had left`)
  if (flags.output === "json") terminal.out(`${JSON.stringify(asJson(found), null, 2)}\n`)
  else print(terminal, found)
  return folded.unreadable.length === 0 ? exitCodes.good : exitCodes.failed
}

const readable = <A>(file: string, body: () => A): A => {
  try {
    return body()
  } catch (error) {
    if (!(error instanceof UnreadableCommand)) throw error
    throw new CommandFailed(
      `${file}: the command of ${error.actor} at sequence ${error.sequence} cannot be read: ${oneLine(error.message)}`,
      "the log is of another version: chronode replay --verify says more"
    )
  }
}

// --- what only the log can judge -------------------------------------------------------------------------------------

/** Names in the what-if file that the log does not know. */
const check = ({ named }: WhatIfFile, { fold }: Folded, run: WhatIfRun, file: string): void => {
  const problems: Array<string> = []
  const pods = run.definitions()
  for (const { part, place, containers } of named) {
    const own = pods.filter(
      ({ metadata }) =>
        (part.name === undefined || part.name === metadata.name) &&
        (part.namespace === undefined || part.namespace === metadata.namespace)
    )
    const name = `${part.namespace ?? "*"}/${part.name ?? "*"}`
    if (own.length === 0) {
      const unknown = run.unknown().find((pod) => pod === name)
      const why = unknown === undefined ? "no pod of this name is in" : "its beginning is not in"
      const near = nearest(part.name ?? "", [
        ...new Set([...fold.actors.values()].filter(({ id }) => id.kind === "pod").map(({ id }) => id.name))
      ])
      problems.push(
        `${place}: metadata.name: ${name}: ${why} ${file}${unknown !== undefined || near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`}`
      )
      continue
    }
    const known = new Set(
      own.flatMap(({ spec }) =>
        [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].map((c) => c.name)
      )
    )
    for (const container of containers) {
      if (known.has(container.name) || container.isWhole) continue
      const near = nearest(container.name, [...known])
      problems.push(
        `${container.place}: ${container.field}.name: ${name} has no container '${container.name}'${near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`}`
      )
    }
  }
  if (problems.length > 0) throw new CommandFailed(problems.join("\n"), "nothing was taken again")
}

// --- text ------------------------------------------------------------------------------------------------------------

const clock = (time: string): string => localTime(Date.parse(time)).slice(11)

const print = (terminal: Terminal, found: WhatIf): void => {
  const paint = painter(terminal.colours)
  if (found.eviction !== undefined) terminal.out(`\n${evictionsText(found.eviction, paint)}`)
  for (const outcome of found.pods) printPod(terminal, outcome, found, paint)
  const rest = found.others === 0 ? "" : `; ${found.others} other pods are not concerned`
  terminal.out(`\n${found.pods.length === 1 ? "1 pod" : `${found.pods.length} pods`} taken again${rest}\n`)
}

const printPod = (terminal: Terminal, outcome: PodOutcome, found: WhatIf, paint: Paint): void => {
  const { course, differences, answers, otherwise, assumptions } = outcome
  terminal.out(`\n${paint("bold", `pod ${course.pod.namespace}/${course.pod.name}, if`)}\n`)
  for (const { field, from, to } of differences)
    terminal.out(`  ${field}: ${value(from)} → ${paint("bold", value(to))}\n`)
  if (differences.length === 0) terminal.out("  nothing were otherwise: it is as the change says\n")
  if (course.parted === undefined) {
    terminal.out(`\nNothing would have been otherwise: ${course.common.length} events, every decision the same.\n`)
  } else {
    const { time, sequence, actor, command } = course.parted
    terminal.out(
      `\nThe courses part at ${localTime(Date.parse(time))} (sequence ${sequence}, ${actor}, ${command}).\n\n`
    )
    terminal.out(sideBySide(course, paint, terminal.columns))
    terminal.out("\n")
    for (const sentence of sentences(answers, found.end)) terminal.out(`${paint("bold", sentence)}\n`)
    if (otherwise !== undefined) {
      terminal.out(`If a container that starts at another time ran as the one before it (runs-as-previous):\n`)
      for (const sentence of sentences(otherwise, found.end)) terminal.out(`  ${sentence}\n`)
    }
  }
  terminal.out(`\n${exactness(outcome, found.isWhole)}\n`)
  for (const { name, text, of } of assumptions)
    terminal.out(`  ${paint("yellow", name)}${of.length === 0 ? "" : ` (${of.join(", ")})`}: ${text}\n`)
  if (course.isCutOff) terminal.note(`chronode: the other course led to too many events; it ends early`)
}

const exactness = ({ course, assumptions }: PodOutcome, isWhole: boolean): string => {
  if (assumptions.length === 0) return "This is exact: every input is in the log, and nothing was taken for granted."
  if (course.parted !== undefined && isWhole)
    return "Exact up to the parting: every input is in the log. After it was taken for granted:"
  return "Taken for granted:"
}

const value = (given: unknown): string =>
  given === undefined ? "(not set)" : typeof given === "string" ? oneLine(given) : oneLine(JSON.stringify(given))

/** Rows at most; the rest is counted. */
const maxRows = 60
const narrowest = 36
const widest = 90

interface Row {
  readonly time: string
  readonly left: string
  readonly right: string
}

const isTold = (event: NodeEvent): boolean => severities[severityOf(event)] >= severities.INFO

interface Told {
  readonly time: string
  readonly tag: string
  readonly text: string
}

const toldOf = (events: ReadonlyArray<Pick<CourseEvent, "time" | "event">>): ReadonlyArray<Told> =>
  events
    .filter(({ event }) => isTold(event))
    .map(({ time, event }) => ({ time, tag: event._tag, text: oneLine(tell(event)) }))
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))

/** Rows in order of time; what is told at one time stands side by side where it is of one type. */
const rowsOf = (course: Course): ReadonlyArray<Row> => {
  const left = toldOf(course.recorded)
  const right = toldOf(course.instead)
  const rows: Array<Row> = []
  for (let l = 0, r = 0; l < left.length || r < right.length; ) {
    const a = left[l]
    const b = right[r]
    const time = a === undefined ? b!.time : b === undefined || a.time <= b.time ? a.time : b.time
    const here = (list: ReadonlyArray<Told>, from: number): ReadonlyArray<Told> => {
      let to = from
      while (list[to]?.time === time) to++
      return list.slice(from, to)
    }
    const [lefts, rights] = [here(left, l), here(right, r)]
    rows.push(...aligned(time, lefts, rights))
    l += lefts.length
    r += rights.length
  }
  return rows
}

const aligned = (time: string, left: ReadonlyArray<Told>, right: ReadonlyArray<Told>): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  let r = 0
  for (const { tag, text } of left) {
    const found = right.findIndex((candidate, i) => i >= r && candidate.tag === tag)
    for (; found >= 0 && r < found; r++) rows.push({ time, left: "", right: right[r]!.text })
    rows.push({ time, left: text, right: found < 0 ? "" : right[r++]!.text })
  }
  for (; r < right.length; r++) rows.push({ time, left: "", right: right[r]!.text })
  return rows
}

const cut = (text: string, width: number): string => {
  const characters = [...text]
  return characters.length <= width
    ? text + " ".repeat(width - characters.length)
    : `${characters.slice(0, width - 1).join("")}…`
}

const sideBySide = (course: Course, paint: Paint, columns: number): string => {
  const rows = rowsOf(course)
  const timeWidth = 12
  const width = Math.min(widest, Math.max(narrowest, Math.floor((columns - timeWidth - 7) / 2)))
  const line = (time: string, left: string, right: string): string =>
    `${`${time.padEnd(timeWidth)}  ${cut(left, width)}  │ ${cut(right, width)}`.trimEnd()}\n`
  const shown = rows.slice(0, maxRows)
  return [
    paint("bold", line("", "as it was", "as it would have been")),
    ...shown.map(({ time, left, right }) => line(clock(time), left, right === left ? "(the same)" : right)),
    ...(rows.length > shown.length ? [`… and ${rows.length - shown.length} more rows (-o json has all)\n`] : [])
  ].join("")
}

// --- sentences -------------------------------------------------------------------------------------------------------

const killWords: Readonly<Record<string, string>> = {
  LivenessProbe: "liveness kill",
  StartupProbe: "startup kill",
  PodTerminating: "stop for the pod's end",
  SandboxLost: "stop for its lost sandbox",
  FailedPostStartHook: "stop for its failed postStart hook",
  PodCompleted: "stop since the other containers ended",
  DeadlineExceeded: "stop at the pod's deadline",
  RestartAllContainers: "stop to start all over",
  Preempting: "stop for a pod of higher priority",
  Evicted: "stop for the node's sake"
}

const times = (n: number): string => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`)

const later = (from: string, to: string): string => {
  const difference = Date.parse(to) - Date.parse(from)
  if (difference === 0) return "at the same time"
  return `${formatLength(Math.abs(difference))} ${difference > 0 ? "later" : "earlier"}`
}

/** The answers, told. `end`: of the log, RFC 3339. */
export const sentences = (answers: ReadonlyArray<ContainerAnswer>, end: string): ReadonlyArray<string> => {
  const told = answers.flatMap(({ container, recorded, instead }) => [
    ...killSentences(container, recorded, instead, end),
    ...upSentences(container, recorded, instead, end),
    ...(recorded.restarts === instead.restarts
      ? []
      : [`${container} would have been restarted ${times(instead.restarts)} instead of ${times(recorded.restarts)}.`]),
    ...(formatLength(recorded.notReadyMillis) === formatLength(instead.notReadyMillis)
      ? []
      : [
          `After the parting ${container} would have been not ready for ${formatLength(instead.notReadyMillis)} instead of ${formatLength(recorded.notReadyMillis)}.`
        ])
  ])
  return told.length === 0 ? ["The containers would have fared the same."] : told
}

const killSentences = (
  container: string,
  recorded: ContainerFigures,
  instead: ContainerFigures,
  end: string
): ReadonlyArray<string> => {
  const [was, is] = [recorded.kills[0], instead.kills[0]]
  if (was === undefined && is === undefined) return []
  if (was === undefined)
    return [
      `${container} would have been stopped at ${clock(is!.time)} (${killWords[is!.reason] ?? is!.reason}); in truth it was not.`
    ]
  const what = `The ${killWords[was.reason] ?? was.reason} of ${container} at ${clock(was.time)}`
  if (is === undefined) return [`${what} would not have happened by the end of the log (${clock(end)}).`]
  const word = was.reason === is.reason ? "" : ` as a ${killWords[is.reason] ?? is.reason}`
  const first =
    was.time === is.time
      ? `${what} would have happened all the same${word}.`
      : `${what} would have happened at ${clock(is.time)}${word}, ${later(was.time, is.time)}.`
  const count =
    recorded.kills.length === instead.kills.length
      ? []
      : [`In all it would have been stopped ${times(instead.kills.length)} instead of ${times(recorded.kills.length)}.`]
  return [first, ...count]
}

const upSentences = (
  container: string,
  recorded: ContainerFigures,
  instead: ContainerFigures,
  end: string
): ReadonlyArray<string> => {
  const [was, is] = [recorded.upSince, instead.upSince]
  if (was === is) return []
  if (was === null)
    return [`${container} would have been up at the end of the log, since ${clock(is!)}; in truth it was down.`]
  if (is === null)
    return [
      `${container} would have been down at the end of the log (${clock(end)}); in truth it was up since ${clock(was)}.`
    ]
  return [
    `${container} would have been up for good since ${clock(is)}, ${later(was, is)} than in truth (${clock(was)}).`
  ]
}

// --- JSON ------------------------------------------------------------------------------------------------------------

const eventJson = ({
  id,
  time,
  actor,
  cause,
  event
}: Omit<CourseEvent, "cause"> & { readonly cause: string | undefined }) => ({
  id,
  time,
  actor: actorText(actor),
  ...(cause === undefined ? {} : { cause }),
  event,
  told: tell(event)
})

const asJson = ({ pods, eviction, others, unknown, isWhole, end }: WhatIf) => ({
  recording: isWhole ? "inputs" : "events",
  end,
  ...(eviction === undefined ? {} : { evictions: evictionsJson(eviction) }),
  pods: pods.map(({ course, differences, answers, otherwise, assumptions }) => ({
    pod: `${course.pod.namespace}/${course.pod.name}`,
    differences,
    exact: assumptions.length === 0,
    parted: course.parted ?? null,
    commonEvents: course.common.length,
    recorded: course.recorded.map(eventJson),
    instead: course.instead.map(eventJson),
    cutOff: course.isCutOff,
    answers,
    told: course.parted === undefined ? [] : sentences(answers, end),
    ...(otherwise === undefined ? {} : { otherwise: { assuming: "runs-as-previous", answers: otherwise } }),
    assumptions
  })),
  otherPods: others,
  unknownPods: unknown
})
