import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { canonical, isEqual } from "../../../src/actors/kernel/json.ts"

const values: ReadonlyArray<unknown> = [
  null,
  0,
  1,
  "",
  "1",
  true,
  [],
  {},
  [1, 2],
  [2, 1],
  [1, 2, undefined],
  { a: 1 },
  { a: 1, b: undefined },
  { b: 2, a: 1 },
  { a: 1, b: 2 },
  { a: { b: [{ c: null }] } },
  { a: { b: [{ c: undefined }] } },
  { a: { b: [{}] } }
]

describe("equality of JSON values", () => {
  it("is that of their canonical texts", () => {
    for (const a of values)
      for (const b of values) {
        // An array's hole is written as null; states and events have none.
        if ([a, b].some((value) => Array.isArray(value) && value.includes(undefined))) continue
        assert.equal(isEqual(a, b), canonical(a) === canonical(b), `${canonical(a)} and ${canonical(b)}`)
      }
  })
})
