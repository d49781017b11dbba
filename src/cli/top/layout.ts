/** Text in cells of a terminal: how wide it is, and fitting it into a width. */
import stringWidth from "string-width"

const ascii = /^[\u0020-\u007e]*$/u
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

/** Cells that a text takes; it holds no control characters. */
export const widthOf = (text: string): number => (ascii.test(text) ? text.length : stringWidth(text))

/** The text, cut to so many cells with an ellipsis where it is longer. */
export const cut = (text: string, width: number): string => {
  if (width <= 0) return ""
  if (widthOf(text) <= width) return text
  if (ascii.test(text)) return `${text.slice(0, width - 1)}…`
  let taken = ""
  let left = width - 1
  for (const { segment } of graphemes.segment(text)) {
    left -= widthOf(segment)
    if (left < 0) break
    taken += segment
  }
  return `${taken}…`
}

export const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)))
export const padStart = (text: string, width: number): string => " ".repeat(Math.max(0, width - widthOf(text))) + text
/** Exactly so many cells. */
export const fit = (text: string, width: number): string => pad(cut(text, width), width)

/** As many of the texts, the first ones first, as fit into a width with a gap between them. */
export const joined = (texts: ReadonlyArray<string>, width: number, gap = "  "): string => {
  let line = ""
  for (const text of texts.filter((t) => t !== "")) {
    const longer = line === "" ? text : `${line}${gap}${text}`
    if (widthOf(longer) > width) break
    line = longer
  }
  return line
}

/** Lines of at most so many cells, broken between words where that is possible. Where it is, columns are given up. */
export const wrapped = (text: string, width: number): ReadonlyArray<string> => {
  if (widthOf(text) <= width) return [text]
  const lines: Array<string> = []
  const indent = /^ */u.exec(text)?.[0] ?? ""
  let line = ""
  for (const word of text.slice(indent.length).split(/ +/u)) {
    const start = lines.length === 0 ? indent : `${indent}  `
    const longer = line === "" ? start + word : `${line} ${word}`
    if (widthOf(longer) <= width || line === "") line = longer
    else {
      lines.push(line)
      line = `${indent}  ${word}`
    }
  }
  lines.push(line)
  return lines.flatMap((long) => pieces(long, width))
}

/** A word that is longer than a line. */
const pieces = (text: string, width: number): ReadonlyArray<string> => {
  if (widthOf(text) <= width) return [text]
  const lines: Array<string> = []
  let line = ""
  for (const { segment } of graphemes.segment(text)) {
    if (widthOf(line + segment) > width) {
      lines.push(line)
      line = ""
    }
    line += segment
  }
  return [...lines, line]
}
