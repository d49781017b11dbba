/** The timeline's panel: the time axis, the lanes on their canvas, and what the pointer does there. */
import { type Colours, readColours } from "./colours.ts"
import { el, plain } from "./dom.ts"
import { pointerGestures } from "./gestures.ts"
import { firstFrom } from "./groups.ts"
import { type Layout, layOut, rowAt } from "./layout.ts"
import { type Frame, markY, membersOf, Scene, xOf } from "./scene.ts"
import type { Store } from "./state.ts"
import { dayText, lengthText, momentText, ticks } from "./times.ts"

const axisHeight = 30
/** Pixels that a label of the axis takes with its surroundings. */
const tickRoom = 96
/** How near the pointer has to be to a mark, pixels. */
const reach = 9

const font = "12px ui-sans-serif, system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif"

export class Panel {
  readonly element: HTMLElement
  private readonly store: Store
  private readonly scene: Scene
  private readonly axis = el("canvas", { class: "axis", "aria-hidden": "true" })
  private readonly canvas = el("canvas", {
    class: "lanes",
    tabindex: "0",
    role: "application",
    "aria-roledescription": "timeline",
    "aria-label": "Timeline of lanes. Arrow keys move from event to event and from lane to lane, Enter opens the event."
  })
  private readonly spacer = el("div", { class: "spacer" })
  private readonly scroller = el("div", { class: "scroller" }, this.canvas, this.spacer)
  private readonly tip = el("div", { class: "tip", "aria-hidden": "true", hidden: "" })
  private layout: Layout
  private colours: Colours
  private hover = -1
  private wanted = false
  private size = { width: 0, height: 0, ratio: 1 }

  constructor(store: Store) {
    this.store = store
    this.scene = new Scene(store.report)
    this.colours = readColours()
    this.layout = this.layOut()
    this.element = el("section", { class: "timeline", "aria-label": "Timeline" }, this.axis, this.scroller, this.tip)
    new ResizeObserver(() => this.resize()).observe(this.scroller)
    this.scroller.addEventListener("scroll", () => this.ask(), { passive: true })
    store.listen((changed) => {
      if (changed.has("shown") || changed.has("folded")) {
        this.layout = this.layOut()
        this.spacer.style.height = `${Math.max(this.layout.height - this.size.height, 0)}px`
      }
      if (changed.has("event") || changed.has("lane")) this.reveal()
      this.ask()
    })
    pointerGestures(this.canvas, {
      hover: (x, y) => this.point(x, y),
      leave: () => this.point(-1, -1),
      press: (x, y) => this.press(x, y),
      pan: (pixels) => store.pan(-pixels / (this.size.width - this.gutter)),
      zoom: (factor, x) => store.zoom(factor, this.timeAt(x)),
      enter: (x, y) => {
        const event = this.eventAt(x, y)
        if (event >= 0) store.goTo(event)
      }
    })
  }

  get gutter(): number {
    return this.size.width < 560 ? 112 : this.size.width < 900 ? 168 : 208
  }

  /** The theme has changed. */
  repaint(): void {
    this.colours = readColours()
    this.ask()
  }

  focus(): void {
    this.canvas.focus({ preventScroll: true })
  }

  /** Lanes from top to bottom, for the keyboard. */
  visibleLanes(): ReadonlyArray<number> {
    return this.layout.rows.map((row) => row.lane)
  }

  private layOut(): Layout {
    const { byLane, head } = this.store.report
    const { folded, shown } = this.store.state
    return layOut(
      head.lanes,
      folded,
      (lane) => shown === undefined || byLane.of(lane).some((event) => shown[event] === 1)
    )
  }

