/**
 * What is typed into the search box: words that must all be found, in the sentence, type or place of an event or in the
 * event as it is stored; `type:`, `pod:`, `kind:` and `severity:` (at least) look at one thing only. Pure.
 */

export interface Query {
  /** In lower case; looked for anywhere. */
  readonly words: ReadonlyArray<string>
  readonly type: ReadonlyArray<string>
  readonly pod: ReadonlyArray<string>
  readonly kind: ReadonlyArray<string>
  /** Position in `severityNames`. */
  readonly severity: number
}

const levels: Readonly<Record<string, number>> = { trace: 0, debug: 1, info: 2, warn: 3, warning: 3, error: 4 }
/** `word`, `"two words"`, `type:word`, `pod:"a b"` */
const termPattern = /(?:(type|pod|kind|severity):)?(?:"([^"]*)"|(\S+))/gu

export const parseQuery = (text: string): Query => {
  const query = {
    words: [] as Array<string>,
    type: [] as Array<string>,
    pod: [] as Array<string>,
    kind: [] as Array<string>
  }
  let severity = 0
  for (const [, field, quoted, word] of text.toLowerCase().matchAll(termPattern)) {
    const value = quoted ?? word ?? ""
    if (value === "") continue
    if (field === undefined) query.words.push(value)
    else if (field === "severity") severity = Math.max(severity, levels[value] ?? 0)
    else query[field as "type" | "pod" | "kind"].push(value)
  }
  return { ...query, severity }
}

/** What a query looks at in an event; all in lower case. */
export interface Searched {
  readonly type: string
  /** `namespace/name`; empty: of no pod. */
  readonly pod: string
  readonly kind: string
  readonly severity: number
}

/** Everything but the words. */
export const fits = ({ kind, pod, severity, type }: Query, event: Searched): boolean =>
  event.severity >= severity &&
  (type.length === 0 || type.some((t) => event.type.includes(t))) &&
  (pod.length === 0 || pod.some((p) => event.pod.includes(p))) &&
  (kind.length === 0 || kind.includes(event.kind))

export const hasWords = (words: ReadonlyArray<string>, text: string): boolean => words.every((w) => text.includes(w))
