import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import { logOptions } from "../../../src/agent/api-routes/log-options.ts"

const now = 1_000_000
const of = (query: string) => logOptions(new URLSearchParams(query), now)

describe("what a request for a log asks for", () => {
  it("is all of it where nothing is said", () => {
    assert.deepEqual(Result.getOrThrow(of("")), {
      follow: false,
      previous: false,
      timestamps: false,
      since: undefined,
      tail: undefined,
      limitBytes: undefined,
      stream: undefined
    })
  })

  it("is told in kubelet's words", () => {
    assert.deepEqual(
      Result.getOrThrow(of("follow=true&previous=0&timestamps&tailLines=0&limitBytes=5&sinceSeconds=10")),
      {
        follow: true,
        previous: false,
        timestamps: true,
        since: 990_000_000_000n,
        tail: 0,
        limitBytes: 5,
        stream: undefined
      }
    )
    assert.equal(Result.getOrThrow(of("sinceTime=1970-01-01T00:00:01.5Z")).since, 1_500_000_000n)
    assert.equal(Result.getOrThrow(of("stream=Stderr")).stream, "stderr")
    assert.equal(Result.getOrThrow(of("tail=3&tailLines=9")).tail, 3)
    assert.equal(Result.getOrThrow(of("tail=all&tailLines=9")).tail, undefined)
  })

  it("is refused as kubelet refuses it", () => {
    const statusOf = (query: string) => {
      const result = of(query)
      return Result.isFailure(result) ? result.failure.status : 200
    }
    for (const query of ["tailLines=x", "limitBytes=1.5", "sinceSeconds=1e3", "sinceTime=yesterday"])
      assert.equal(statusOf(query), 400, query)
    for (const query of [
      "tailLines=-1",
      "limitBytes=0",
      "sinceSeconds=0",
      "sinceSeconds=1&sinceTime=1970-01-01T00:00:01Z",
      "stream=Both",
      "stream=toString",
      "stream=Stdout&tailLines=1"
    ])
      assert.equal(statusOf(query), 422, query)
  })
})
