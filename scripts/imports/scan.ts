/**
 * The imports of a TypeScript file, found without a compiler: comments, strings, templates and regular expressions are
 * blanked first (same length, same lines), then the import forms are matched in what is left.
 */

export interface Import {
  readonly specifier: string
  /** Counted from 1. */
  readonly line: number
  /** `import type` and `export type … from`: erased, so nothing is loaded. */
  readonly typeOnly: boolean
  /** `static` at load, `dynamic` when the call runs, `url` a file that a worker is started from. */
  readonly form: "static" | "dynamic" | "url"
}

/** Words after which `/` begins a regular expression, not a division. */
const beforeRegex = /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|yield|await)$/
const regexStarts = new Set([..."(,=:[!&|?{};+-*%~^<>"])

/** The text with comments, strings, templates' text and regular expressions as spaces. Quotes and line ends stay. */
export const blank = (text: string): string => {
  const out = text.split("")
  const wipe = (from: number, to: number) => {
    for (let k = from; k < to && k < out.length; k++) if (out[k] !== "\n") out[k] = " "
  }
  /** For each open `${`: the depth of braces at which it closes. */
  const templates: Array<number> = []
  let depth = 0
  let i = 0
  const templateText = () => {
    const start = i
    while (i < text.length && text[i] !== "`" && !(text[i] === "$" && text[i + 1] === "{"))
      i += text[i] === "\\" ? 2 : 1
    wipe(start, i)
    if (text[i] === "$") {
      templates.push(depth++)
      i += 2
    } else i += 1
  }
  while (i < text.length) {
    const c = text[i]!
    if (c === "/" && text[i + 1] === "/") {
      const end = text.indexOf("\n", i)
      wipe(i, end === -1 ? text.length : end)
      i = end === -1 ? text.length : end
    } else if (c === "/" && text[i + 1] === "*") {
      const end = text.indexOf("*/", i + 2)
      wipe(i, end === -1 ? text.length : end + 2)
      i = end === -1 ? text.length : end + 2
    } else if (c === '"' || c === "'") {
      const start = ++i
      while (i < text.length && text[i] !== c && text[i] !== "\n") i += text[i] === "\\" ? 2 : 1
      wipe(start, i)
      i += 1
    } else if (c === "`") {
      i += 1
      templateText()
    } else if (c === "}" && templates.at(-1) === depth - 1) {
      depth -= 1
      templates.pop()
      i += 1
      templateText()
    } else if (c === "/" && opensRegex(out, i)) {
      const start = i++
      let inClass = false
      while (i < text.length && text[i] !== "\n" && (inClass || text[i] !== "/")) {
        if (text[i] === "[") inClass = true
        else if (text[i] === "]") inClass = false
        i += text[i] === "\\" ? 2 : 1
      }
      wipe(start, i + 1)
      i += 1
    } else {
      if (c === "{") depth += 1
      else if (c === "}") depth -= 1
      i += 1
    }
  }
  return out.join("")
}

const opensRegex = (out: ReadonlyArray<string>, at: number): boolean => {
  let k = at - 1
  while (k >= 0 && /\s/.test(out[k]!)) k -= 1
  if (k < 0 || regexStarts.has(out[k]!)) return true
  return beforeRegex.test(out.slice(Math.max(0, k - 10), k + 1).join(""))
}

const clause = String.raw`(?:[\w$]+|\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})`
const forms: ReadonlyArray<readonly [Import["form"], RegExp]> = [
  [
    "static",
    new RegExp(
      String.raw`(?<![.\w$])(?:import|export)\s*(?<type>type\s+)?${clause}(?:\s*,\s*${clause})?\s*from\s*["']`,
      "g"
    )
  ],
  ["static", /(?<![.\w$])import\s*["']/g],
  ["dynamic", /(?<![.\w$])(?:import|require)\s*\(\s*["']/g],
  ["url", /(?<![.\w$])new\s+URL\(\s*["'](?=[^"']*["']\s*,\s*import\.meta\.url)/g]
]

/** Every import of the file, in the order of lines. `blanked` is `blank(text)`. */
export const importsOf = (text: string, blanked = blank(text)): ReadonlyArray<Import> => {
  const found: Array<Import & { readonly at: number }> = []
  for (const [form, pattern] of forms) {
    for (const match of blanked.matchAll(pattern)) {
      const open = match.index + match[0].length
      const quote = text[open - 1]!
      found.push({
        specifier: text.slice(open, text.indexOf(quote, open)),
        line: lineAt(text, open),
        typeOnly: match.groups?.type !== undefined,
        form,
        at: open
      })
    }
  }
  return found.sort((a, b) => a.at - b.at).map(({ at: _, ...rest }) => rest)
}

/** The line, from 1, of a position. */
export const lineAt = (text: string, position: number): number => {
  let line = 1
  for (let k = text.indexOf("\n"); k !== -1 && k < position; k = text.indexOf("\n", k + 1)) line += 1
  return line
}
