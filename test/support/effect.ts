/** Tests that are Effects, for node:test on Bun and Deno. */
import { it } from "node:test"
import { Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"

export interface TestOptions {
  /** Why this machine cannot run it, as `requires` answers; `false`: it can. */
  readonly skip?: string | false
  /** Milliseconds of real time. */
  readonly timeout?: number
}

/**
 * A test in virtual time: the clock starts at 0 and moves only by `TestClock.adjust`. Fork what sleeps, then adjust.
 * Only Effect's clock is virtual: `Date.now`, sockets and processes are not. The scope closes when the test ends.
 */
export const effectTest = <A, E>(
  name: string,
  test: Effect.Effect<A, E, Scope.Scope>,
  options: TestOptions = {}
): void => liveTest(name, test.pipe(Effect.scoped, Effect.provide(TestClock.layer())), options)

/** A test in real time. The scope closes when the test ends, also when it fails. */
export const liveTest = <A, E>(name: string, test: Effect.Effect<A, E, Scope.Scope>, options: TestOptions = {}): void =>
  void it(name, { ...options }, async () => {
    await Effect.runPromise(Effect.scoped(test))
  })
