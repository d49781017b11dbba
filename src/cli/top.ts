/** `chronode top`: what a node does, as a table that lives; of a file or of an earlier time, one that can be stepped through. */
import process from "node:process"
import { Effect } from "effect"
import type { Context, Execute } from "./command.ts"
import { momentFlag } from "./event-log/moments.ts"
import { openLog, type SourceFlags } from "./event-log/open-log.ts"
import { CommandFailed, exitCodes } from "./exit.ts"
import type { Condition } from "./filter/expression.ts"
import { podText } from "./filter/pods.ts"
import { type FilterFlags, filterRemarks, parseFilter, parsePodName } from "./filter.ts"
import { untilInterrupted } from "./signals.ts"
import { painter } from "./text.ts"
import { Choice } from "./top/choice.ts"
import { ChosenEvents } from "./top/chosen-events.ts"
import { onceDocument, onceText } from "./top/once.ts"
import { NodeChoice } from "./top/session.ts"
import { watch } from "./top/watch.ts"
import { loadWindow, pictureBefore, type Window } from "./top/window.ts"
import { askUsage, noUsage, type Usage } from "./usage.ts"

interface TopFlags extends SourceFlags, Pick<FilterFlags, "pod" | "type" | "filter"> {
  readonly at?: string
  readonly once?: boolean
  readonly output: "text" | "json"
}

/** The flags as one expression: it is shown in the table, and can be changed there. */
const conditionOf = async ({ pod, type, filter }: TopFlags, now: number): Promise<Condition | undefined> => {
  const { types } = await parseFilter(type === undefined ? {} : { type }, now)
  const conditions = [
    ...(pod === undefined ? [] : [`pod == ${JSON.stringify(podText(parsePodName(pod)))}`]),
    ...(types === undefined ? [] : [`type in ${JSON.stringify([...types])}`]),
    ...(filter === undefined ? [] : [pod === undefined && types === undefined ? filter : `(${filter})`])
  ]
  if (conditions.length === 0) return undefined
  // A wrong expression is told as it was written, not as a part of the whole.
  if (filter !== undefined) await parseFilter({ filter }, now)
  return (await parseFilter({ filter: conditions.join(" && ") }, now)).condition
}

const isFile = ({ from }: TopFlags): boolean => from !== undefined && from !== "journal" && from !== "nats"

/** Only the agent whose journal it is is asked what is used. */
const isOwnNode = (log: string, { nodeName }: TopFlags): boolean =>
  nodeName === undefined && log.startsWith("the journal ")

export const execute: Execute<TopFlags, []> = async (context, flags) => {
  const { terminal } = context
  const at = momentFlag("--at", flags.at, terminal.now())
  const condition = await conditionOf(flags, terminal.now())
  const choice = condition === undefined ? Choice.all() : Choice.of(condition)
  const isScreen =
    flags.once !== true && flags.output === "text" && process.stdin.isTTY === true && process.stdout.isTTY === true
  const isLive = !isFile(flags) && at === undefined
  const showing = Effect.gen(function* () {
    const log = yield* openLog(context, flags)
    const nodes = new NodeChoice(flags.nodeName)
    const window = isScreen && isLive ? undefined : yield* loadWindow(log, at, (recorded) => nodes.takes(recorded))
    if (window !== undefined && window.position === 0)
      return yield* Effect.fail(
        new CommandFailed(`${log.name} holds no events${at === undefined ? "" : " up to then"}`)
      )
    if (isScreen) {
      const before = yield* pictureBefore(log)
      const isChained = "verify" in log
      const usage = isOwnNode(log.name, flags) ? { usage: askUsage(flags.dataDir) } : {}
      return yield* watch({ log, isChained, before, node: nodes.node, window, choice, ...usage }, terminal)
    }
    if (window === undefined) return
    const { size } = nodes.others
    if (size > 0)
      terminal.note(
        `chronode: events of ${size} other ${size === 1 ? "node" : "nodes"} are left out; --node-name names the one to show`
      )
    const lag = isLive && log.published !== undefined ? yield* log.published : undefined
    const usage = isLive && isOwnNode(log.name, flags) ? yield* askUsage(flags.dataDir) : noUsage
    print(context, flags, {
      log: log.name,
      usage,
      published: lag,
      others: nodes.others.size,
      ...window,
      choice,
      isLive
    })
  })
  await untilInterrupted(Effect.scoped(showing), isScreen)
  for (const remark of condition === undefined ? [] : filterRemarks({ condition })) terminal.note(remark)
  return exitCodes.good
}

interface Shown extends Window {
  readonly log: string
  readonly published: number | undefined
  readonly others: number
  readonly usage: Usage
  readonly choice: Choice
  readonly isLive: boolean
}

const print = ({ terminal }: Context, { output }: TopFlags, shown: Shown): void => {
  const picture = shown.timeline.at(shown.position)
  const events = new ChosenEvents(shown.choice)
  const sources = {
    log: shown.log,
    lag: shown.published === undefined ? undefined : Math.max(0, picture.fold.lastSequence - shown.published),
    otherNodes: shown.others,
    usage: shown.usage,
    newest: events.upTo(shown.timeline, shown.position)
  }
  const now = shown.isLive ? terminal.now() : Date.parse(picture.fold.lastTime)
  if (output === "json")
    terminal.out(`${JSON.stringify(onceDocument(picture, sources, events.choice, now), null, 2)}\n`)
  else terminal.out(onceText(picture, sources, events.choice, now, painter(terminal.colours)))
}
