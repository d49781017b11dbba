/**
 * A timeline as a trace for Perfetto (ui.perfetto.dev, or a copy of it that runs offline) and chrome://tracing: JSON of
 * the Trace Event Format. Pods are processes, lanes are threads, bars are slices (`X`), events are instants (`i`), and
 * causes are flows (`s` to `f`).
 *
 * Times are microseconds since the trace began. Events know milliseconds, and several of one lane often share one: each
 * gets a microsecond of its own, in the order of the log, so that slices of a thread nest and flows find their slice. An
 * event at either end of a flow is a slice of one microsecond instead of an instant, for flows bind to slices only.
 */
import { type Bar, noCause, severityNames, states, type Timeline } from "./timeline/model.ts"

/** What the trace shows of an event beside its place: JSON text of an object. */
export type ArgumentsOf = (event: number) => string

/** Text that is handed out at once, characters. */
const pieceCharacters = 256 * 1024

/** Microseconds since the trace began for each event: rising within each lane, and later than its cause. */
export const eventMicros = ({ from, marks }: Timeline): ReadonlyArray<number> => {
  const reached = new Map<number, number>()
  const micros: Array<number> = []
  for (const [event, at] of marks.at.entries()) {
    const lane = marks.lane[event] as number
    const cause = marks.cause[event] as number
    // Two apart: a slice of one microsecond ends before the next begins.
    const after = Math.max((reached.get(lane) ?? -2) + 2, cause > noCause ? (micros[cause] as number) + 1 : 0)
    micros[event] = Math.max((at - from) * 1000, after)
    reached.set(lane, micros[event])
  }
  return micros
}

interface Span {
  readonly from: number
  readonly to: number
}

/** From and to of each bar: where the event that began it is, to where the next of its lane begins. */
const barSpans = (timeline: Timeline, micros: ReadonlyArray<number>): ReadonlyArray<Span> => {
  const { bars, from, marks } = timeline
  const beginOf = (bar: Bar): number =>
    marks.lane[bar.event] === bar.lane && marks.at[bar.event] === bar.from
      ? (micros[bar.event] as number)
      : (bar.from - from) * 1000
  const spans: Array<Span> = []
  for (const [index, bar] of bars.entries()) {
    const last = spans.at(-1)
    const isSameLane = bars[index - 1]?.lane === bar.lane
    const begin = isSameLane && last !== undefined ? Math.max(beginOf(bar), last.from + 1) : beginOf(bar)
    // The one before must not reach into this one, nor be cut off before it is over.
    if (isSameLane && last !== undefined && last.to > begin) spans[index - 1] = { from: last.from, to: begin }
    spans.push({ from: begin, to: Math.max((bar.to - from) * 1000, begin + 1) })
  }
  return spans
}

/** The trace as pieces of text. */
export function* perfettoTrace(timeline: Timeline, argumentsOf: ArgumentsOf): Generator<string, void, undefined> {
  const { bars, lanes, marks, node, tags } = timeline
  let piece = `{"displayTimeUnit":"ms","otherData":{"node":${JSON.stringify(node)},"startedAt":"${new Date(timeline.from).toISOString()}"},"traceEvents":[`
  let isFirst = true
  const put = (text: string): void => {
    piece += isFirst ? `\n${text}` : `,\n${text}`
    isFirst = false
  }
  /** The node is process 1; the top lanes' own numbers follow. */
  const processOf = (lane: number): number => {
    let at = lane
    while ((lanes[at]?.parent ?? -1) >= 0) at = lanes[at]?.parent as number
    return lanes[at]?.kind === "pod" ? at + 2 : 1
  }
  const placeOf = lanes.map((_, lane) => `"pid":${processOf(lane)},"tid":${lane + 1}`)

  const name = (what: string, pid: number, tid: number, text: string): string =>
    `{"ph":"M","name":"${what}","pid":${pid},"tid":${tid},"args":{"name":${JSON.stringify(text)}}}`
  const order = (what: string, pid: number, tid: number, index: number): string =>
    `{"ph":"M","name":"${what}","pid":${pid},"tid":${tid},"args":{"sort_index":${index}}}`
  put(name("process_name", 1, 0, `node ${node}`))
  put(order("process_sort_index", 1, 0, 0))
  for (const [lane, { kind, name: text, parent }] of lanes.entries()) {
    const pid = processOf(lane)
    if (kind === "pod") {
      put(name("process_name", pid, 0, `pod ${text}`))
      put(order("process_sort_index", pid, 0, pid))
    }
    const owner = kind === "probe" && parent >= 0 ? ` of ${lanes[parent]?.name}` : ""
    put(name("thread_name", pid, lane + 1, kind === text ? kind : `${kind} ${text}${owner}`))
    put(order("thread_sort_index", pid, lane + 1, lane))
  }

  const micros = eventMicros(timeline)
  const spans = barSpans(timeline, micros)
  for (const [index, { lane, state, open }] of bars.entries()) {
    const { from, to } = spans[index] as Span
    put(
      `{"ph":"X","name":"${state}","cat":"state","ts":${from},"dur":${to - from},${placeOf[lane]},"args":{"tone":"${states[state]}"${open ? ',"open":true' : ""}}}`
    )
    if (piece.length >= pieceCharacters) {
      yield piece
      piece = ""
    }
  }

  const isCause = new Uint8Array(marks.at.length)
  for (const cause of marks.cause) if (cause > noCause) isCause[cause] = 1
  for (const [event, ts] of micros.entries()) {
    const place = placeOf[marks.lane[event] as number]
    const cause = marks.cause[event] as number
    const inFlow = cause > noCause || isCause[event] === 1
    const shape = inFlow ? `"ph":"X","dur":1` : `"ph":"i","s":"t"`
    const tag = JSON.stringify(tags[marks.tag[event] as number])
    const severity = severityNames[marks.severity[event] as number]
    put(`{${shape},"name":${tag},"cat":"${severity}","ts":${ts},${place},"args":${argumentsOf(event)}}`)
    if (cause > noCause) {
      const flow = `"name":"cause","cat":"cause","id":${event + 1}`
      put(`{"ph":"s",${flow},"ts":${micros[cause]},${placeOf[marks.lane[cause] as number]}}`)
      put(`{"ph":"f","bp":"e",${flow},"ts":${ts},${place}}`)
    }
    if (piece.length >= pieceCharacters) {
      yield piece
      piece = ""
    }
  }
  yield `${piece}\n]}\n`
}
