/** A logind in memory, for tests: says when it would shut down, and whether somebody makes it wait. */
import { Effect, PubSub, Stream } from "effect"
import { LogindError, type LogindShape } from "./port.ts"

export const makeMemoryLogind = (delayLimit: number) =>
  Effect.gen(function* () {
    const changes = yield* PubSub.sliding<boolean>(16)
    let isPreparing = false
    let inhibitors = 0
    let isAway = false
    const available = (call: string): Effect.Effect<void, LogindError> =>
      Effect.suspend(() =>
        isAway ? Effect.fail(new LogindError({ reason: "Unavailable", call, message: "no bus" })) : Effect.void
      )
    const service: LogindShape = {
      inhibit: Effect.andThen(
        available("Inhibit"),
        Effect.acquireRelease(
          Effect.sync(() => {
            inhibitors += 1
            return delayLimit
          }),
          () =>
            Effect.sync(() => {
              inhibitors -= 1
            })
        )
      ),
      preparing: Stream.unwrap(
        Effect.as(
          available("PreparingForShutdown"),
          Stream.concat(
            Stream.sync(() => isPreparing),
            Stream.fromPubSub(changes)
          )
        )
      )
    }
    return {
      service,
      /** PrepareForShutdown. */
      prepare: (active: boolean) =>
        Effect.suspend(() => {
          isPreparing = active
          return PubSub.publish(changes, active)
        }),
      inhibitors: () => inhibitors,
      away: (away: boolean) => {
        isAway = away
      }
    }
  })
export type MemoryLogind = Effect.Success<ReturnType<typeof makeMemoryLogind>>
