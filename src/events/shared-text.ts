/** One text in memory for many that are equal: what is read from a log is a new text each time. */

/** @param most texts that are remembered: names of Services, of nodes, of namespaces */
export const makeSharedTexts = (most: number): ((text: string) => string) => {
  const known = new Map<string, string>()
  return (text) => {
    const one = known.get(text)
    if (one !== undefined) return one
    if (known.size >= most) known.clear()
    known.set(text, text)
    return text
  }
}
