/** The screen's state, and how keys change it: a pure reducer. What it cannot do by itself it asks for, as a request. */
import type { RecordedEvent } from "../../events/envelope.ts"
import { oneLine } from "../text.ts"
import type { Choice } from "./choice.ts"
import type { Key } from "./keys.ts"
import { columnsOf, type Row, type Subject, type TableName, tableNames } from "./tables.ts"
import type { View } from "./view.ts"

export interface Sort {
  /** Number of the column; undefined: the order of names. */
  readonly column: number | undefined
  readonly descending: boolean
}

export type Mode =
  | { readonly _tag: "Table" }
  /** The filter is being typed. */
  | { readonly _tag: "Prompt"; readonly typed: string; readonly problem: string }
  /** A text that is read: an answer of `why`, the help. */
  | { readonly _tag: "Text"; readonly title: string; readonly lines: ReadonlyArray<string>; readonly top: number }
  /** The events of one thing, newest first, live. */
  | { readonly _tag: "Events"; readonly key: string; readonly title: string; readonly top: number }

export interface Model {
  readonly view: View
  readonly table: TableName
  /** By table: the row that is marked, by its key, and where it was, for when it is gone. */
  readonly marks: Partial<Record<TableName, { readonly key: string; readonly index: number }>>
  readonly sorts: Partial<Record<TableName, Sort>>
  readonly choice: Choice
  readonly mode: Mode
  /** A file that is complete: there is no life to go back to. */
  readonly isOffline: boolean
  readonly isPaused: boolean
  /** What is shown is the past still: the log is being read. */
  readonly isBehind: boolean
  /** What the last line says once, e.g. that something cannot be done. */
  readonly note: string
  /** Events of `mode`, where it is about some; newest first. */
  readonly listed: ReadonlyArray<RecordedEvent>
}

export type Request =
  | { readonly _tag: "Quit" }
  | { readonly _tag: "Why"; readonly subject: Subject; readonly title: string }
  | { readonly _tag: "Step"; readonly by: 1 | -1 }
  | { readonly _tag: "Pause"; readonly paused: boolean }
  | { readonly _tag: "Filter"; readonly text: string }
  /** Another table or other events are to be seen. */
  | { readonly _tag: "Look" }

export interface Reduced {
  readonly model: Model
  readonly request?: Request
}

export const initialModel = (view: View, choice: Choice, isOffline: boolean): Model => ({
  view,
  table: view.table,
  marks: {},
  sorts: {},
  choice,
  mode: { _tag: "Table" },
  isOffline,
  isPaused: isOffline,
  isBehind: false,
  note: "",
  listed: []
})

/** The rows in their order. */
export const sortedRows = ({ view, table, sorts }: Pick<Model, "view" | "table" | "sorts">): ReadonlyArray<Row> => {
  const { column, descending } = sorts[table] ?? { column: undefined, descending: false }
  if (view.table !== table) return []
  if (column === undefined) return view.rows
  const sign = descending ? -1 : 1
  return view.rows.toSorted((a, b) => {
    const [x, y] = [a.cells[column], b.cells[column]]
    if (x === undefined || y === undefined) return 0
    const order =
      x.order !== undefined && y.order !== undefined
        ? x.order - y.order
        : x.text < y.text
          ? -1
          : x.text > y.text
            ? 1
            : 0
    return sign * order
  })
}

/** Which row is marked: the one of its key, else what has come into its place. -1: there is none. */
export const markedIndex = ({ marks, table }: Pick<Model, "marks" | "table">, rows: ReadonlyArray<Row>): number => {
  const mark = marks[table]
  if (mark === undefined) return rows.length === 0 ? -1 : 0
  const index = rows.findIndex(({ key }) => key === mark.key)
  return index >= 0 ? index : Math.min(mark.index, rows.length - 1)
}

/** Rows that Page Up and Page Down move by. */
const page = 10
/** Characters of a filter that can be typed. */
const maxTyped = 1000

const moved = (model: Model, by: number): Model => {
  const rows = sortedRows(model)
  const index = Math.max(0, Math.min(rows.length - 1, markedIndex(model, rows) + by))
  const row = rows[index]
  return row === undefined ? model : { ...model, marks: { ...model.marks, [model.table]: { key: row.key, index } } }
}

const toTable = (model: Model, table: TableName): Reduced => ({
  model: { ...model, table },
  request: { _tag: "Look" }
})

/** The next column to sort by; after the last one the order of names again. Numbers begin with the largest. */
const sortedNext = (model: Model): Model => {
  const { column = -1 } = model.sorts[model.table] ?? {}
  const columns = columnsOf[model.table]
  const next = column + 1 < columns.length ? column + 1 : undefined
  const descending = next !== undefined && columns[next]?.right === true
  return { ...model, sorts: { ...model.sorts, [model.table]: { column: next, descending } } }
}

const sortedBackwards = (model: Model): Model => {
  const { column, descending } = model.sorts[model.table] ?? { column: 0, descending: false }
  return { ...model, sorts: { ...model.sorts, [model.table]: { column: column ?? 0, descending: !descending } } }
}

