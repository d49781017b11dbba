/** One YAML document with a reader for it, or what is wrong with its YAML. JSON is read as the YAML that it is. */
import { LineCounter, parseDocument } from "yaml"
import type { ManifestProblem } from "./port.ts"
import { Reader } from "./read.ts"

/** `linesBefore`: of the file, before the document. With `errors` there is nothing to be read. */
export const openDocument = (text: string, linesBefore: number) => {
  const lines = new LineCounter()
  // Doubled keys are found by the reader: the library's own check is quadratic.
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error"
  })
  const reader = new Reader(document, lines, linesBefore)
  const errors = document.errors.map(
    (error): ManifestProblem => ({
      ...reader.placeAt(error.pos[0]),
      message: `YAML: ${withoutSource(error.message)}`
    })
  )
  return { document, reader, errors }
}

/**
 * The library quotes the text that it stumbled over, which may be a secret (law 9). It goes down by recursion: how deep depends on
 * the runtime, some thousand levels.
 */
const withoutSource = (message: string): string =>
  message
    .replace(/^Maximum call stack size exceeded.*$/su, "it is nested too deeply")
    .replace(/(in YAML stream|Unresolved alias[^:]*|includes extra characters|Invalid escape sequence)\b.*$/su, "$1")
    .replace(/(Unresolved tag): .*$/su, "$1")
