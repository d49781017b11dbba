import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type GivenHead, makeHeadProof, maxRanges } from "../../../src/events/journal/head-proof.ts"
import { headText, parseHead } from "../../../src/events/journal/head-text.ts"

/** Hash of a sequence in one chain, told by a letter. */
const hash = (sequence: number, chain = "a") => chain.repeat(56) + sequence.toString(16).padStart(8, "0")
const rowsOf = (sequences: ReadonlyArray<number>, chain?: string) =>
  sequences.map((sequence) => ({ sequence, hash: hash(sequence, chain) }))
const proofOf = (sequences: ReadonlyArray<number>, given: ReadonlyArray<GivenHead> = []) => {
  const proof = makeHeadProof(given)
  rowsOf(sequences).forEach(proof.row)
  return proof
}
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

describe("a proof by heads", () => {
  it("covers what stands before a head, up to a gap", () => {
    const { broken, proven, unproven } = proofOf([1, 2, 3, 5, 6, 7], [{ sequence: 6, hash: hash(6) }]).end()
    assert.deepEqual(
      { broken, proven, unproven },
      {
        broken: undefined,
        proven: 2,
        unproven: [
          { first: 1, last: 3 },
          { first: 7, last: 7 }
        ]
      }
    )
  })

  it("says of a head that is not there what that means", () => {
    const problem = (sequence: number | undefined, of: string) =>
      proofOf([3, 4, 6], [{ sequence, hash: of }]).end().broken?.problem ?? ""
    assert.match(problem(4, hash(4, "b")), /it was changed here or before/u)
    assert.match(problem(9, hash(9)), /it ends at 6/u)
    assert.match(problem(1, hash(1)), /it begins at 3/u)
    assert.match(problem(5, hash(5)), /it leaves it out/u)
    assert.match(problem(undefined, hash(9)), /no event has the head/u)
    assert.match(problem(3, hash(4)), /it was changed/u, "a head of another sequence than it says")
  })

  it("counts published heads that differ only where their chain agrees elsewhere", () => {
    const made = proofOf(upTo(5))
    for (const head of rowsOf(upTo(9), "b")) made.published(head)
    for (const head of rowsOf([1, 2, 3])) made.published(head)
    const { broken, unproven } = made.end()
    assert.deepEqual([broken, unproven], [undefined, [{ first: 4, last: 5 }]])
    const forged = proofOf(upTo(5))
    for (const head of [...rowsOf([1, 2, 3]), ...rowsOf([4, 5], "b")]) forged.published(head)
    assert.equal(forged.end().broken?.sequence, 4)
  })

  it("counts what is missing within its range only, and only in its own chain", () => {
    const lacking = (chain: string, wanted: number) => {
      const proof = proofOf([2, 3, 5])
      for (const head of rowsOf(upTo(7), chain)) proof.published(head, head.sequence === wanted)
      return proof.end().broken?.sequence
    }
    assert.deepEqual(
      [lacking("a", 4), lacking("a", 1), lacking("a", 6), lacking("b", 4)],
      [4, undefined, undefined, undefined]
    )
  })

  it("tells at most so many ranges, and nothing of an empty slice", () => {
    assert.equal(proofOf(upTo(100).map((n) => 2 * n)).end().unproven.length, maxRanges)
    assert.deepEqual(proofOf([]).end(), { events: 0, proven: 0, unproven: [], broken: undefined })
  })
})

describe("a head as text", () => {
  it("is read back, and nothing else is", () => {
    const head = { sequence: 193, hash: hash(193) }
    assert.deepEqual(parseHead(headText(head)), head)
    for (const text of [
      "",
      "193",
      `:${hash(1)}`,
      `0:${hash(1)}`,
      `1:${hash(1)}0`,
      `1:${hash(1).toUpperCase()}`,
      `9e3:${hash(1)}`
    ])
      assert.equal(parseHead(text), undefined, text)
  })
})
