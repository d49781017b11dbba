/** Which events are shown: the severity that was chosen and what is searched for, in what is told and in what is stored. */
import { blockEvents } from "../html/format.ts"
import type { Report } from "./data.ts"
import { fits, hasWords, parseQuery, type Query } from "./query.ts"
import type { Store } from "./state.ts"

/** How long typing has to rest before stored lines are searched, milliseconds. */
const rest = 150

export class Search {
  private readonly store: Store
  /** Per lane: pod and place, in lower case. */
  private readonly places: ReadonlyArray<{ readonly pod: string; readonly text: string; readonly kind: string }>
  private readonly tags: ReadonlyArray<string>
  /** Sentences in lower case, made at the first search. */
  private lower: Array<string> = []
  private round = 0

  constructor(store: Store) {
    this.store = store
    const { report } = store
    this.tags = report.head.tags.map((tag) => tag.toLowerCase())
    this.places = report.head.lanes.map(({ kind }, lane) => {
      const pod = report.podOf[lane] as number
      const text = report.laneText(lane).toLowerCase()
      return { kind, text, pod: pod < 0 ? "" : report.head.lanes[pod]!.name.toLowerCase() }
    })
    store.listen((changed) => {
      if (changed.has("search") || changed.has("least")) this.run()
    })
  }

  /** Anew, e.g. when sentences have come. */
  run(): void {
    const { report, state } = this.store
    const round = ++this.round
    const query = parseQuery(state.search)
    const severity = Math.max(query.severity, state.least)
    if (state.search.trim() === "" && severity === 0) {
      this.store.set({ shown: undefined, shownCount: report.size, searching: false })
      return
    }
    const shown = new Uint8Array(report.size)
    /** Fits but for its words: its stored line has to be looked at. */
    const open = new Uint8Array(report.size)
    let count = 0
    for (let event = 0; event < report.size; event++) {
      if (!this.fits({ ...query, severity }, event)) continue
      if (query.words.length === 0 || hasWords(query.words, this.text(report, event))) {
        shown[event] = 1
        count += 1
      } else open[event] = 1
    }
    const deep = query.words.length > 0
    this.store.set({ shown, shownCount: count, searching: deep })
    if (deep) setTimeout(() => void this.searchLines(query.words, shown, open, count, round), rest)
  }

  private fits(query: Query, event: number): boolean {
    const { report } = this.store
    const place = this.places[report.lane[event] as number]!
    const severity = report.severity[event] as number
    return fits(query, { severity, type: this.tags[report.tag[event] as number]!, pod: place.pod, kind: place.kind })
  }

  private text(report: Report, event: number): string {
    const place = this.places[report.lane[event] as number]!
    const sentence = this.lower[event] ?? report.sentence(event).toLowerCase()
    this.lower[event] = sentence
    return `${this.tags[report.tag[event] as number]} ${place.text} ${sentence}`
  }

  private async searchLines(
    words: ReadonlyArray<string>,
    quick: Uint8Array,
    open: Uint8Array,
    count: number,
    round: number
  ): Promise<void> {
    const { report } = this.store
    const shown = quick.slice()
    let found = count
    for (let block = 0; block < report.blockCount(); block++) {
      const first = block * blockEvents
      if (!open.subarray(first, first + blockEvents).includes(1)) continue
      const lines = await report.block(block)
      if (round !== this.round) return
      lines.forEach((line, n) => {
        if (open[first + n] !== 1 || !hasWords(words, line.toLowerCase())) return
        shown[first + n] = 1
        found += 1
      })
    }
    this.store.set(found === count ? { searching: false } : { shown, shownCount: found, searching: false })
  }
}
