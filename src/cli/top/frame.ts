/** The picture of the screen: a pure function from the model and a size to lines. */
import type { RecordedEvent } from "../../events/envelope.ts"
import { tagOf } from "../filter/tags.ts"
import { actorText, sentence } from "../render.ts"
import { type Colour, oneLine, type Paint, severityColour } from "../text.ts"
import { localTime } from "../times.ts"
import { headerLines } from "./header.ts"
import { cut, fit, pad, padStart, widthOf, wrapped } from "./layout.ts"
import { type Model, markedIndex, sortedRows } from "./model.ts"
import { type Column, columnsOf, type Row, tableNames, tableTitles } from "./tables.ts"

export interface Size {
  readonly columns: number
  readonly rows: number
}

export const smallest: Size = { columns: 40, rows: 10 }
/** From this height on there are two lines of header, and more than one newest event. */
const roomyRows = 16
/** What a column that grows needs to be of use. */
const leastGrowing = 10
/** The widest that a column gets but for the one that grows. */
const widestCell = 34
const gap = 2

const shortTabs = { pods: "Pod", containers: "Con", probes: "Pro", volumes: "Vol", images: "Img" } as const

const tabsLine = ({ table, view }: Model, width: number, paint: Paint): string => {
  const forms = [
    tableNames.map((name, i) => `${i + 1} ${tableTitles[name]} ${view.counts[name]}`),
    tableNames.map((name, i) => `${i + 1} ${tableTitles[name]}`),
    tableNames.map((name, i) => `${i + 1} ${shortTabs[name]}`)
  ]
  // Each takes two cells more, for the brackets of the chosen one.
  const form = forms.find((tabs) => tabs.reduce((sum, tab) => sum + widthOf(tab) + 2, 0) <= width) ?? forms[2]!
  const painted = form.map((tab, i) => (tableNames[i] === table ? paint("bold", `[${tab}]`) : ` ${tab} `))
  return painted.join("")
}

/** Widths of the columns; 0: there is no room for it. */
export const columnWidths = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<Row>,
  width: number
): Array<number> => {
  const wanted = columns.map(({ title, grows }, i) => {
    const widest = rows.reduce((most, row) => Math.max(most, widthOf(row.cells[i]?.text ?? "")), widthOf(title))
    return grows === true ? Math.max(widthOf(title), Math.min(widest, widestCell)) : Math.min(widest, widestCell)
  })
  const widths = columns.map(() => 0)
  let left = width
  const byRank = columns.map((column, i) => ({ column, i })).sort((a, b) => a.column.rank - b.column.rank)
  for (const { column, i } of byRank) {
    const want = wanted[i] as number
    const room = left - (left === width ? 0 : gap)
    // What must be seen is cut to what there is; what grows makes do with little; the rest gives way.
    const get = want <= room ? want : column.rank === 0 || column.grows === true ? room : 0
    if (get < (column.grows === true ? Math.min(want, leastGrowing) : Math.min(want, 4))) continue
    widths[i] = get
    left = room - get
  }
  const growing = columns.findIndex((column, i) => column.grows === true && (widths[i] as number) > 0)
  if (growing >= 0) widths[growing] = (widths[growing] as number) + Math.max(0, left)
  return widths
}

const tableLines = (model: Model, size: Size, height: number, paint: Paint): ReadonlyArray<string> => {
  const rows = sortedRows(model)
  const marked = markedIndex(model, rows)
  const shown = Math.max(0, height - 1)
  const top = Math.max(0, Math.min(marked - Math.floor(shown / 2), rows.length - shown))
  const columns = columnsOf[model.table]
  const visible = rows.slice(top, top + shown)
  // A column for the mark.
  const widths = columnWidths(columns, visible, size.columns - 1)
  const { column: sorted, descending = false } = model.sorts[model.table] ?? { column: undefined }
  const line = (texts: ReadonlyArray<string>, style: (text: string, i: number) => string): string =>
    columns
      .flatMap((column, i) => {
        const width = widths[i] as number
        if (width === 0) return []
        const text = cut(texts[i] ?? "", width)
        return [style(column.right === true ? padStart(text, width) : pad(text, width), i)]
      })
      .join(" ".repeat(gap))
  const titles = columns.map(({ title }, i) => (i === sorted ? `${title}${descending ? "↓" : "↑"}` : title))
  const lines = [` ${line(titles, (text) => paint("dim", text))}`]
  visible.forEach((row, i) => {
    const texts = row.cells.map(({ text }) => text)
    lines.push(
      top + i === marked
        ? paint(
            "inverse",
            `>${pad(
              line(texts, (text) => text),
              size.columns - 1
            )}`
          )
        : ` ${line(texts, (text, column) => painted(text, row.cells[column]?.colour, paint))}`
    )
  })
  if (rows.length === 0 && shown > 0)
    lines.push(
      ` ${paint("dim", cut(model.choice.text === "" ? `no ${model.table}` : `no ${model.table} that match`, size.columns - 1))}`
    )
  return lines
}

