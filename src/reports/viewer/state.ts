/** What the page shows: the span of time in view, what is selected, searched and unfolded. Whoever shows a part listens. */
import type { Report } from "./data.ts"
import { local, utc, type Zone } from "./times.ts"

export type Side = "problems" | "events"

export interface View {
  readonly from: number
  readonly to: number
}

export interface State {
  readonly view: View
  /** -1: none. */
  readonly event: number
  /** -1: none. */
  readonly lane: number
  readonly search: string
  /** Least severity that is shown, position in `severityNames`. */
  readonly least: number
  /** For each event whether it is shown; undefined: all are. */
  readonly shown: Uint8Array | undefined
  readonly shownCount: number
  /** The stored lines are still being searched. */
  readonly searching: boolean
  /** Lanes of pods whose lanes are folded away. */
  readonly folded: ReadonlySet<number>
  readonly side: Side
  readonly isUtc: boolean
  /** Whether causes are drawn that nobody asked about. */
  readonly causes: boolean
}

export type Key = keyof State
type Listener = (changed: ReadonlySet<Key>) => void

/** The shortest span that can be seen, milliseconds. */
const minSpan = 5
/** What is free on either side of the log, as a part of its span. */
const margin = 0.02

export class Store {
  readonly report: Report
  state: State
  private readonly listeners: Array<Listener> = []
  private pending: Set<Key> = new Set()

  constructor(report: Report) {
    this.report = report
    this.state = {
      view: { from: 0, to: 1 },
      event: -1,
      lane: -1,
      search: "",
      least: 0,
      shown: undefined,
      shownCount: report.size,
      searching: false,
      folded: report.head.lanes.length > unfoldedLanes ? podsOf(report) : new Set(),
      side: report.trouble.event.length > 0 ? "problems" : "events",
      isUtc: true,
      causes: true
    }
    this.state = { ...this.state, view: this.whole() }
  }

  get zone(): Zone {
    return this.state.isUtc ? utc : local
  }

  listen(listener: Listener): void {
    this.listeners.push(listener)
  }

  /** Listeners hear of it once before the next frame, whatever is set until then. */
  set(change: Partial<State>): void {
    const keys = (Object.keys(change) as ReadonlyArray<Key>).filter((key) => change[key] !== this.state[key])
    if (keys.length === 0) return
    this.state = { ...this.state, ...change }
    if (this.pending.size === 0) requestAnimationFrame(() => this.tell())
    for (const key of keys) this.pending.add(key)
  }

  /** The whole log, with a little room. */
  whole(): View {
    const { from, to } = this.report.head
    const span = Math.max(to - from, 1000)
    return { from: from - span * margin, to: from + span * (1 + margin) }
  }

  /** A span, kept within the log and no shorter than can be seen. */
  setView(from: number, to: number): void {
    const whole = this.whole()
    const span = Math.min(Math.max(to - from, minSpan), whole.to - whole.from)
    const begin = Math.min(Math.max(from, whole.from), whole.to - span)
    this.set({ view: { from: begin, to: begin + span } })
  }

  /** @param factor below 1: nearer; @param around stays where it is; without: the selected event, or the middle */
  zoom(factor: number, around?: number): void {
    const { event, view } = this.state
    const selected = event >= 0 ? (this.report.at[event] as number) : Number.NaN
    const isSeen = selected >= view.from && selected <= view.to
    const fixed = around ?? (isSeen ? selected : (view.from + view.to) / 2)
    this.setView(fixed - (fixed - view.from) * factor, fixed + (view.to - fixed) * factor)
  }

  /** @param part of the span in view */
  pan(part: number): void {
    const { from, to } = this.state.view
    const by = (to - from) * part
    this.setView(from + by, to + by)
  }

  /** Selects an event and brings its time into view. */
  select(event: number): void {
    const { at, lane } = this.report
    const { folded, view } = this.state
    const time = at[event] as number
    const pod = this.report.podOf[lane[event] as number] as number
    this.set({
      event,
      lane: lane[event] as number,
      ...(folded.has(pod) && lane[event] !== pod ? { folded: new Set([...folded].filter((p) => p !== pod)) } : {})
    })
    const edge = (view.to - view.from) * 0.05
    if (time >= view.from + edge && time <= view.to - edge) return
    const half = (view.to - view.from) / 2
    this.setView(time - half, time + half)
  }

  /** Selects an event and looks at it closely enough that its causes can be told apart. */
  goTo(event: number): void {
    const { at, head } = this.report
    const chain = this.report.chainOf(event, chainInView)
    const to = at[event] as number
    const from = Math.max(at[chain[0] as number] as number, to - (head.to - head.from) / 4)
    const { view } = this.state
    const wanted = Math.max((to - from) * 1.6, 2000)
    if (view.to - view.from > wanted * 4) this.setView(to - wanted * 0.75, to + wanted * 0.25)
    this.select(event)
  }

  private tell(): void {
    const changed = this.pending
    this.pending = new Set()
    for (const listener of this.listeners) listener(changed)
  }
}

/** With more lanes than this the page begins with one row for each pod. */
const unfoldedLanes = 60
const podsOf = ({ head }: Report): ReadonlySet<number> =>
  new Set(head.lanes.flatMap(({ kind }, lane) => (kind === "pod" ? [lane] : [])))

/** Steps of a chain that `goTo` tries to bring into view. */
const chainInView = 12
