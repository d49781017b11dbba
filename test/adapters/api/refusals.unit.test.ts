/** Refused requests as events: some one by one, the others as a number, whoever sends however many. */
import assert from "node:assert/strict"
import { describe } from "node:test"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { maxRefusalsPerMinute, type ServerEvent } from "../../../src/adapters/api/port.ts"
import { makeRefusals } from "../../../src/adapters/api/refusals.ts"
import { effectTest } from "../../support/effect.ts"

describe("refused requests", () => {
  effectTest(
    "are told one by one up to 60 a minute, and how many more there were",
    Effect.gen(function* () {
      const events: Array<ServerEvent> = []
      yield* TestClock.adjust("1 hour")
      const { tell } = yield* makeRefusals((event) => Effect.sync(() => void events.push(event)))
      const user = { name: "bob", groups: Array.from({ length: 100 }, (_, i) => `g${i}`) }
      const send = (times: number) =>
        Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          const access = {
            at,
            listener: "tls",
            from: "10.0.0.9:1",
            user,
            verb: "get",
            path: `/${"x".repeat(9_000)}`
          } as const
          for (let n = 0; n < times; n++) yield* tell(access, 403, "may not")
        })
      yield* send(1_000)
      assert.equal(events.length, maxRefusalsPerMinute)
      const [first] = events
      assert.ok(first?._tag === "ApiRequestRefused")
      assert.deepEqual([first.path.length, first.groups.length, first.user, first.status], [512, 32, "bob", 403])
      yield* TestClock.adjust("2 minutes")
      assert.deepEqual(events.slice(maxRefusalsPerMinute), [
        { _tag: "ApiRefusalsOmitted", count: 1_000 - maxRefusalsPerMinute, since: "1970-01-01T01:00:00.000Z" }
      ])
      yield* send(1)
      assert.equal(events.length, maxRefusalsPerMinute + 2)
      yield* TestClock.adjust("1 hour")
      assert.equal(events.length, maxRefusalsPerMinute + 2, "nothing was left out, nothing more is told")
    })
  )
})
