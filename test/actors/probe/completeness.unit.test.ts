/** Every upstream table about probes and hooks is judged by a test of this project. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { readCase, type Table } from "../../support/cases.ts"

const judges = [
  "actors/probe/asked.unit.test.ts",
  "actors/probe/decider.unit.test.ts",
  "actors/pod/policies/hooks.unit.test.ts",
  "adapters/probing/live.int.test.ts"
]

describe("the upstream tables about probes", () => {
  it("are all judged", () => {
    const judging = judges.map((path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).join("\n")
    const forgotten = ["probe-http.json", "prober.json", "prober-worker.json"].flatMap((file) => {
      const content = readCase(file)
      return ((content.tables ?? [content]) as ReadonlyArray<Table>)
        .filter(({ origin }) => !judging.includes(`"${origin.test}"`))
        .map(({ origin }) => `${file} ${origin.test}`)
    })
    assert.deepEqual(forgotten, [])
  })
})