  private resize(): void {
    const width = this.scroller.clientWidth
    const height = this.scroller.clientHeight
    if (width === 0 || height === 0) return
    const ratio = window.devicePixelRatio
    this.size = { width, height, ratio }
    for (const [canvas, tall] of [
      [this.canvas, height],
      [this.axis, axisHeight]
    ] as const) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(tall * ratio)
      canvas.style.width = `${width}px`
      canvas.style.height = `${tall}px`
    }
    this.spacer.style.height = `${Math.max(this.layout.height - height, 0)}px`
    this.draw()
  }

  /** Draws before the next frame, once. */
  private ask(): void {
    if (this.wanted) return
    this.wanted = true
    requestAnimationFrame(() => this.draw())
  }

  private draw(): void {
    this.wanted = false
    const { height, ratio, width } = this.size
    const context = this.canvas.getContext("2d")
    if (width === 0 || context === null) return
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    const { gutter } = this
    const { from, to } = this.store.state.view
    const marks = ticks(from, to, Math.max(2, Math.floor((width - gutter) / tickRoom)), this.store.zone)
    const base = { context, width, height, gutter, font, colours: this.colours, layout: this.layout, hover: this.hover }
    const grid = marks.map((tick) => xOf(tick.at, this.store.state, base))
    const frame: Frame = { ...base, scroll: this.scroller.scrollTop, grid }
    this.scene.draw(frame, this.store.state)
    this.drawAxis(marks, grid)
    performance.mark("chronode-drawn")
  }

  private drawAxis(marks: ReturnType<typeof ticks>, grid: ReadonlyArray<number>): void {
    const context = this.axis.getContext("2d")
    if (context === null) return
    const { ratio, width } = this.size
    const { colours, gutter, store } = this
    const { from, to } = store.state.view
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, axisHeight)
    context.font = font
    context.textBaseline = "middle"
    context.fillStyle = colours.muted
    context.fillText(dayText(Math.max(from, store.report.head.from), store.zone), 12, axisHeight / 2)
    context.textAlign = "right"
    if (gutter > 150) context.fillText(lengthText(to - from), gutter - 12, axisHeight / 2)
    context.textAlign = "left"
    for (const [i, tick] of marks.entries()) {
      const x = grid[i] as number
      if (x < gutter) continue
      context.fillStyle = colours.line
      context.fillRect(Math.round(x), axisHeight - 7, 1, 7)
      context.fillStyle = tick.isDay ? colours.ink : colours.muted
      const text = tick.label
      if (x + 5 + context.measureText(text).width < width) context.fillText(text, x + 5, axisHeight / 2)
    }
  }

  private timeAt(x: number): number {
    const { from, to } = this.store.state.view
    return from + ((x - this.gutter) / (this.size.width - this.gutter)) * (to - from)
  }

  /** The shown event nearest to a point of the canvas; -1: none is near. */
  private eventAt(x: number, y: number): number {
    const inside = y + this.scroller.scrollTop
    const row = this.layout.rows[rowAt(this.layout, inside)]
    if (x < this.gutter || row === undefined || y < 0) return -1
    const { at, severity } = this.store.report
    const { shown } = this.store.state
    const members = membersOf(this.store.report, row, this.store.state.folded)
    const perPixel = this.timeAt(x + 1) - this.timeAt(x)
    let best = -1
    let nearest = reach
    const time = this.timeAt(x)
    for (let i = firstFrom(members, at, time - reach * perPixel); i < members.length; i++) {
      const event = members[i]!
      if (at[event]! > time + reach * perPixel) break
      if (shown !== undefined && shown[event] !== 1) continue
      const distance = Math.abs(at[event]! - time) / perPixel
      // Of those on one spot the gravest, as it is drawn.
      if (distance < nearest - 0.5 || (distance <= nearest + 0.5 && best >= 0 && severity[event]! > severity[best]!)) {
        best = event
        nearest = Math.min(distance, nearest)
      }
    }
    return best
  }

  /** The bar at a point, by the event that began it; -1: none. */
  private barAt(x: number, y: number): number {
    const row = this.layout.rows[rowAt(this.layout, y + this.scroller.scrollTop)]
    if (x < this.gutter || row === undefined || y < 0) return -1
    const { bar } = this.store.report
    const time = this.timeAt(x)
    const members = bar.byLane.of(row.lane)
    const index = members[firstFrom(members, bar.from, time + 1e-6) - 1]
    return index !== undefined && bar.to[index]! >= time ? index : -1
  }

  private point(x: number, y: number): void {
    const event = this.eventAt(x, y)
    const bar = event >= 0 ? -1 : this.barAt(x, y)
    this.canvas.style.cursor = event >= 0 || bar >= 0 ? "pointer" : x < this.gutter && x >= 0 ? "default" : "grab"
    if (event !== this.hover) {
      this.hover = event
      this.ask()
    }
    this.tip.hidden = event < 0 && bar < 0
    if (this.tip.hidden) return
    this.tip.replaceChildren(...(event >= 0 ? this.tipOfEvent(event) : this.tipOfBar(bar)))
    const room = this.element.clientWidth - this.tip.offsetWidth - 8
    const top = y + axisHeight + 18
    const below = top + this.tip.offsetHeight < this.element.clientHeight
    this.tip.style.transform = `translate(${Math.max(8, Math.min(x + 12, room))}px, ${below ? top : top - this.tip.offsetHeight - 34}px)`
  }

  private tipOfEvent(event: number): ReadonlyArray<Node> {
    const { report, zone } = this.store
    return [
      el("b", {}, plain(report.tagOf(event))),
      el("span", { class: "when" }, momentText(report.at[event]!, zone)),
      el("span", {}, plain(report.laneText(report.lane[event]!))),
      el("span", { class: "said" }, plain(report.sentence(event)))
    ]
  }

  private tipOfBar(bar: number): ReadonlyArray<Node> {
    const { report, zone } = this.store
    const { event, from, open, state, to } = report.bar
    const length = lengthText(to[bar]! - from[bar]!)
    return [
      el("b", {}, report.head.states[state[bar]!]!),
      el("span", { class: "when" }, momentText(from[bar]!, zone)),
      el("span", {}, open[bar] === 1 ? `${length}, and on` : length),
      el("span", { class: "said" }, plain(report.sentence(event[bar]!)))
    ]
  }

  private press(x: number, y: number): void {
    const row = this.layout.rows[rowAt(this.layout, y + this.scroller.scrollTop)]
    if (row === undefined) return
    if (x < this.gutter) {
      const { folded } = this.store.state
      if (!row.isGroup) this.store.set({ lane: row.lane })
      else this.store.set({ lane: row.lane, folded: toggled(folded, row.lane) })
      return
    }
    const event = this.eventAt(x, y)
    const bar = event >= 0 ? -1 : this.barAt(x, y)
    if (event >= 0) this.store.select(event)
    else if (bar >= 0) this.store.select(this.store.report.bar.event[bar]!)
    else this.store.set({ lane: row.lane })
  }

  /** Scrolls the selected event's lane into view. */
  private reveal(): void {
    const { lane } = this.store.state
    const row = this.layout.rows[lane < 0 ? -1 : this.layout.rowOf[lane]!]
    if (row === undefined) return
    const { scrollTop } = this.scroller
    const low = markY(row) + 20 - this.size.height
    if (row.top < scrollTop) this.scroller.scrollTop = row.top
    else if (low > scrollTop) this.scroller.scrollTop = low
  }
}

export const toggled = (set: ReadonlySet<number>, member: number): ReadonlySet<number> => {
  const changed = new Set(set)
  if (!changed.delete(member)) changed.add(member)
  return changed
}
