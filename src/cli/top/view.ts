/** What there is to see at one moment: plain values, made from a picture and the newest events. */
import { type NodeView, nodeView } from "../../actors/views.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { Usage } from "../usage.ts"
import type { Choice } from "./choice.ts"
import type { Picture } from "./picture.ts"
import { countOf, rowsOf } from "./rows.ts"
import { type Row, type TableName, tableNames } from "./tables.ts"

export interface View {
  /** Of the log: `the journal /var/lib/…`. */
  readonly log: string
  readonly node: NodeView
  readonly events: number
  readonly sequence: number
  readonly headHash: string
  readonly broken: string
  readonly recording: string
  /** Actors of whose events the log holds a part only. */
  readonly partial: number
  readonly rates: { readonly second: number; readonly minute: number }
  /** Events that the journal holds and the stream does not, as the publisher last wrote down; undefined: not told. */
  readonly lag: number | undefined
  /** Nodes whose events are left out. */
  readonly otherNodes: number
  /** What is used at the moment; nothing where a moment of the past is shown, or no agent answers. */
  readonly usage: Usage
  /** What ages are counted to, milliseconds since the epoch. */
  readonly now: number
  /** Of the last event. */
  readonly time: string
  readonly table: TableName
  /** Those chosen, in the order of their names. */
  readonly rows: ReadonlyArray<Row>
  /** All rows of each table, whatever is chosen. */
  readonly counts: Readonly<Record<TableName, number>>
  /** The newest chosen ones, newest first. */
  readonly newest: ReadonlyArray<RecordedEvent>
}

export interface Sources {
  readonly log: string
  readonly lag: number | undefined
  readonly otherNodes: number
  readonly usage: Usage
  /** The newest chosen events, newest first. */
  readonly newest: ReadonlyArray<RecordedEvent>
}

export type Counts = View["counts"]

export const countsOf = (picture: Picture): Counts =>
  Object.fromEntries(tableNames.map((name) => [name, countOf(picture, name)])) as Counts

export const viewOf = (
  picture: Picture,
  sources: Sources,
  table: TableName,
  choice: Choice,
  now: number,
  counts = countsOf(picture)
): View => {
  const { fold } = picture
  return {
    ...sources,
    node: nodeView(fold.node, fold.actors.values()),
    events: fold.events,
    sequence: fold.lastSequence,
    headHash: picture.headHash,
    broken: picture.broken,
    recording: picture.recording,
    partial: [...fold.partial].filter((path) => fold.actors.has(path)).length,
    rates: picture.rate.rates(now),
    now,
    time: fold.lastTime,
    table,
    rows: rowsOf(picture, table, now, sources.usage).filter((row) => choice.isRow(row)),
    counts
  }
}
