import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { idHash, makeCauseIndex } from "../../../src/cli/event-log/incident-causes.ts"

const indexOf = (links: ReadonlyArray<readonly [id: string, cause?: string]>) => {
  const index = makeCauseIndex()
  for (const [id, cause] of links) index.add(id, cause)
  return index
}

describe("the index of causes", () => {
  it("finds an event with all its causes, and nothing else", () => {
    const index = indexOf([["a"], ["b", "a"], ["x"], ["c", "b"], ["y", "x"]])
    assert.deepEqual([...index.chainOf("c")].sort(), [0, 1, 3])
    assert.deepEqual([...index.chainOf("x")], [2])
  })

  it("ends where the log does not hold a cause", () => {
    assert.deepEqual(
      [
        ...indexOf([
          ["b", "a"],
          ["c", "b"]
        ]).chainOf("c")
      ].sort(),
      [0, 1]
    )
    assert.equal(indexOf([["a"]]).chainOf("b").size, 0)
    assert.equal(makeCauseIndex().chainOf("a").size, 0)
  })

  it("ends in a forged log whose causes go in a circle or forward", () => {
    assert.deepEqual(
      [
        ...indexOf([
          ["a", "b"],
          ["b", "a"]
        ]).chainOf("b")
      ].sort(),
      [0, 1]
    )
    assert.deepEqual([...indexOf([["a", "b"], ["b"]]).chainOf("a")], [0])
  })

  it("holds many more events than it was made for", () => {
    const index = makeCauseIndex()
    for (let i = 0; i < 20_000; i++) index.add(`id-${i}`, i === 0 ? undefined : `id-${i - 1}`)
    assert.equal(index.chainOf("id-19999").size, 20_000)
  })

  it("tells ids apart, in whole numbers above zero", () => {
    const hashes = new Set<number>()
    for (let i = 0; i < 50_000; i++) hashes.add(idHash(`019aa000-0000-7000-8000-${i.toString(16).padStart(12, "0")}`))
    assert.equal(hashes.size, 50_000)
    for (const hash of hashes) assert.ok(Number.isInteger(hash) && hash > 0 && hash <= 2 ** 53)
  })
})
