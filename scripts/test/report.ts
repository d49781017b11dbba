/** Reading what the runners report: JUnit files of `bun test` and `deno test`, and the recorder's notes. */
import type { Note } from "../../test/support/recorder/notes.ts"
import type { Runtime } from "./options.ts"

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const noCounts: Counts = { passed: 0, failed: 0, skipped: 0 }
export const addCounts = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped
})

interface Case {
  readonly name: string
  readonly failure: string | undefined
  readonly skipped: boolean
}

const casesOf = (xml: string): ReadonlyArray<Case> =>
  [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, attributes = "", body = ""]) => ({
    name: /\bname="([^"]*)"/.exec(attributes)?.[1] ?? "",
    failure: /<(?:failure|error)\b([^>]*)>/.exec(body)?.[1],
    skipped: /<skipped\b/.test(body)
  }))

/**
 * Counts of tests, not of suites. Deno 2.9 lists a suite of node:test as one more case, named like the head of its tests'
 * names; a suite counts only when it failed by itself (a hook, its body). Bun 1.4 lists tests only.
 */
export const countCases = (xml: string, runtime: Runtime): Counts => {
  const cases = casesOf(xml)
  const isSuite = ({ name }: Case): boolean =>
    runtime === "deno" && cases.some((other) => other.name.startsWith(`${name} &gt; `))
  let counts = noCounts
  for (const it of cases) {
    if (isSuite(it) && (it.failure === undefined || /test steps? failed/.test(it.failure))) continue
    counts = addCounts(counts, {
      passed: it.failure === undefined && !it.skipped ? 1 : 0,
      failed: it.failure !== undefined ? 1 : 0,
      skipped: it.failure === undefined && it.skipped ? 1 : 0
    })
  }
  return counts
}

export const parseNotes = (text: string): ReadonlyArray<Note> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Note)

/**
 * Evens out what the runtimes tell of skips: Bun leaves a skipped suite out, Deno counts it as one test; a test that
 * calls `t.skip()` is skipped on Bun and passed on Deno.
 */
export const withNotes = (counts: Counts, notes: ReadonlyArray<Note>, runtime: Runtime): Counts => {
  const skips = (by: string) => notes.filter((n) => n.kind === "skip" && n.by === by).length
  if (runtime === "bun") return { ...counts, skipped: counts.skipped + skips("suite") }
  return { ...counts, passed: counts.passed - skips("call"), skipped: counts.skipped + skips("call") }
}
