/** Walks the whole log in bounded steps and names the first place where its chain, its columns or its indexes do not hold. */
import type { DatabaseSync } from "node:sqlite"
import { makeChain } from "./chain.ts"
import type { ChainBreak, VerifyReport } from "./port.ts"
import { isCorrupt, textOf } from "./sqlite-failure.ts"
import { prepareIndexCheck } from "./sqlite-index-check.ts"
import { type LogState, stepBytes, stepRows, type Task } from "./sqlite-log.ts"

/** What is checked of a row. The line is read as bytes: damaged UTF-8 must not be mended on the way. */
interface CheckedRow {
  readonly sequence: number
  readonly id: string
  readonly time: number
  readonly hash: string
  readonly line: Uint8Array
  readonly type: string | null
  readonly actor: string | null
  readonly correlation: string | null
}

const decoder = new TextDecoder()
/** The path in `/nodes/<node>/<path>`. Not `parseSource`: its module would bring the whole of Schema into the worker. */
const pathOf = (source: string): string => decodeURI(source.slice(source.indexOf("/", "/nodes/".length) + 1))
const tagOf = (type: string): string => type.replace(/^dev\.chronode\./u, "").replace(/\.v\d+$/u, "")

/** The columns by which rows are found must say what the line says. */
const columnProblem = (row: CheckedRow): string | undefined => {
  let event: Record<string, unknown>
  try {
    event = JSON.parse(decoder.decode(row.line)) as Record<string, unknown>
  } catch (error) {
    return `the line is no JSON: ${textOf(error)}`
  }
  const expected = {
    sequence: Number(event.sequence),
    id: event.id,
    time: Date.parse(String(event.time)),
    type: tagOf(String(event.type)),
    actor: pathOf(String(event.source)),
    correlation: event.correlationid ?? null
  }
  const differs = (Object.keys(expected) as Array<keyof typeof expected>).find((key) => expected[key] !== row[key])
  if (differs === undefined) return undefined
  return `the column ${differs} is ${JSON.stringify(row[differs])}, the stored event says ${JSON.stringify(expected[differs])}`
}

export const verifyTask = (db: DatabaseSync, readState: () => LogState): Task<VerifyReport> => {
  const start = readState()
  const chain = makeChain(start.base.hash)
  let position = start.base.sequence
  /** The first step begins below everything: no row may lie before the cut. */
  let below = -1
  let events = 0
  const rows = db.prepare(
    `SELECT e.sequence, e.id, e.time, e.hash, CAST(e.line AS BLOB) AS line,
            t.name AS type, a.name AS actor, c.name AS correlation
     FROM events e LEFT JOIN names t ON t.key = e.type LEFT JOIN names a ON a.key = e.actor
          LEFT JOIN names c ON c.key = e.correlation
     WHERE e.sequence > ? AND e.sequence <= ? ORDER BY e.sequence LIMIT ?`
  )
  const beyond = db.prepare("SELECT min(sequence) AS sequence FROM events WHERE sequence > ?")
  const lackedByAnIndex = prepareIndexCheck(db)

  const check = (row: CheckedRow): string | undefined => {
    if (row.sequence <= position) return "a row stands before the place where the journal begins"
    const expected = chain.nextBytes(row.line)
    if (expected !== row.hash)
      return "the stored event, its place or its hash was changed: it does not follow from the row before"
    return columnProblem(row)
  }
  interface Walked {
    readonly end: boolean
    readonly broken: ChainBreak | undefined
  }
  const step = (): Walked => {
    const { base } = readState()
    if (base.sequence > position) {
      // Pruned meanwhile: go on behind the cut.
      position = base.sequence
      below = position
      chain.reset(base.hash)
    }
    const from = position
    const walked = walk()
    // What an index lacks lies before the place where the walk came to an end.
    const lacked = lackedByAnIndex(from, Math.min(position, start.indexed))
    return lacked === undefined ? walked : { end: true, broken: lacked }
  }
  const walk = (): Walked => {
    let bytes = 0
    let count = 0
    for (const row of rows.iterate(below, start.head.sequence, stepRows) as unknown as Iterable<CheckedRow>) {
      if (row.sequence > position + 1)
        return { end: true, broken: { sequence: position + 1, problem: `the row is missing; ${row.sequence} follows` } }
      const problem = check(row)
      if (problem !== undefined) return { end: true, broken: { sequence: row.sequence, problem } }
      position = row.sequence
      below = position
      events++
      count++
      bytes += row.line.length
      if (bytes >= stepBytes) return { end: false, broken: undefined }
    }
    return count >= stepRows ? { end: false, broken: undefined } : { end: true, broken: headProblem() }
  }
  const headProblem = (): ChainBreak | undefined => {
    if (position < start.head.sequence)
      return { sequence: position + 1, problem: `the row is missing; the journal's head is ${start.head.sequence}` }
    if (chain.head() !== start.head.hash)
      return { sequence: start.head.sequence, problem: "the journal's head has another hash than the last row" }
    if (start.indexed > start.head.sequence)
      return { sequence: start.head.sequence + 1, problem: `the indexes are said to reach to ${start.indexed}` }
    const last = readState().head.sequence
    const extra = (beyond.get(last) as { readonly sequence: number | null }).sequence
    return extra === null ? undefined : { sequence: extra, problem: `a row stands beyond the journal's head, ${last}` }
  }
  return {
    step: () => {
      let result: ReturnType<typeof step>
      try {
        result = step()
      } catch (error) {
        if (!isCorrupt(error)) throw error
        result = { end: true, broken: { sequence: position + 1, problem: `the database is damaged: ${textOf(error)}` } }
      }
      return {
        done: result.end,
        value: { events, first: start.base.sequence + 1, head: start.head, broken: result.broken }
      }
    }
  }
}
