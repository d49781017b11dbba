/** A changing set of HTTP servers: each listens as long as it is wanted, and is tried again where it cannot. */
import { Effect, Fiber, Latch, Schedule, type Scope, Semaphore, SubscriptionRef } from "effect"
import type { ListenError } from "../serving/listen.ts"
import type { ListenerState } from "./port.ts"
import { type ListenOptions, serveHttp } from "./server.ts"

/** As kube-proxy tries health and metrics again (`wait.Until`, cmd/kube-proxy/app/server.go). */
const defaultRetryMillis = 5_000
/** From the first change of a state until it is told. */
const gatherMillis = 20

export interface WantedListener extends Pick<ListenerState, "server" | "service"> {
  readonly options: ListenOptions
  /** It is not even tried, and why. */
  readonly refused: ListenerState["failure"] | undefined
}

export interface Listeners {
  /** Exactly these from now on; a key that stays keeps its server as it is. Answers when those that go are closed. */
  readonly want: (wanted: ReadonlyMap<string, WantedListener>) => Effect.Effect<void>
  readonly states: SubscriptionRef.SubscriptionRef<ReadonlyArray<ListenerState>>
}

export const makeListeners = (retryMillis = defaultRetryMillis): Effect.Effect<Listeners, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const states = yield* SubscriptionRef.make<ReadonlyArray<ListenerState>>([])
    const known = new Map<string, ListenerState>()
    const changed = Latch.makeUnsafe(false)
    const running = new Map<string, Fiber.Fiber<void>>()
    const oneAtATime = yield* Semaphore.make(1)

    /** Servers open by the hundred: what has changed meanwhile is told together. */
    const tell = (change: (states: Map<string, ListenerState>) => void): Effect.Effect<void> =>
      Effect.sync(() => {
        change(known)
        changed.openUnsafe()
      })
    const publish = Effect.gen(function* () {
      yield* changed.await
      yield* Effect.sleep(gatherMillis)
      changed.closeUnsafe()
      yield* SubscriptionRef.set(states, [...known.values()])
    })
    yield* Effect.forkIn(Effect.forever(publish), scope)

    const serve = (key: string, { server, service, options, refused }: WantedListener): Effect.Effect<void> => {
      const state: ListenerState = { server, address: options.address, ...(service === undefined ? {} : { service }) }
      const failed = ({ message, remedy }: Pick<ListenError, "message" | "remedy">) =>
        tell((all) => void all.set(key, { ...state, failure: { message, remedy } }))
      if (refused !== undefined) return failed(refused)
      const listening = Effect.andThen(
        Effect.tapError(serveHttp(options), failed),
        Effect.andThen(
          tell((all) => void all.set(key, state)),
          Effect.never
        )
      )
      return Effect.scoped(listening).pipe(Effect.retry(Schedule.spaced(retryMillis)), Effect.ignore)
    }

    const want: Listeners["want"] = (wanted) =>
      oneAtATime.withPermits(1)(
        Effect.gen(function* () {
          const gone = [...running].filter(([key]) => !wanted.has(key))
          for (const [key] of gone) running.delete(key)
          yield* Fiber.interruptAll(gone.map(([, fiber]) => fiber))
          if (gone.length > 0) yield* tell((all) => gone.forEach(([key]) => void all.delete(key)))
          for (const [key, listener] of wanted)
            if (!running.has(key)) running.set(key, yield* Effect.forkIn(serve(key, listener), scope))
        })
      )
    return { want, states }
  })
