/** The end of a test run, for people: one row for each stage and runtime, the sum, and why what was skipped was. */
import { addCounts, type Counts, noCounts } from "./report.ts"

export interface Row extends Counts {
  readonly stage: string
  readonly runtime: string
  /** Undefined for checks. */
  readonly files: number | undefined
  readonly milliseconds: number
  /** One for each skip that told why. */
  readonly reasons: ReadonlyArray<string>
}

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`

/** Reasons with their counts, the most frequent first; skips that told none are counted too. */
export const reasonLines = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const { reasons, skipped } of rows) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    const silent = skipped - reasons.length
    if (silent > 0) counts.set("no reason given", (counts.get("no reason given") ?? 0) + silent)
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([reason, n]) => `  ${String(n).padStart(5)}  ${reason}`)
}

export const tableLines = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const header = ["stage", "runtime", "files", "passed", "failed", "skipped", "time"]
  const sum = rows.reduce<Counts>(addCounts, noCounts)
  const time = rows.reduce((total, row) => total + row.milliseconds, 0)
  const files = rows.reduce((total, row) => total + (row.files ?? 0), 0)
  const cells = (row: Omit<Row, "reasons">): ReadonlyArray<string> => [
    row.stage,
    row.runtime,
    row.files === undefined ? "" : String(row.files),
    String(row.passed),
    String(row.failed),
    String(row.skipped),
    seconds(row.milliseconds)
  ]
  const body = rows.map(cells)
  const total = cells({ stage: "total", runtime: "", files, milliseconds: time, ...sum })
  const widths = header.map((_, k) => Math.max(...[header, ...body, total].map((line) => line[k]!.length)))
  const line = (texts: ReadonlyArray<string>) =>
    texts
      .map((text, k) => (k < 2 ? text.padEnd(widths[k]!) : text.padStart(widths[k]!)))
      .join("  ")
      .trimEnd()
  const rule = "-".repeat(widths.reduce((a, b) => a + b + 2, -2))
  return [line(header), rule, ...body.map(line), rule, line(total)]
}
