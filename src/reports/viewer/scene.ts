/**
 * Draws the lanes: bars, marks, causes and the selection, onto a canvas that is as large as the part in view. Only what is
 * in view is looked at, and of what falls onto one pixel only the worst is drawn: a frame costs the same for a hundred
 * events and for a hundred thousand.
 */
import { type Colours, toneOf } from "./colours.ts"
import type { Report } from "./data.ts"
import { firstFrom } from "./groups.ts"
import { type Layout, type Row, rowAt } from "./layout.ts"
import { arrowhead, drawMark, fitted } from "./shapes.ts"
import type { State } from "./state.ts"

export interface Frame {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  /** Width of the column of names. */
  readonly gutter: number
  readonly scroll: number
  readonly layout: Layout
  readonly colours: Colours
  readonly font: string
  /** Positions of the time axis' lines. */
  readonly grid: ReadonlyArray<number>
  readonly hover: number
}

const barHeight = 13
/** Below this many pixels a bar has no outline and no text. */
const minShape = 3
/** Marks nearer to each other than this are strokes, pixels. */
const crowded = 8
/** Below so many pixels from side to side an arrow goes up or down. */
const steep = 12
/** Causes that are drawn unasked; with more in view they would hide the picture. */
const maxArrows = 300
/** Steps of the selected chain that are drawn. */
const maxChain = 200

/** Kinds of lanes whose place says what they are. */
const plainKinds: ReadonlySet<string> = new Set(["container", "probe", "pod", "endpoint"])

export const xOf = (at: number, { view }: State, { gutter, width }: Pick<Frame, "gutter" | "width">): number =>
  gutter + ((at - view.from) / (view.to - view.from)) * (width - gutter)

const barTop = (row: Row): number => row.top + (row.isGroup ? 8 : 5)
/** Where marks stand. */
export const markY = (row: Row): number => row.top + row.height - 7

/** The events that a row shows: of a pod that is folded all that are below it too. */
export const membersOf = (report: Report, row: Row, folded: ReadonlySet<number>): Uint32Array =>
  row.isGroup && folded.has(row.lane) ? report.byPod.of(row.lane) : report.byLane.of(row.lane)

export class Scene {
  private readonly report: Report
  constructor(report: Report) {
    this.report = report
  }

  draw(frame: Frame, state: State): void {
    const { context, gutter, height, layout, scroll, width } = frame
    context.clearRect(0, 0, width, height)
    const first = rowAt(layout, scroll)
    context.save()
    context.translate(0, -scroll)
    context.font = frame.font
    context.textBaseline = "middle"
    const rows: Array<Row> = []
    for (let i = first; i < layout.rows.length; i++) {
      const row = layout.rows[i]!
      if (row.top > scroll + height) break
      rows.push(row)
    }
    for (const row of rows) this.drawBand(frame, state, row)
    this.drawGrid(frame)
    context.save()
    context.beginPath()
    context.rect(gutter, scroll, width - gutter, height)
    context.clip()
    for (const row of rows) this.drawBars(frame, state, row)
    if (state.causes) this.drawAllCauses(frame, state, rows)
    for (const row of rows) this.drawMarks(frame, state, row)
    this.drawSelection(frame, state)
    context.restore()
    for (const row of rows) this.drawName(frame, state, row)
    context.restore()
    context.fillStyle = frame.colours.line
    context.fillRect(gutter - 1, 0, 1, height)
  }

  private drawBand({ colours, context, width }: Frame, state: State, row: Row): void {
    if (row.isGroup) {
      context.fillStyle = colours.band
      context.fillRect(0, row.top, width, row.height)
    }
    if (row.lane === state.lane) {
      context.fillStyle = colours.accentSoft
      context.fillRect(0, row.top, width, row.height)
    }
    context.fillStyle = colours.line
    context.globalAlpha = row.isGroup ? 1 : 0.5
    context.fillRect(0, row.top + row.height - 1, width, 1)
    context.globalAlpha = 1
  }

  private drawGrid({ colours, context, grid, height, scroll }: Frame): void {
    context.fillStyle = colours.line
    context.globalAlpha = 0.6
    for (const x of grid) context.fillRect(Math.round(x), scroll, 1, height)
    context.globalAlpha = 1
  }

