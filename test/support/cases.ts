/**
 * The upstream tables of test/cases, read and judged. One test per table; a row that fails is named in the message, and a
 * row that is not met on purpose says why. The counts are printed, so that what is missing stays in sight.
 */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { it } from "node:test"

const folder = new URL("../cases/", import.meta.url)

/** A part of a row: data of whatever shape its table has. */
// biome-ignore lint/suspicious/noExplicitAny: thousands of rows of some hundred shapes are told apart by their tables
export type RowValue = any

export interface Row<In = RowValue, Want = RowValue> {
  readonly name: string
  readonly in: In
  readonly want: Want
  readonly gates?: Readonly<Record<string, boolean>>
}
export interface Table {
  readonly origin: { readonly path: string; readonly test: string; readonly version: string }
  readonly about: string
  readonly rows: ReadonlyArray<Row>
  readonly [shared: string]: unknown
}

export const readCase = (name: string): RowValue => JSON.parse(readFileSync(new URL(name, folder), "utf8"))
export const caseNames = (subfolder: string): ReadonlyArray<string> =>
  readdirSync(new URL(`${subfolder}/`, folder)).sort()

/** The tables of a file whose upstream test has this name, in order; fails when there is none. */
export const tables = (file: string, test: string): ReadonlyArray<Table> => {
  const content = readCase(file)
  const found = ((content.tables ?? [content]) as ReadonlyArray<Table>).filter((table) => table.origin.test === test)
  assert.ok(found.length > 0, `${file} has no table of ${test}`)
  return found
}

/** Why a row is not met: `later`, a feature that is still to come; `differs`, on purpose and for good. */
export class NotMet {
  readonly kind: "later" | "differs"
  readonly reason: string
  constructor(kind: "later" | "differs", reason: string) {
    this.kind = kind
    this.reason = reason
  }
}
export const later = (reason: string): NotMet => new NotMet("later", reason)
export const differs = (reason: string): NotMet => new NotMet("differs", reason)

export interface Tally {
  met: number
  readonly notMet: Map<string, number>
}

/** Judges rows one by one. `check` throws where a row fails and answers a `NotMet` where it is not met on purpose. */
export const judge = (title: string, rows: ReadonlyArray<Row>, check: (row: Row) => undefined | NotMet): Tally => {
  const tally: Tally = { met: 0, notMet: new Map() }
  const failures: Array<string> = []
  for (const row of rows) {
    try {
      const result = check(row)
      if (result === undefined) tally.met += 1
      else {
        const reason = `${result.kind}: ${result.reason}`
        tally.notMet.set(reason, (tally.notMet.get(reason) ?? 0) + 1)
      }
    } catch (error) {
      failures.push(`  row ${JSON.stringify(row.name)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const missing = [...tally.notMet].map(([reason, count]) => `; ${count} ${reason}`).join("")
  console.log(`cases: ${title}: ${tally.met} of ${rows.length} rows met${missing}`)
  assert.equal(
    failures.length,
    0,
    `${failures.length} of ${rows.length} rows of ${title} fail:\n${failures.join("\n")}`
  )
  assert.ok(tally.met > 0, `no row of ${title} is met`)
  return tally
}

/** One test over all tables of an upstream test. `pick` chooses among tables that share the name. */
export const itMeets = (
  file: string,
  test: string,
  behaviour: string,
  check: (row: Row, table: Table) => undefined | NotMet,
  pick: (table: Table) => boolean = () => true
): void => {
  it(`${behaviour} (${test})`, () => {
    const found = tables(file, test).filter(pick)
    assert.ok(found.length > 0, `no table of ${test} in ${file} was picked`)
    for (const table of found) judge(`${file} ${test}`, table.rows, (row) => check(row, table))
  })
}

/** A pod as rows write it (absent lists are null, names may be missing), with the fields that every pod has here. */
export const podOf = (pod: RowValue): RowValue => ({
  ...pod,
  metadata: { name: "", namespace: "", uid: "", ...pod?.metadata },
  spec: { ...pod?.spec, containers: pod?.spec?.containers ?? [] }
})

/** Without entries that are undefined, zero, empty or false, all the way down: proto3's view of a message. */
export const withoutZero = (value: RowValue): RowValue => {
  if (Array.isArray(value)) return value.map(withoutZero)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, withoutZero(inner)] as const)
    .filter(
      ([, inner]) =>
        !(
          inner === undefined ||
          inner === null ||
          inner === 0 ||
          inner === "" ||
          inner === false ||
          (Array.isArray(inner) && inner.length === 0)
        )
    )
  return Object.fromEntries(entries)
}
