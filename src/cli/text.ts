/** Text for people: colours by meaning, aligned tables. */
import type { Severity } from "../events/definition.ts"

/** ANSI SGR codes by meaning. */
const codes = { bold: 1, dim: 2, inverse: 7, red: 31, green: 32, yellow: 33, cyan: 36 } as const
export type Colour = keyof typeof codes
export type Paint = (colour: Colour, text: string) => string

/** Paints where colours are wanted, else leaves the text as it is. */
export const painter = (colours: boolean): Paint =>
  colours ? (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m` : (_, text) => text

export const severityColour: Readonly<Record<Severity, Colour | undefined>> = {
  TRACE: "dim",
  DEBUG: "dim",
  INFO: undefined,
  WARN: "yellow",
  ERROR: "red"
}

/**
 * Makes text from the log safe for a terminal and for one line: control characters (a probe's output may hold any) are
 * shown as escapes, so that nothing in a log can move the cursor or change a terminal's state.
 */
export const oneLine = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (c) =>
    c === "\n"
      ? "\\n"
      : c === "\r"
        ? "\\r"
        : c === "\t"
          ? "\\t"
          : `\\u${(c.codePointAt(0) as number).toString(16).padStart(4, "0")}`
  )

const width = (text: string): number => [...text].length

/**
 * A table with a header, columns aligned by two spaces, no trailing blanks, a newline at the end of each line.
 * `rows` are as long as `header`.
 */
export const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const lines = [header, ...rows].map((row) => row.map(oneLine))
  const widths = header.map((_, column) => lines.reduce((most, row) => Math.max(most, width(row[column] ?? "")), 0))
  return lines
    .map((row) =>
      `${row.map((cell, column) => cell + " ".repeat((widths[column] as number) - width(cell))).join("  ")}`.trimEnd()
    )
    .map((line) => `${line}\n`)
    .join("")
}

/** The names nearest to a mistyped one, best first, at most three. */
export const nearest = (typed: string, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const wanted = typed.toLowerCase()
  const scored = names.map((name) => {
    const lower = name.toLowerCase()
    return { name, distance: lower.includes(wanted) && wanted.length > 2 ? 0 : editDistance(wanted, lower) }
  })
  const bound = Math.max(2, Math.floor(wanted.length / 3))
  return scored
    .filter((s) => s.distance <= bound)
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map((s) => s.name)
}

/** Levenshtein's distance. */
const editDistance = (a: string, b: string): number => {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(change, (previous[j] as number) + 1, (current[j - 1] as number) + 1))
    }
    previous = current
  }
  return previous[b.length] as number
}
