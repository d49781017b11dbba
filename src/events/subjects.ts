/** NATS subjects with wildcards, held against each other: `*` is one token, `>` one or more at the end. */

/** True when every subject that `subject` matches is matched by `pattern` too. */
export const covers = (pattern: string, subject: string): boolean => {
  const wide = pattern.split(".")
  const narrow = subject.split(".")
  for (const [index, token] of wide.entries()) {
    if (token === ">") return narrow.length > index
    const other = narrow[index]
    if (other === undefined || other === ">" || (token !== "*" && token !== other)) return false
  }
  return wide.length === narrow.length
}

/** The pattern that matches what both match; `undefined`: nothing. */
export const intersection = (one: string, other: string): string | undefined => {
  const [a, b] = [one.split("."), other.split(".")]
  const both: Array<string> = []
  for (let index = 0; ; index++) {
    const [x, y] = [a[index], b[index]]
    if (x === undefined && y === undefined) return both.join(".")
    if (x === undefined || y === undefined) return undefined
    if (x === ">") return [...both, ...b.slice(index)].join(".")
    if (y === ">") return [...both, ...a.slice(index)].join(".")
    if (x !== y && x !== "*" && y !== "*") return undefined
    both.push(x === "*" ? y : x)
  }
}
