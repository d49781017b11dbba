/** What iptables-save writes of one table. */

export interface SavedTable {
  /** Rules without `-A CHAIN`, of every chain there is. */
  readonly chains: ReadonlyMap<string, ReadonlyArray<string>>
}

export const readSave = (text: string): SavedTable => {
  const chains = new Map<string, Array<string>>()
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start)
    const end = newline === -1 ? text.length : newline
    if (text[start] === ":") {
      const chain = text.slice(start + 1, text.indexOf(" ", start))
      if (!chains.has(chain)) chains.set(chain, [])
    } else if (text.startsWith("-A ", start)) {
      const blank = text.indexOf(" ", start + 3)
      const isBare = blank === -1 || blank > end
      const chain = text.slice(start + 3, isBare ? end : blank)
      const rule = isBare ? "" : text.slice(blank + 1, end)
      const rules = chains.get(chain)
      if (rules === undefined) chains.set(chain, [rule])
      else rules.push(rule)
    }
    start = end + 1
  }
  return { chains }
}
