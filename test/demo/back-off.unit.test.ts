import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { longBackOff } from "../../scripts/demo/back-off.ts"
import type { Seen, Wanted } from "../../scripts/demo/watch.ts"

const began = Date.UTC(2026, 0, 15, 9, 30)
const who = "pod/default/crash-loop"
/** A back-off that starts so many seconds after the beginning. */
const backOff = (after: number, delaySeconds: number): Seen => ({
  time: "",
  severity: "WARN",
  who,
  type: "ContainerBackOffStarted",
  facts: { delaySeconds, until: new Date(began + (after + delaySeconds) * 1000).toISOString() }
})

/** What was seen up to now, and what comes when it is waited for. */
const watchOf = (seen: ReadonlyArray<Seen>, later: ReadonlyArray<Seen>) => {
  const coming = [...later]
  return {
    mark: seen.length,
    last: () => seen.at(-1),
    next: async ({ having }: Wanted, from = 0): Promise<Seen> => {
      const found = from > 0 ? coming.shift() : seen.find(({ facts }) => facts.delaySeconds === having?.delaySeconds)
      assert.ok(found !== undefined, "waits for ever")
      return found
    }
  }
}
const chosen = async (seen: ReadonlyArray<Seen>, later: ReadonlyArray<Seen>, after: number) =>
  (await longBackOff(watchOf(seen, later), who, () => began + after * 1000)).facts.delaySeconds

describe("the back-off in which the demo kills the agent", () => {
  const first = [backOff(5, 10), backOff(17, 20)]
  it("is that of 20 s, while it goes on", async () => {
    assert.equal(await chosen(first, [], 20), 20)
  })

  it("is the one that runs, where that of 20 s is over", async () => {
    assert.equal(await chosen([...first, backOff(39, 40)], [], 45), 40)
  })

  it("is the next one, where none goes on for long enough", async () => {
    assert.equal(await chosen(first, [backOff(39, 40)], 32), 40)
  })
})
