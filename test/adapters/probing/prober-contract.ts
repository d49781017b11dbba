/** What every implementation of `Prober` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Duration, Effect, Fiber, type Scope } from "effect"
import { maxOutputBytes, type Prober, type Question } from "../../../src/adapters/probing/port.ts"

export interface ProberUnderTest {
  readonly prober: (typeof Prober)["Service"]
  /** Questions of each kind to a container that answers well, badly, not within a second, or cannot be asked. */
  readonly good: ReadonlyArray<Question>
  readonly bad: ReadonlyArray<Question>
  readonly silent: ReadonlyArray<Question>
  readonly unaskable: ReadonlyArray<Question>
  /** A good one that answers with more than fits. */
  readonly talkative: ReadonlyArray<Question>
}

export const proberContract = (name: string, make: Effect.Effect<ProberUnderTest, never, Scope.Scope>): void => {
  const withIt = (use: (it: ProberUnderTest) => Effect.Effect<void>): Promise<void> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))
  const each = (
    pick: (it: ProberUnderTest) => ReadonlyArray<Question>,
    check: (answer: Effect.Success<ReturnType<ProberUnderTest["prober"]["ask"]>>, question: Question) => void
  ) =>
    withIt((it) =>
      Effect.forEach(pick(it), (question) => Effect.map(it.prober.ask(question), (answer) => check(answer, question)), {
        discard: true
      })
    )

  describe(`${name} keeps the prober contract`, () => {
    it("answers success for what is well, in whole milliseconds", () =>
      each(
        (it) => it.good,
        (answer, question) => {
          assert.equal(answer.result, "success", question.kind)
          assert.equal(answer.timedOut, false)
          assert.ok(Number.isInteger(answer.durationMillis) && answer.durationMillis >= 0)
        }
      ))
    it("answers failure and says what was seen", () =>
      each(
        (it) => it.bad,
        (answer, question) => {
          assert.equal(answer.result, "failure", question.kind)
          assert.equal(answer.timedOut, false)
          assert.notEqual(answer.output, "")
        }
      ))
    it("answers failure when the time is up, and says so", { timeout: 60_000 }, () =>
      each(
        (it) => it.silent,
        (answer, question) => {
          assert.equal(answer.result, "failure", question.kind)
          assert.equal(answer.timedOut, true)
          assert.match(answer.output, /no answer within 1 s|within 1s/u)
        }
      )
    )
    it("answers error for what cannot be asked", () =>
      each(
        (it) => it.unaskable,
        (answer, question) => assert.equal(answer.result, "error", question.kind)
      ))
    it("cuts long outputs", () =>
      each(
        (it) => it.talkative,
        (answer, question) => {
          assert.equal(answer.result, "success", question.kind)
          assert.ok(Buffer.byteLength(answer.output) <= maxOutputBytes)
          assert.ok(answer.output.length > 0)
        }
      ))
    it("lets go when it is interrupted", { timeout: 60_000 }, () =>
      withIt(({ prober, silent }) =>
        Effect.forEach(
          silent,
          (question) =>
            Effect.gen(function* () {
              const asking = yield* Effect.forkChild(prober.ask({ ...question, timeoutSeconds: 3600 }), {
                startImmediately: true
              })
              yield* Effect.sleep(Duration.millis(50))
              yield* Fiber.interrupt(asking)
              assert.ok(asking.pollUnsafe() !== undefined)
            }),
          { discard: true }
        )
      )
    )
  })
}
