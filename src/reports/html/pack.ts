/** A timeline as the head and the columns of a report. Pure. */
import { stateNames, type Timeline, troubleKinds } from "../timeline/model.ts"
import { type PackedColumns, packColumns } from "./columns.ts"
import type { ReportHead } from "./format.ts"

export interface ReportFacts {
  readonly file: string
  readonly writtenBy: string
  readonly remarks: ReadonlyArray<string>
}

export interface PackedTimeline {
  readonly head: ReportHead
  readonly bytes: PackedColumns["bytes"]
}

export const packTimeline = (timeline: Timeline, facts: ReportFacts): PackedTimeline => {
  const { bars, marks, series, troubles } = timeline
  const { bytes, layout } = packColumns([
    ["at", "f64", marks.at],
    ["lane", "u32", marks.lane],
    ["cause", "i32", marks.cause],
    ["tag", "u16", marks.tag],
    ["severity", "u8", marks.severity],
    ["barFrom", "f64", bars.map((bar) => bar.from)],
    ["barTo", "f64", bars.map((bar) => bar.to)],
    ["barLane", "u32", bars.map((bar) => bar.lane)],
    ["barEvent", "u32", bars.map((bar) => bar.event)],
    ["barState", "u8", bars.map((bar) => stateNames.indexOf(bar.state))],
    ["barOpen", "u8", bars.map((bar) => (bar.open ? 1 : 0))],
    ["troubleEvent", "u32", troubles.map((trouble) => trouble.event)],
    ["troubleKind", "u8", troubles.map((trouble) => troubleKinds.indexOf(trouble.kind))],
    ["seriesAt", "f64", series.flatMap(({ at }) => at)],
    ["seriesValue", "f64", series.flatMap(({ value }) => value)],
    ["seriesEvent", "u32", series.flatMap(({ event }) => event)]
  ])
  const head: ReportHead = {
    ...facts,
    node: timeline.node,
    from: timeline.from,
    to: timeline.to,
    lanes: timeline.lanes,
    tags: timeline.tags,
    states: stateNames,
    troubleKinds,
    pods: timeline.pods,
    totals: timeline.totals,
    series: series.map(({ at, lane, name, unit }) => ({ lane, name, unit, points: at.length })),
    columns: layout
  }
  return { head, bytes }
}
