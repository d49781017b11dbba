/** `chronode replay FILE` without a mode: the timeline and the state that it led to. */
import { Effect } from "effect"
import type { RecordedEvent } from "../../events/envelope.ts"
import { columns, type NodeViews, nodeViews, type ViewName } from "../columns.ts"
import type { Execute } from "../command.ts"
import { beginFold, codeOf, type Folded, foldLines, hashOf, remarks, upTo } from "../event-log/fold-log.ts"
import { type LogLine, lineMatcher } from "../event-log/log.ts"
import { momentFlag } from "../event-log/moments.ts"
import { openChainedLog } from "../event-log/open-log.ts"
import { UsageError } from "../exit.ts"
import { podText } from "../filter/pods.ts"
import { filterRemarks, parseFilter } from "../filter.ts"
import { eventLine } from "../render.ts"
import type { Terminal } from "../terminal.ts"
import { painter, table } from "../text.ts"
import { formatLength } from "../times.ts"
import type { ReplayFlags } from "./flags.ts"
import { openPlayback, parsePace } from "./playback.ts"

export const execute: Execute<ReplayFlags, [file: string]> = async ({ terminal }, flags, file) => {
  const { until: point, ...filterFlags } = flags
  const until = momentFlag("--until", point, terminal.now())
  // It chooses what is told. The state is folded from all events: it would be another without some.
  const filter = await parseFilter(filterFlags, terminal.now())
  const isTold = lineMatcher(filter)
  const text = flags.output === "text"
  const pace = parsePace(flags, "max")
  if (pace !== "max" && !text)
    throw new UsageError("--speed and --step show events as they come: leave -o json out, or add --publish")
  const paint = painter(terminal.colours)
  let first = ""
  const folded = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(file, "")
        const play = yield* openPlayback(pace, terminal.note, isTold)
        const tell = (recorded: RecordedEvent, line: LogLine): void => {
          if (first === "") first = recorded.time
          if (text && isTold(line)) terminal.out(`${eventLine(recorded, paint)}\n`)
          if (pace !== "max") terminal.flush()
        }
        return yield* foldLines(play(upTo(log, until)), tell, yield* beginFold(log))
      })
    )
  )
  for (const remark of [...remarks(folded), ...filterRemarks(filter)]) terminal.note(remark)
  const views = filter.pod === undefined ? nodeViews(folded.fold) : ofPod(nodeViews(folded.fold), podText(filter.pod))
  if (text) printState(terminal, folded, views, first)
  else terminal.out(`${JSON.stringify(asJson(folded, views, first), null, 2)}\n`)
  return codeOf(folded)
}

const shown: ReadonlyArray<readonly [name: ViewName, title: string]> = [
  ["node", "Node"],
  ["pods", "Pods"],
  ["containers", "Containers"],
  ["probes", "Probes"],
  ["volumes", "Volumes"],
  ["services", "Services"],
  ["endpoints", "Endpoints"]
]

/** Of `--pod` the state is that of the pod alone, and of the Services that it stands behind, under the hash of the whole. */
const ofPod = (views: NodeViews, wanted: string): NodeViews => {
  const isWanted = ({ namespace, pod: name }: { readonly namespace: string; readonly pod: string }): boolean =>
    podText({ namespace, name }) === wanted
  const endpoints = views.endpoints.filter(({ from }) => from === `pod ${wanted}`)
  const services = new Set(endpoints.map(({ namespace, service }) => `${namespace}/${service}`))
  return {
    pods: views.pods.filter((pod) => podText(pod) === wanted),
    containers: views.containers.filter(isWanted),
    probes: views.probes.filter(isWanted),
    volumes: views.volumes.filter(isWanted),
    services: views.services.filter(({ namespace, name }) => services.has(`${namespace}/${name}`)),
    endpoints,
    node: views.node
  }
}

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

const asJson = ({ fold, unreadable }: Folded, views: NodeViews, first: string) => ({
  node: fold.node,
  events: fold.events,
  unknown: fold.unknown,
  unreadable: unreadable.map(({ place }) => place),
  from: first,
  to: fold.lastTime,
  state: views,
  stateHash: hashOf(fold)
})
