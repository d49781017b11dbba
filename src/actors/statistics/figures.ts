/**
 * Figures that cost something to get and may be a little old: each is measured at most once in `maxAge`, in the background;
 * whoever asks gets what is known. Only who asks first waits, and not for long.
 */
import { Clock, Deferred, Effect, type Scope } from "effect"

export interface Figures<A> {
  /** Undefined: not known (yet), or not there. */
  readonly get: (key: string) => Effect.Effect<A | undefined>
  /** Measures all that is known anew, and waits for it so long (ms). */
  readonly renew: (patience: number) => Effect.Effect<void>
  /** Forgets all others. */
  readonly retain: (keys: ReadonlySet<string>) => void
}

interface Entry<A> {
  value: A | undefined
  /** When it was measured; undefined: never. */
  at: number | undefined
  pending: Deferred.Deferred<void> | undefined
}

export interface FiguresOptions<A> {
  /** Never fails: undefined is what cannot be had. */
  readonly measure: (key: string) => Effect.Effect<A | undefined>
  /** Milliseconds. */
  readonly maxAge: number
  /** How long the first who asks waits, milliseconds. */
  readonly patience: number
}

export const makeFigures = <A>({
  measure,
  maxAge,
  patience
}: FiguresOptions<A>): Effect.Effect<Figures<A>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    const entries = new Map<string, Entry<A>>()
    const entryOf = (key: string): Entry<A> => {
      const known = entries.get(key) ?? { value: undefined, at: undefined, pending: undefined }
      entries.set(key, known)
      return known
    }
    const begin = (key: string, entry: Entry<A>): Effect.Effect<Deferred.Deferred<void>> => {
      const done = Deferred.makeUnsafe<void>()
      entry.pending = done
      const over = Effect.flatMap(Clock.currentTimeMillis, (now) => {
        entry.at = now
        entry.pending = undefined
        return Deferred.succeed(done, undefined)
      })
      return measure(key).pipe(
        Effect.flatMap((value) =>
          Effect.sync(() => {
            entry.value = value
          })
        ),
        Effect.ensuring(over),
        Effect.forkIn(scope),
        Effect.as(done)
      )
    }
    return {
      get: (key) =>
        Effect.gen(function* () {
          const entry = entryOf(key)
          const now = yield* Clock.currentTimeMillis
          if (entry.at !== undefined && now - entry.at < maxAge) return entry.value
          const pending = entry.pending ?? (yield* begin(key, entry))
          if (entry.at === undefined) yield* Effect.timeoutOption(Deferred.await(pending), patience)
          return entry.value
        }),
      renew: (limit) =>
        Effect.forEach(
          entries,
          ([key, entry]) =>
            Effect.gen(function* () {
              // One that is under way may have begun before what is asked about.
              if (entry.pending !== undefined) yield* Deferred.await(entry.pending)
              yield* Deferred.await(entry.pending ?? (yield* begin(key, entry)))
            }),
          { concurrency: "unbounded", discard: true }
        ).pipe(Effect.timeoutOption(limit), Effect.asVoid),
      retain: (keys) => {
        for (const key of entries.keys()) if (!keys.has(key)) entries.delete(key)
      }
    }
  })
