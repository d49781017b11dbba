/** Files that may change under the agent: looked at again and again, and read whole when they did. */
import { stat } from "node:fs/promises"
import { Clock, Effect, type Scope } from "effect"

const stampOf = async (paths: ReadonlyArray<string>): Promise<string> => {
  const stamps = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ ino, size, mtimeMs, ctimeMs, mode }) => `${ino} ${size} ${mtimeMs} ${ctimeMs} ${mode}`,
        (error: NodeJS.ErrnoException) => error.code ?? "?"
      )
    )
  )
  return stamps.join("|")
}

/**
 * Calls `changed` each time that one of the files is another one than it was (also when it appears or goes); also once in `atLeast`
 * milliseconds. Never fails: `changed` tells itself what is wrong.
 */
export const watchFiles = (
  paths: ReadonlyArray<string>,
  changed: Effect.Effect<void>,
  { period, atLeast = Number.POSITIVE_INFINITY }: { readonly period: number; readonly atLeast?: number }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    let seen = yield* Effect.promise(() => stampOf(paths))
    let last = yield* Clock.currentTimeMillis
    const look = Effect.gen(function* () {
      yield* Effect.sleep(period)
      const stamp = yield* Effect.promise(() => stampOf(paths))
      const now = yield* Clock.currentTimeMillis
      if (stamp === seen && now - last < atLeast) return
      seen = stamp
      last = now
      yield* changed
    })
    if (paths.length > 0 || Number.isFinite(atLeast)) yield* Effect.forkScoped(Effect.forever(look))
  })
