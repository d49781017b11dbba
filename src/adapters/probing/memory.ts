/** `Prober` in memory, for tests and simulated nodes: answers are written down beforehand. Keeps the time of the clock. */
import { Context, Effect, Layer } from "effect"
import { clip } from "./outcome.ts"
import { type Answer, Prober, type Question } from "./port.ts"

/** What a container shall answer. `afterMillis` may be beyond the question's timeout: then the answer is late. */
export interface Scripted {
  readonly result: Answer["result"]
  readonly output?: string
  readonly afterMillis?: number
}

/** The other end: what the containers answer. */
export class ProberControl extends Context.Service<
  ProberControl,
  {
    /** All further questions for which `matches` holds are answered so; the rule set last counts. */
    readonly answer: (matches: (question: Question) => boolean, scripted: Scripted) => Effect.Effect<void>
    /** The last `maxKept` questions, oldest first. */
    readonly asked: Effect.Effect<ReadonlyArray<Question>>
  }
>()("chronode/ProberControl") {}

const maxKept = 10_000

/** Without rules every question is answered with success at once. */
export const make = Effect.sync(() => {
  const rules: Array<{ readonly matches: (question: Question) => boolean; readonly scripted: Scripted }> = []
  const asked: Array<Question> = []

  const prober = Prober.of({
    ask: (question) =>
      Effect.suspend(() => {
        asked.push(question)
        if (asked.length > maxKept) asked.shift()
        const {
          result,
          output = "",
          afterMillis = 0
        } = rules.findLast((r) => r.matches(question))?.scripted ?? { result: "success" }
        const limit = question.timeoutSeconds * 1000
        const answer: Answer =
          afterMillis >= limit
            ? {
                result: "failure",
                output: `no answer within ${question.timeoutSeconds} s`,
                timedOut: true,
                durationMillis: limit
              }
            : { result, output: clip(output), timedOut: false, durationMillis: afterMillis }
        return answer.durationMillis === 0
          ? Effect.succeed(answer)
          : Effect.as(Effect.sleep(answer.durationMillis), answer)
      })
  })
  const control = ProberControl.of({
    answer: (matches, scripted) => Effect.sync(() => void rules.push({ matches, scripted })),
    asked: Effect.sync(() => [...asked])
  })
  return Context.make(Prober, prober).pipe(Context.add(ProberControl, control))
})

export const layer: Layer.Layer<Prober | ProberControl> = Layer.effectContext(make)
