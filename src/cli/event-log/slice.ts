/**
 * What an export takes of a log, and what it must take along so that the file stands alone.
 *
 * A span of time is made whole: from the first event that happened in it to the last one, with all that was recorded in
 * between, for a fold needs every event of an actor. With a pod it is all of that pod's in between.
 */
import { Effect, Result, Stream } from "effect"
import { actorPath, parseActorPath } from "../../events/actor-id.ts"
import { decodeLine } from "../../events/decode.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { FirstState } from "../../events/incident/first-state.ts"
import type { IncidentConfiguration } from "../../events/incident/format.ts"
import type { FirstStateBefore } from "../../events/incident/writer.ts"
import type { CommandFailed } from "../exit.ts"
import { type EventFilter, isOfPod, type PodName } from "../filter.ts"
import { ConfigurationSeen } from "./configuration-seen.ts"
import { beginFold, foldLines } from "./fold-log.ts"
import type { ChainedLog, LogLine, Span } from "./log.ts"

export interface Slice {
  readonly span: Span
  readonly first: FirstStateBefore | undefined
  readonly configuration: IncidentConfiguration
}

/** Undefined: nothing matches. */
export const cutSlice = (log: ChainedLog, filter: EventFilter): Effect.Effect<Slice | undefined, CommandFailed> =>
  Effect.gen(function* () {
    const span = yield* log.span(filter)
    if (span === undefined) return undefined
    const fold = yield* beginFold(log)
    const seen = new ConfigurationSeen(log.configuration)
    let last: RecordedEvent | undefined
    const isBefore = ({ event }: LogLine): boolean => Result.isFailure(event) || event.success.sequence < span.from
    yield* foldLines(
      Stream.takeWhile(log.read({}, false), isBefore),
      (recorded) => {
        last = recorded
        seen.apply(recorded)
      },
      fold
    )
    const configuration = seen.value()
    const given = yield* log.first
    const isBeginning = last === undefined && given === undefined
    if (span.from === 1 || isBeginning) return { span, first: undefined, configuration }
    const row = yield* Stream.runHead(log.rows({}, { from: span.from, to: span.from }))
    const hash = row._tag === "Some" ? row.value.previousHash : undefined
    if (hash === undefined) return { span, first: undefined, configuration }
    const state = ofActors(fold.capture(), yield* concerned(log, filter, span))
    const time = last?.recordedTime ?? given?.time ?? ""
    return {
      span,
      first: { state, sequence: span.from - 1, hash, time },
      configuration
    }
  })

type Concerns = (path: string) => boolean

/**
 * The actors that a slice is about: of a span of time all, of a pod its own (of others the slice holds some events only),
 * else those whose events it holds. What is of nobody's concern is not given away.
 */
const concerned = (log: ChainedLog, filter: EventFilter, span: Span): Effect.Effect<Concerns, CommandFailed> => {
  const { pod, types, condition } = filter
  if (types === undefined && condition === undefined)
    return Effect.succeed(pod === undefined ? () => true : (path: string) => isOfPodPath(path, pod))
  const paths = new Set<string>()
  const { since: _, until: __, ...ofWhat } = filter
  return Stream.runForEach(log.rows(ofWhat, span), ({ line }) =>
    Effect.sync(() => {
      const event = decodeLine(line)
      if (Result.isSuccess(event)) paths.add(actorPath(event.success.actor))
    })
  ).pipe(Effect.as((path: string) => paths.has(path)))
}

const ofActors = ({ actors, finished }: FirstState, concerns: Concerns): FirstState => ({
  actors: actors.filter(({ id }) => concerns(actorPath(id))),
  finished: finished.filter(([path]) => concerns(path))
})

const isOfPodPath = (path: string, pod: PodName): boolean => {
  const id = parseActorPath(path)
  return id !== undefined && isOfPod(id, pod)
}