  private drawName({ colours, context, gutter, layout, width: _, font }: Frame, state: State, row: Row): void {
    const { depth, kind, name } = this.report.head.lanes[row.lane]!
    const x = 12 + (row.isGroup ? 14 : depth * 12 + 2)
    const y = row.top + row.height / 2
    if (row.isGroup) {
      const isFolded = state.folded.has(row.lane)
      context.fillStyle = colours.muted
      context.beginPath()
      if (isFolded) {
        context.moveTo(10, y - 4)
        context.lineTo(15, y)
        context.lineTo(10, y + 4)
      } else {
        context.moveTo(8, y - 2)
        context.lineTo(16, y - 2)
        context.lineTo(12, y + 3)
      }
      context.fill()
    }
    context.font = row.isGroup ? `600 ${font}` : font
    const isSelected = row.lane === state.lane
    context.fillStyle = isSelected ? colours.accent : row.isGroup || depth === 0 ? colours.ink : colours.muted
    const label = plainKinds.has(kind) || kind === name ? name : `${kind} ${name}`
    context.fillText(fitted(context, label, gutter - x - 10), x, y)
    context.font = font
    if (layout.rows[0] === undefined) return
  }

  private drawBars(frame: Frame, state: State, row: Row): void {
    const { colours, context, gutter, width } = frame
    const { bar, head } = this.report
    const members = bar.byLane.of(row.lane)
    const y = barTop(row)
    // The bar before the first that begins in view may reach into it.
    const begin = Math.max(firstFrom(members, bar.from, state.view.from) - 1, 0)
    let covered = Number.NEGATIVE_INFINITY
    for (let i = begin; i < members.length; i++) {
      const index = members[i]!
      if (bar.from[index]! > state.view.to) break
      const x = Math.max(xOf(bar.from[index]!, state, frame), gutter - 4)
      const end = Math.min(xOf(bar.to[index]!, state, frame), width + 4)
      if (end < gutter) continue
      const stateName = head.states[bar.state[index]!] as string
      const tone = colours.tone[toneOf(stateName)]
      if (end - x < minShape) {
        // Many short ones on one pixel: the pixel is drawn once, and again only for what went wrong.
        const pixel = Math.floor(x)
        const isBad = toneOf(stateName) === "bad" || toneOf(stateName) === "backoff"
        if (pixel === covered && !isBad) continue
        covered = pixel
        context.fillStyle = tone.strong
        context.fillRect(pixel, y, Math.max(end - x, 1.5), barHeight)
        continue
      }
      context.fillStyle = tone.soft
      context.beginPath()
      context.roundRect(x, y, end - x - 1, barHeight, 3)
      context.fill()
      context.fillStyle = tone.strong
      context.beginPath()
      context.roundRect(x, y, Math.min(3, end - x), barHeight, [3, 0, 0, 3])
      context.fill()
      const room = end - Math.max(x, gutter) - 12
      if (room > 22) {
        context.fillStyle = tone.ink
        context.fillText(fitted(context, stateName, room), Math.max(x, gutter) + 7, y + barHeight / 2 + 0.5)
      }
    }
  }

  private drawMarks(frame: Frame, state: State, row: Row): void {
    const { at, severity } = this.report
    const { colours, context } = frame
    const members = membersOf(this.report, row, state.folded)
    const y = markY(row)
    /** Pixels with an event, and the worst severity of those that share it. */
    const pixels: Array<number> = []
    const worst: Array<number> = []
    for (let i = firstFrom(members, at, state.view.from); i < members.length; i++) {
      const event = members[i]!
      if (at[event]! > state.view.to) break
      if (state.shown !== undefined && state.shown[event] !== 1) continue
      const pixel = Math.floor(xOf(at[event]!, state, frame))
      if (pixels.at(-1) !== pixel) {
        pixels.push(pixel)
        worst.push(severity[event]!)
      } else worst[worst.length - 1] = Math.max(worst.at(-1)!, severity[event]!)
    }
    pixels.forEach((pixel, i) => {
      const room = Math.min(pixel - (pixels[i - 1] ?? -99), (pixels[i + 1] ?? 1e9) - pixel)
      if (room >= crowded) drawMark(context, colours, pixel + 0.5, y, worst[i]!)
      else {
        // Side by side they would flow together: strokes stay apart.
        context.fillStyle = colours.severity[worst[i]!] as string
        context.fillRect(pixel, y - 3, 1, worst[i]! >= 3 ? 7 : 5)
      }
    })
  }