const movements: Partial<Record<string, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -page,
  pagedown: page,
  home: Number.NEGATIVE_INFINITY,
  g: Number.NEGATIVE_INFINITY,
  end: Number.POSITIVE_INFINITY,
  G: Number.POSITIVE_INFINITY
}

const backToTable: Mode = { _tag: "Table" }

const inTable = (model: Model, key: string): Reduced => {
  const by = movements[key]
  if (by !== undefined) return { model: moved(model, by) }
  const number = tableNames[Number(key) - 1]
  if (number !== undefined) return toTable(model, number)
  const rows = sortedRows(model)
  const row = rows[markedIndex(model, rows)]
  switch (key) {
    case "q":
      return { model, request: { _tag: "Quit" } }
    case "tab":
    case "backtab": {
      const next = tableNames.indexOf(model.table) + (key === "tab" ? 1 : tableNames.length - 1)
      return toTable(model, tableNames[next % tableNames.length] as TableName)
    }
    case "s":
      return { model: sortedNext(model) }
    case "S":
      return { model: sortedBackwards(model) }
    case "/":
      return { model: { ...model, mode: { _tag: "Prompt", typed: model.choice.text, problem: "" } } }
    case "escape":
      return model.choice.text === "" ? { model } : { model, request: { _tag: "Filter", text: "" } }
    case "p":
      return model.isOffline
        ? { model: { ...model, note: "a file does not go on: [ and ] step through it" } }
        : { model, request: { _tag: "Pause", paused: !model.isPaused } }
    case "[":
    case "]":
      return { model, request: { _tag: "Step", by: key === "]" ? 1 : -1 } }
    case "enter":
      if (row === undefined) return { model }
      return row.subject === undefined
        ? { model: { ...model, note: `nothing is recorded of ${row.title} that one could ask about` } }
        : { model, request: { _tag: "Why", subject: row.subject, title: row.title } }
    case "e":
      return row === undefined
        ? { model }
        : {
            model: { ...model, mode: { _tag: "Events", key: row.key, title: row.title, top: 0 } },
            request: { _tag: "Look" }
          }
    case "?":
      return { model: { ...model, mode: { _tag: "Text", title: "keys", lines: helpLines, top: 0 } } }
    default:
      return { model }
  }
}

const inText = (model: Model, mode: Extract<Mode, { readonly top: number }>, key: string): Reduced => {
  const by = movements[key]
  if (by !== undefined) {
    const last = (mode._tag === "Text" ? mode.lines.length : model.listed.length) - 1
    return { model: { ...model, mode: { ...mode, top: Math.max(0, Math.min(last, mode.top + by)) } } }
  }
  if ((key === "[" || key === "]") && mode._tag === "Events") return inTable(model, key)
  return ["q", "escape", "enter", "e", "?"].includes(key) ? { model: { ...model, mode: backToTable } } : { model }
}

const inPrompt = (model: Model, mode: Extract<Mode, { readonly _tag: "Prompt" }>, key: Key): Reduced => {
  const typing = (typed: string): Reduced => ({
    model: { ...model, mode: { ...mode, typed: typed.slice(0, maxTyped), problem: "" } }
  })
  if (typeof key === "object") return typing(mode.typed + key.text)
  switch (key) {
    case "backspace":
      return typing([...mode.typed].slice(0, -1).join(""))
    case "clear":
      return typing("")
    case "escape":
      return { model: { ...model, mode: backToTable } }
    case "enter":
      return { model, request: { _tag: "Filter", text: mode.typed.trim() } }
    default:
      return { model }
  }
}

export const reduce = (before: Model, key: Key): Reduced => {
  const model = before.note === "" ? before : { ...before, note: "" }
  if (key === "interrupt") return { model, request: { _tag: "Quit" } }
  const { mode } = model
  if (mode._tag === "Prompt") return inPrompt(model, mode, key)
  const name = typeof key === "object" ? key.text : key
  return mode._tag === "Table" ? inTable(model, name) : inText(model, mode, name)
}

/** What was typed was wrong: it stays to be mended. */
export const promptProblem = (model: Model, problem: string): Model => ({
  ...model,
  mode: { _tag: "Prompt", typed: model.mode._tag === "Prompt" ? model.mode.typed : model.choice.text, problem }
})

export const chosen = (model: Model, choice: Choice): Model => ({ ...model, choice, mode: backToTable })

export const textShown = (model: Model, title: string, text: string): Model => ({
  ...model,
  mode: { _tag: "Text", title, lines: text.trimEnd().split("\n").map(oneLine), top: 0 }
})

export const helpLines: ReadonlyArray<string> = [
  "↑ ↓ k j            move; Page Up, Page Down, Home (g), End (G)",
  "1 … 5, Tab         pods, containers, probes, volumes, images",
  "Enter              why was it restarted, killed or refused? (chronode why)",
  "e                  its events",
  "/                  filter: plain text, or an expression as in --filter",
  "                   (docs/filters.md): severity >= WARN. Escape clears it",
  "s, S               sort by the next column; the other way round",
  "p                  pause, go on",
  "[ ]                one event back, forward (pauses)",
  "?                  this help",
  "q, Ctrl-C          quit"
]
