import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { cut, fit, joined, padStart, widthOf, wrapped } from "../../../src/cli/top/layout.ts"

describe("text in a terminal's cells", () => {
  it("is measured by what it takes, not by its characters", () => {
    for (const [text, width] of [
      ["", 0],
      ["web", 3],
      ["漢字", 4],
      ["e\u0301", 1],
      ["👩‍👩‍👧", 2],
      ["→…", 2]
    ] as const)
      assert.equal(widthOf(text), width, text)
  })

  it("is cut and filled to a width exactly", () => {
    for (const [text, width, cutTo] of [
      ["default/web", 20, "default/web"],
      ["default/web", 11, "default/web"],
      ["default/web", 5, "defa…"],
      ["default/web", 1, "…"],
      ["default/web", 0, ""],
      ["漢字漢字", 5, "漢字…"],
      ["漢字漢字", 4, "漢…"],
      ["👩‍👩‍👧👩‍👩‍👧", 3, "👩‍👩‍👧…"]
    ] as const) {
      assert.equal(cut(text, width), cutTo, text)
      assert.equal(widthOf(fit(text, width)), width, text)
    }
    assert.equal(padStart("7", 3), "  7")
  })

  it("is joined as far as there is room", () => {
    assert.equal(joined(["a", "", "bb", "ccc"], 5), "a  bb")
    assert.equal(joined(["long"], 3), "")
  })

  it("is wrapped between words, and within one that is longer than a line", () => {
    assert.deepEqual(wrapped("fits   as it is", 20), ["fits   as it is"])
    assert.deepEqual(wrapped("one  two three", 8), ["one two", "  three"])
    assert.deepEqual(wrapped("  output  statuscode", 12), ["  output", "    statusco", "de"])
    for (const line of wrapped("漢字漢字漢字 x", 5)) assert.ok(widthOf(line) <= 5)
  })
})