  /** Causes that lead from one lane in view to another, faintly. */
  private drawAllCauses(frame: Frame, state: State, rows: ReadonlyArray<Row>): void {
    const { at, byLane, cause, lane } = this.report
    const arrows: Array<number> = []
    for (const row of rows) {
      const members = byLane.of(row.lane)
      for (let i = firstFrom(members, at, state.view.from); i < members.length; i++) {
        const event = members[i]!
        if (at[event]! > state.view.to) break
        const from = cause[event]!
        if (from < 0 || lane[from] === row.lane || (state.shown !== undefined && state.shown[event] !== 1)) continue
        arrows.push(event)
        if (arrows.length > maxArrows) return
      }
    }
    frame.context.globalAlpha = 0.55
    for (const event of arrows) this.drawArrow(frame, state, cause[event]!, event, frame.colours.faint, 1)
    frame.context.globalAlpha = 1
  }

  private drawSelection(frame: Frame, state: State): void {
    const { colours, context, height, hover, layout, scroll } = frame
    if (state.event >= 0) {
      const x = xOf(this.report.at[state.event]!, state, frame)
      context.fillStyle = colours.accent
      context.globalAlpha = 0.35
      context.fillRect(x - 0.5, scroll, 1, height)
      context.globalAlpha = 1
      const chain = this.report.chainOf(state.event, maxChain)
      for (let i = 1; i < chain.length; i++)
        this.drawArrow(frame, state, chain[i - 1]!, chain[i]!, colours.accent, 1.75)
      const effects = this.report.effectsOf(state.event)
      context.setLineDash([3, 3])
      for (const effect of effects.subarray(0, maxChain))
        this.drawArrow(frame, state, state.event, effect, colours.accent, 1.25)
      context.setLineDash([])
      for (const step of chain) this.ring(frame, state, layout, step, step === state.event ? 6 : 4)
    }
    if (hover >= 0) this.ring(frame, state, layout, hover, 6)
  }

  private ring(frame: Frame, state: State, layout: Layout, event: number, radius: number): void {
    const row = layout.rows[layout.rowOf[this.report.lane[event]!]!]
    if (row === undefined) return
    const { colours, context } = frame
    const x = xOf(this.report.at[event]!, state, frame)
    context.beginPath()
    context.arc(x, markY(row), radius, 0, Math.PI * 2)
    context.fillStyle = colours.panel
    context.fill()
    drawMark(context, colours, x, markY(row), this.report.severity[event]!)
    context.strokeStyle = colours.accent
    context.lineWidth = 2
    context.beginPath()
    context.arc(x, markY(row), radius, 0, Math.PI * 2)
    context.stroke()
  }

  private drawArrow(frame: Frame, state: State, cause: number, effect: number, colour: string, width: number): void {
    const { context, layout } = frame
    const { at, lane } = this.report
    const from = layout.rows[layout.rowOf[lane[cause]!]!]
    const to = layout.rows[layout.rowOf[lane[effect]!]!]
    if (from === undefined || to === undefined) return
    const [x1, y1] = [xOf(at[cause]!, state, frame), markY(from)]
    const [x2, y2] = [xOf(at[effect]!, state, frame), markY(to)]
    context.strokeStyle = colour
    context.fillStyle = colour
    context.lineWidth = width
    context.beginPath()
    context.moveTo(x1, y1)
    if (y1 === y2) {
      if (x2 - x1 < 4) return
      const lift = Math.min(14, 4 + (x2 - x1) / 12)
      context.bezierCurveTo(x1 + (x2 - x1) * 0.25, y1 - lift, x2 - (x2 - x1) * 0.25, y2 - lift, x2, y2)
      context.stroke()
      return
    }
    const isDown = y2 > y1 ? 1 : -1
    if (Math.abs(x2 - x1) < steep) {
      // At one time: a bow beside the line on which both stand.
      context.bezierCurveTo(x1 + steep, y1 + 6 * isDown, x2 + steep, y2 - 10 * isDown, x2 + 1, y2 - 5 * isDown)
      context.stroke()
      arrowhead(context, x2 + 1, y2 - 4 * isDown, 0, isDown)
      return
    }
    const bend = Math.min(Math.max(Math.abs(x2 - x1) / 2, 10), 60)
    context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2 - 5, y2)
    context.stroke()
    arrowhead(context, x2 - 3, y2, 1, 0)
  }
}
