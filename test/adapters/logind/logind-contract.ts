/** What every logind keeps to: it waits for as long as somebody holds an inhibitor, and says what it is about to do. */
import assert from "node:assert/strict"
import { it } from "node:test"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import type { LogindShape } from "../../../src/adapters/logind/port.ts"

export interface LogindUnderTest {
  readonly logind: LogindShape
  /** Milliseconds. */
  readonly delayLimit: number
  /** Inhibitors that are held, when that has come to rest. */
  readonly inhibitors: (expected: number) => Promise<void>
  readonly prepare: (active: boolean) => Promise<void>
}

export const logindContract = (get: () => LogindUnderTest): void => {
  it("waits for as long as an inhibitor is held, and tells how long at most", async () => {
    const { logind, delayLimit, inhibitors } = get()
    const scope = Effect.runSync(Scope.make())
    assert.equal(await Effect.runPromise(Scope.provide(logind.inhibit, scope)), delayLimit)
    await inhibitors(1)
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await inhibitors(0)
  })

  it("says whether it is about to shut down, and each change", async () => {
    const { logind, prepare } = get()
    const seen: Array<boolean> = []
    const waiting = Effect.runFork(
      Stream.runForEach(Stream.take(logind.preparing, 3), (active) => Effect.sync(() => seen.push(active)))
    )
    while (seen.length < 1) await new Promise((resolve) => setTimeout(resolve, 10))
    await prepare(true)
    while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    const late = await Effect.runPromise(Stream.runCollect(Stream.take(logind.preparing, 1)))
    await prepare(false)
    await Effect.runPromise(Fiber.join(waiting))
    assert.deepEqual(seen, [false, true, false])
    assert.deepEqual([...late], [true], "who asks later is told how it is")
  })
}
