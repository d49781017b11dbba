/** Refused requests as events: so many a minute one by one, the others as a number. */
import { Effect, type Scope } from "effect"
import { timestamp } from "../../events/definition.ts"
import { type Access, maxRefusalsPerMinute, type ServerEvent } from "./port.ts"

const minute = 60_000
/** Of a path and of a user's groups, what goes into an event. */
const maxPathCharacters = 512
const maxGroups = 32

export interface Refusals {
  readonly tell: (access: Access, status: number, reason: string) => Effect.Effect<void>
}

export const makeRefusals = (
  saw: (event: ServerEvent) => Effect.Effect<void>
): Effect.Effect<Refusals, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    let since = 0
    let told = 0
    let omitted = 0
    const close = Effect.suspend(() => {
      const count = omitted
      omitted = 0
      return count === 0 ? Effect.void : saw({ _tag: "ApiRefusalsOmitted", count, since: timestamp(since) })
    })

    const tell: Refusals["tell"] = ({ at, listener, from, user, verb, path }, status, reason) =>
      Effect.gen(function* () {
        if (at - since >= minute) {
          yield* close
          since = at
          told = 0
        }
        if (told >= maxRefusalsPerMinute) {
          omitted += 1
          // Also where nobody is refused after this minute, its number is told.
          if (omitted === 1) yield* Effect.forkIn(Effect.andThen(Effect.sleep(since + minute - at), close), scope)
          return
        }
        told += 1
        yield* saw({
          _tag: "ApiRequestRefused",
          user: user?.name ?? "",
          groups: (user?.groups ?? []).slice(0, maxGroups),
          from,
          listener,
          verb,
          path: path.slice(0, maxPathCharacters),
          status,
          reason
        })
      })
    return { tell }
  })
