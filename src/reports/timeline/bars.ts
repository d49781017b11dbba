/** The states of lanes over time: at most one bar is open in a lane, and bars of a lane never overlap. */
import type { Bar, StateName } from "./model.ts"

interface OpenBar {
  readonly state: StateName
  readonly from: number
  readonly event: number
}

export class Bars {
  private readonly closed: Array<Bar> = []
  private readonly open = new Map<number, OpenBar>()
  /** Where the last bar of a lane ended: a clock that jumps back must not make bars overlap. */
  private readonly reached = new Map<number, number>()

  state(lane: number): StateName | undefined {
    return this.open.get(lane)?.state
  }

  /** From now on the lane is in this state; what was open ends. The same state again goes on, unless `anew`. */
  begin(lane: number, state: StateName, at: number, event: number, anew = false): void {
    const open = this.open.get(lane)
    if (open?.state === state && !anew) return
    if (open !== undefined) this.end(lane, at)
    this.open.set(lane, { state, event, from: Math.max(at, this.reached.get(lane) ?? at) })
  }

  /** Only where the lane is in one of these states. */
  change(lane: number, states: ReadonlyArray<StateName>, state: StateName, at: number, event: number): void {
    const now = this.state(lane)
    if (now !== undefined && states.includes(now)) this.begin(lane, state, at, event)
  }

  end(lane: number, at: number): void {
    const open = this.open.get(lane)
    if (open === undefined) return
    this.open.delete(lane)
    const to = Math.max(at, open.from)
    this.reached.set(lane, to)
    this.closed.push({ lane, state: open.state, from: open.from, to, event: open.event, open: false })
  }

  /** All bars; those that are open reach to `at`, the end of the log. */
  all(at: number): ReadonlyArray<Bar> {
    const open = [...this.open].map(([lane, bar]) => ({ lane, ...bar, to: Math.max(at, bar.from), open: true }))
    return [...this.closed, ...open]
  }
}