const painted = (text: string, colour: Colour | undefined, paint: Paint): string =>
  colour === undefined ? text : paint(colour, text)

/** From these widths on an event's line has its actor in a column, and its type too. */
const columnsForActor = 60
const columnsForType = 100

/** `05:53:47 WARN  pod default/web  ContainerExited  app ended …`, as much of it as there is room for. */
const eventLine = (recorded: RecordedEvent, width: number, paint: Paint): string => {
  const time = localTime(Date.parse(recorded.time)).slice(11, 19)
  const who = oneLine(actorText(recorded.actor))
  const actor = width < columnsForActor ? who : fit(who, Math.min(32, Math.floor(width / 4)))
  const told = width < columnsForType ? sentence(recorded) : `${fit(tagOf(recorded), 22)}  ${sentence(recorded)}`
  const rest = `${recorded.severity.padEnd(5)} ${actor}  ${told}`
  return `${paint("dim", time)} ${painted(cut(rest, width - 9), severityColour[recorded.severity], paint)}`
}

const rule = (title: string, width: number, paint: Paint): string => {
  const text = cut(`── ${title} `, width)
  return paint("dim", text + "─".repeat(Math.max(0, width - widthOf(text))))
}

const hints: Readonly<Record<Model["mode"]["_tag"], string>> = {
  Table: "? help  q quit  Enter why  e events  / filter  s sort  p pause  [ ] step",
  Prompt: "",
  Text: "↑↓ scroll  Escape back",
  Events: "↑↓ scroll  [ ] step  Escape back"
}

const lastLine = (model: Model, width: number, paint: Paint): string => {
  const { mode } = model
  if (mode._tag !== "Prompt")
    return model.note === "" ? paint("dim", cut(hints[mode._tag], width)) : paint("yellow", cut(model.note, width))
  // Of a long one the end is seen, where it is typed.
  const room = width - 2
  let typed = oneLine(mode.typed)
  while (widthOf(typed) > room) typed = typed.slice(1)
  return `/${typed}${paint("inverse", " ")}`
}

const textLines = (lines: ReadonlyArray<string>, top: number, size: Size, height: number): ReadonlyArray<string> =>
  lines
    .slice(top, top + height)
    .flatMap((text) => wrapped(text, size.columns))
    .slice(0, height)

/** What is between the header and the last line. */
const body = (model: Model, size: Size, height: number, paint: Paint): ReadonlyArray<string> => {
  const { mode } = model
  const { columns } = size
  if (mode._tag === "Text")
    return [rule(mode.title, columns, paint), ...textLines(mode.lines, mode.top, size, height - 1)]
  if (mode._tag === "Events") {
    const listed = model.listed.slice(mode.top, mode.top + height - 1)
    const none =
      listed.length === 0 ? [paint("dim", cut("no events of it among the newest that are kept", columns))] : []
    return [
      rule(`events of ${mode.title}, newest first`, columns, paint),
      ...none,
      ...listed.map((recorded) => eventLine(recorded, columns, paint))
    ]
  }
  const problem = mode._tag === "Prompt" && mode.problem !== "" ? mode.problem.split("\n") : []
  const eventRows = size.rows < roomyRows ? 1 : Math.max(3, Math.floor(size.rows / 4))
  const below = Math.max(eventRows, problem.length) + 1
  const rows = tableLines(model, size, height - below, paint)
  const filter = model.choice.text === "" ? "" : ` · filter: ${oneLine(model.choice.text)}`
  return [
    ...rows,
    ...Array.from({ length: Math.max(0, height - below - rows.length) }, () => ""),
    rule(problem.length > 0 ? "not understood" : `newest events${filter}`, columns, paint),
    ...(problem.length > 0
      ? problem.map((line) => paint("red", cut(line, columns)))
      : model.view.newest.slice(0, eventRows).map((recorded) => eventLine(recorded, columns, paint)))
  ]
}

/** Exactly `rows` lines, each of at most `columns` cells. */
export const frame = (model: Model, size: Size, paint: Paint): ReadonlyArray<string> => {
  if (size.columns < smallest.columns || size.rows < smallest.rows) {
    const said = cut(
      `needs ${smallest.columns}x${smallest.rows} (has ${size.columns}x${size.rows}); q quits`,
      size.columns
    )
    return Array.from({ length: size.rows }, (_, i) => (i === 0 ? said : ""))
  }
  const header = headerLines(model, size.columns, size.rows >= roomyRows ? 2 : 1, paint)
  const isTable = model.mode._tag === "Table" || model.mode._tag === "Prompt"
  const above = [...header, ...(isTable ? [tabsLine(model, size.columns, paint)] : [])]
  const height = size.rows - above.length - 1
  const middle = body(model, size, height, paint).slice(0, height)
  const empty = Array.from({ length: height - middle.length }, () => "")
  return [...above, ...middle, ...empty, lastLine(model, size.columns, paint)]
}
