/** Ctrl-C in a command that follows is how one ends it: no failure. */
import { Effect } from "effect"

/**
 * Runs an effect. With `catchSignals`, SIGINT and SIGTERM end it in good order (its scope is closed) and the promise
 * resolves; without, they end the process as usual.
 */
export const untilInterrupted = async <E>(effect: Effect.Effect<void, E>, catchSignals: boolean): Promise<void> => {
  if (!catchSignals) return await Effect.runPromise(effect)
  const signalled = Effect.callback<void>((resume) => {
    const end = (): void => resume(Effect.void)
    process.on("SIGINT", end)
    process.on("SIGTERM", end)
    return Effect.sync(() => {
      process.off("SIGINT", end)
      process.off("SIGTERM", end)
    })
  })
  await Effect.runPromise(Effect.raceFirst(effect, signalled))
}
