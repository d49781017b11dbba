/**
 * A manifest file cut into its documents. Cutting comes before parsing, at lines that begin with `---` (as kubectl and
 * kubelet's readers do; YAML allows such a line nowhere inside a value), so that a broken document costs only itself.
 */

export interface DocumentText {
  readonly text: string
  /** How many lines of the file come before it. */
  readonly linesBefore: number
}

const separator = /^---(?=[\s]|$)/u
/** Directives belong to the document after the separator; a comment may stand on either side. */
const isPrologue = (line: string): boolean => /^(%.*|\s*(#.*)?)$/u.test(line)

/** Documents in order, empty ones left out. What stands behind `--- ` on its own line belongs to the document. */
export const splitDocuments = (content: string): ReadonlyArray<DocumentText> => {
  const text = content.startsWith("\uFEFF") ? content.slice(1) : content
  const lines = text.split("\n")
  const documents: Array<DocumentText> = []
  let from = 0
  const close = (to: number): void => {
    const part = lines.slice(from, to)
    if (!part.every((line) => isPrologue(line.replace(separator, "")) || line.trim() === "...")) {
      documents.push({ text: part.join("\n"), linesBefore: from })
    }
  }
  for (const [i, line] of lines.entries()) {
    if (i === from || !separator.test(line)) continue
    if (lines.slice(from, i).every(isPrologue) && lines.slice(from, i).some((l) => l.startsWith("%"))) continue
    close(i)
    from = i
  }
  close(lines.length)
  return documents
}
