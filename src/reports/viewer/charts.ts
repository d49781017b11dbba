/** Charts with uPlot: how many events there were over time, with the span in view; and what the events of a lane measured. */
import uPlot from "uplot"
import { readColours } from "./colours.ts"
import type { Report } from "./data.ts"
import { el } from "./dom.ts"
import type { Store } from "./state.ts"
import { clockText, momentText } from "./times.ts"

/** Columns of the overview, at most. */
const maxBins = 400
const pixelsPerBin = 4
const overviewHeight = 56

/** Counts per bin: all, warnings and errors, errors; each holds the next, so that they stand in front of each other. */
export const rates = (
  report: Report,
  shown: Uint8Array | undefined,
  bins: number
): [at: Array<number>, all: Array<number>, warn: Array<number>, error: Array<number>] => {
  const { from, to } = report.head
  const width = Math.max(to - from, 1) / bins
  const counts = [0, 1, 2].map(() => new Array<number>(bins).fill(0)) as [Array<number>, Array<number>, Array<number>]
  for (let event = 0; event < report.size; event++) {
    if (shown !== undefined && shown[event] !== 1) continue
    const bin = Math.min(Math.floor((report.at[event]! - from) / width), bins - 1)
    counts[0][bin]! += 1
    if (report.severity[event]! >= 3) counts[1][bin]! += 1
    if (report.severity[event]! >= 4) counts[2][bin]! += 1
  }
  return [counts[0].map((_, bin) => (from + (bin + 0.5) * width) / 1000), ...counts]
}

export class Overview {
  readonly element = el("section", {
    class: "overview",
    "aria-label": "Events over time; drag over a part to see it larger"
  })
  private readonly store: Store
  private readonly window = el("div", { class: "window" })
  private plot: uPlot | undefined

  constructor(store: Store) {
    this.store = store
    new ResizeObserver(() => this.build()).observe(this.element)
    store.listen((changed) => {
      if (changed.has("shown")) this.refill()
      if (changed.has("view")) this.showWindow()
    })
  }

  /** Anew, with the colours of now. */
  build(): void {
    const width = this.element.clientWidth
    if (width === 0) return
    this.plot?.destroy()
    const colours = readColours()
    const bars = uPlot.paths.bars?.({ size: [0.8, 24], align: 0 })
    const layer = (colour: string): uPlot.Series => ({
      fill: colour,
      stroke: colour,
      width: 0,
      points: { show: false },
      ...(bars ? { paths: bars } : {})
    })
    const whole = this.store.whole()
    const severity = (n: number): string => colours.severity[n] as string
    this.plot = new uPlot(
      {
        width,
        height: overviewHeight,
        padding: [6, 0, 0, 0],
        legend: { show: false },
        cursor: { x: true, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        scales: {
          x: { time: true, range: [whole.from / 1000, whole.to / 1000] },
          y: { range: (_, __, max) => [0, Math.max(max, 1)] }
        },
        axes: [{ show: false }, { show: false }],
        series: [{}, layer(severity(2)), layer(severity(3)), layer(severity(4))],
        hooks: {
          setSelect: [
            (plot) => {
              const { left, width: wide } = plot.select
              if (wide < 3) return
              this.store.setView(plot.posToVal(left, "x") * 1000, plot.posToVal(left + wide, "x") * 1000)
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            }
          ]
        }
      },
      this.data(width),
      this.element
    )
    this.plot.over.append(this.window)
    this.plot.over.addEventListener("click", (event) => {
      const { from, to } = this.store.state.view
      const at = this.plot!.posToVal(event.offsetX, "x") * 1000
      if (at < from || at > to) this.store.setView(at - (to - from) / 2, at + (to - from) / 2)
    })
    this.showWindow()
  }

  private data(width: number): uPlot.AlignedData {
    const bins = Math.min(maxBins, Math.max(20, Math.floor(width / pixelsPerBin)))
    return rates(this.store.report, this.store.state.shown, bins)
  }

  private refill(): void {
    this.plot?.setData(this.data(this.element.clientWidth))
  }

  private showWindow(): void {
    if (this.plot === undefined) return
    const { from, to } = this.store.state.view
    const whole = this.store.whole()
    const [left, right] = [this.plot.valToPos(from / 1000, "x"), this.plot.valToPos(to / 1000, "x")]
    this.window.style.left = `${left}px`
    this.window.style.width = `${Math.max(right - left, 3)}px`
    this.window.hidden = from <= whole.from && to >= whole.to
  }
}

const unitText = (value: number, unit: string): string => {
  if (unit !== "bytes") return `${Math.round(value)}${unit === "ms" ? " ms" : ""}`
  const power = value < 1 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10))
  return `${(value / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`
}

/** Charts of what the events of a lane measured; none where nothing was. Answers what takes them down again. */
export const seriesCharts = (store: Store, lane: number, into: HTMLElement): (() => void) => {
  const { head, series } = store.report
  const colours = readColours()
  const plots: Array<uPlot> = []
  let first = 0
  for (const { lane: owner, name, points, unit } of head.series) {
    const range = [first, first + points] as const
    first += points
    if (owner !== lane || points < 2) continue
    const at = [...series.at.subarray(...range)].map((t) => t / 1000)
    const value = [...series.value.subarray(...range)]
    const box = el("figure", { class: "chart" }, el("figcaption", {}, name))
    into.append(box)
    const latest = el("span", { class: "latest" })
    box.firstElementChild!.append(latest)
    const axis = {
      stroke: colours.muted,
      grid: { stroke: colours.line, width: 1 },
      ticks: { show: false },
      font: "11px system-ui"
    }
    plots.push(
      new uPlot(
        {
          width: Math.max(box.clientWidth, 200),
          height: 130,
          legend: { show: false },
          padding: [8, 8, 0, 0],
          tzDate: (seconds) =>
            new Date(
              seconds * 1000 +
                store.zone(seconds * 1000) * 60_000 +
                new Date(seconds * 1000).getTimezoneOffset() * 60_000
            ),
          axes: [
            { ...axis, space: 70, values: (_, marks) => marks.map((s) => clockText(s * 1000, store.zone).slice(0, 8)) },
            { ...axis, size: 62, values: (_, marks) => marks.map((v) => unitText(v, unit)) }
          ],
          series: [{}, { stroke: colours.accent, fill: colours.accentSoft, width: 1.5, points: { size: 4 } }],
          cursor: { drag: { x: false, y: false } },
          hooks: {
            setCursor: [
              ({ cursor: { idx } }) => {
                latest.textContent =
                  idx === null || idx === undefined
                    ? ""
                    : `${momentText(at[idx]! * 1000, store.zone)} · ${unitText(value[idx]!, unit)}`
              }
            ]
          }
        },
        [at, value],
        box
      )
    )
  }
  return () => {
    for (const plot of plots) plot.destroy()
  }
}
