/** What the demo says: numbered headlines, aligned lines, colours only on a terminal (and never with NO_COLOR). */
import { styleText } from "node:util"
import type { Seen } from "./watch.ts"

const coloured = process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "" && process.env.TERM !== "dumb"
type Style = Parameters<typeof styleText>[0]
const paint = (style: Style, text: string): string =>
  coloured ? styleText(style, text, { validateStream: false }) : text

/** Columns of lines that are cut: the terminal's, else a wide page's. */
const columns = (): number => process.stdout.columns || 140
const indent = "     "
let headlines = 0

const write = (text: string): void => {
  process.stdout.write(`${text}\n`)
}
/** Shows control characters as a dot: a probe's output or a container's last words may hold any. */
const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/gu, "·")
const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`)

export const title = (text: string): void => write(paint("bold", text))

/** ` 3  Running pods`: what comes next. */
export const headline = (text: string): void => {
  headlines += 1
  write(`\n${paint(["bold", "cyan"], String(headlines).padStart(2))}   ${paint("bold", text)}`)
}

/** What is done now, and why. */
export const explain = (text: string): void => write(`${indent}${text}`)

/** Something that was found to be as it should. */
export const good = (text: string): void => write(`${indent}${paint("green", "✓")} ${text}`)

/** A command as one would type it. */
export const command = (text: string): void => write(`${indent}${paint("cyan", `$ ${text}`)}`)

/** A line in pieces of a width; what goes on stands further in. */
const wrap = (text: string, width: number): ReadonlyArray<string> => {
  if (text.length <= width) return [text]
  const inset = "        "
  const space = text.lastIndexOf(" ", width)
  const end = space > width / 2 ? space : width
  return [text.slice(0, end), ...wrap(inset + text.slice(end).trimStart(), width)]
}

/** A program's output, line by line: too long lines go on below, or (`"cut"`) lose their end. */
export const quote = (text: string, long: "wrap" | "cut" = "wrap"): void => {
  const width = Math.max(40, columns() - indent.length - 2)
  for (const line of text.replace(/\n$/u, "").split("\n").map(printable)) {
    for (const part of long === "wrap" ? wrap(line, width) : [cut(line, width)]) {
      write(`${indent}${paint("dim", "│")} ${part}`.trimEnd())
    }
  }
}

/** Facts that say little to a reader: ids, hashes, and what the line says elsewhere. */
const leftOut = new Set(
  "podUid uid hash sandboxId imageId createdAt startedAt finishedAt bootId architecture kernel from oomKilled".split(
    " "
  )
)
/** Of a probe also what its name says: pod, container and which probe. */
const leftOutOfProbes = new Set(["container", "containerId", "probe", "host"])
const marks: Readonly<Record<string, readonly [mark: string, style: Style]>> = {
  WARN: ["!", "yellow"],
  ERROR: ["✗", "red"]
}

/** One line of the subscriber, in columns. `root`: directory of the demo, left out of paths. */
export const live = ({ time, severity, who, type, facts }: Seen, root: string): void => {
  if (type === "PodConditionChanged" && facts.condition !== "Ready") return
  const probe = who.startsWith("probe/")
  const shown = Object.entries(facts).filter(([key]) => !leftOut.has(key) && !(probe && leftOutOfProbes.has(key)))
  const words = shown.map(([key, value]) => `${key}=${key === "containerId" ? String(value).slice(0, 13) : value}`)
  const [mark, style] = marks[severity] ?? [" ", undefined]
  const columnsText = `${who.padEnd(22)} ${type.padEnd(23)} ${words.join(" ").replaceAll(`${root}/`, "")}`
  const line = cut(printable(`${time} ${mark} ${columnsText}`), columns() - 7)
  write(`${paint("dim", "nats │")} ${style === undefined ? line : paint(style, line)}`)
}

/** Rows under a header, columns aligned by two spaces. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): void => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)))
  for (const row of rows) {
    quote(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()
    )
  }
}

/** To stderr. */
export const complain = (text: string): void => {
  process.stderr.write(`${paint("red", "demo:")} ${text}\n`)
}
