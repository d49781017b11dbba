/**
 * `$(NAME)` references in commands, arguments and environment values (`third_party/forked/golang/expansion`): a known name
 * is replaced, an unknown one stays as written, `$$` is a literal `$`, and a lone `$` or an unclosed `$(` stays too.
 */

/** Answers the value of a name; `undefined` where it is not known. */
export type Lookup = (name: string) => string | undefined

/** Expands in one pass: what a value contains is not expanded again. */
export const expand = (text: string, lookup: Lookup): string => {
  let out = ""
  let from = 0
  for (let at = text.indexOf("$"); at !== -1 && at + 1 < text.length; at = text.indexOf("$", from)) {
    out += text.slice(from, at)
    const next = text[at + 1]
    if (next === "$") {
      out += "$"
      from = at + 2
    } else if (next === "(") {
      const close = text.indexOf(")", at + 2)
      if (close === -1) {
        // Unclosed: the opening stands for itself, and what follows is read as text.
        out += "$("
        from = at + 2
      } else {
        const name = text.slice(at + 2, close)
        out += lookup(name) ?? `$(${name})`
        from = close + 1
      }
    } else {
      out += `$${next}`
      from = at + 2
    }
  }
  return out + text.slice(from)
}

/** Looks a name up in several maps, the first that has it. */
export const lookupIn =
  (...maps: ReadonlyArray<ReadonlyMap<string, string>>): Lookup =>
  (name) => {
    for (const map of maps) {
      const value = map.get(name)
      if (value !== undefined) return value
    }
    return undefined
  }
