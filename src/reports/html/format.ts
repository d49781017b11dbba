/**
 * What the page of a report is given, agreed between the writer (Node) and the viewer (browser): a head as JSON, columns
 * of numbers, the sentences of all events, and their stored lines in blocks that are unpacked when one is looked at. Each
 * part is compressed with deflate, in base64, in a `<script>` of a type that no browser runs.
 */
import type { Lane, PodSummary, Series, Totals } from "../timeline/model.ts"
import type { ColumnLayout } from "./columns.ts"

/** Stored lines in one block. */
export const blockEvents = 512
/** The `type` of the elements that hold data: not a type of script that anything would run. */
export const dataType = "application/octet-stream"
/** `data-part` of these elements. */
export const parts = { head: "head", columns: "columns", sentences: "sentences", lines: "lines" } as const

export interface ReportHead {
  readonly node: string
  /** Name of the file that was replayed, without its folders. */
  readonly file: string
  /** `chronode 0.1.0`, for the footer. */
  readonly writtenBy: string
  /** Milliseconds since the epoch. */
  readonly from: number
  readonly to: number
  readonly lanes: ReadonlyArray<Lane>
  readonly tags: ReadonlyArray<string>
  /** Names of states; column `barState` points into them. */
  readonly states: ReadonlyArray<string>
  /** Kinds of trouble; column `troubleKind` points into them. */
  readonly troubleKinds: ReadonlyArray<string>
  readonly pods: ReadonlyArray<PodSummary>
  readonly totals: Totals
  /** Points of each series; they stand one after another in the columns `seriesAt`, `seriesValue` and `seriesEvent`. */
  readonly series: ReadonlyArray<Pick<Series, "lane" | "name" | "unit"> & { readonly points: number }>
  /** What a reader has to know of the log: lines that could not be read, a broken chain, where it was cut. */
  readonly remarks: ReadonlyArray<string>
  readonly columns: ReadonlyArray<ColumnLayout>
}
