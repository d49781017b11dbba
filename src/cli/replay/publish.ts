/**
 * `chronode replay FILE --publish nats://…`: the incident once more on NATS, under another prefix, so that subscribers can
 * be tried on it. Subject (but for the prefix), headers and bytes are those of the agent's publisher.
 */

import { randomUUID } from "node:crypto"
import { Effect, Result, Stream } from "effect"
import { makeOutgoing } from "../../actors/stream/outgoing.ts"
import type { OutgoingMessage } from "../../adapters/nats/port.ts"
import type { Execute } from "../command.ts"
import { upTo } from "../event-log/fold-log.ts"
import { type LogLine, lineMatcher, unreadableText } from "../event-log/log.ts"
import { momentFlag } from "../event-log/moments.ts"
import { openChainedLog } from "../event-log/open-log.ts"
import { CommandFailed, exitCodes, UsageError } from "../exit.ts"
import { filterRemarks, parseFilter } from "../filter.ts"
import { natsOptions } from "../nats-flags.ts"
import type { PlayedCounts } from "../neighbours.ts"
import { progressOf } from "../progress.ts"
import { untilInterrupted } from "../signals.ts"
import type { Terminal } from "../terminal.ts"
import type { ReplayFlags } from "./flags.ts"
import { openPlayback, parsePace } from "./playback.ts"

export const defaultPrefix = "replay"

/** `replay.` for `replay` or `replay.`; whole subject tokens, and none that agents or the server itself publish under. */
export const parsePrefix = (text: string): string => {
  const tokens = text.replace(/\.$/u, "").split(".")
  const bad = tokens.find((token) => !/^[^\s.*>\u0000-\u001f]+$/u.test(token))
  if (bad !== undefined) throw new UsageError(`--subject-prefix: '${text}' is no beginning of a NATS subject`)
  if (tokens[0] === "chronode" || tokens[0]?.startsWith("$") || tokens[0]?.startsWith("_INBOX"))
    throw new UsageError(
      `--subject-prefix: '${text}' is where real events are: a replay must not be taken for them; write e.g. ${defaultPrefix}`
    )
  return `${tokens.join(".")}.`
}

/** From a line to its message. Another node's lines may come in between: a plain NDJSON file may hold any. */
const makeMessages = (prefix: string, freshIds: boolean): ((line: LogLine) => OutgoingMessage | undefined) => {
  let node: string | undefined
  let outgoing = makeOutgoing("")
  return ({ event, hash = "", line }) => {
    if (Result.isFailure(event)) return undefined
    const { sequence } = event.success
    if (event.success.node !== node) {
      node = event.success.node
      outgoing = makeOutgoing(node)
    }
    const { chainHead, id, subject } = outgoing({ sequence, line, hash })
    return {
      subject: `${prefix}${subject}`,
      id: freshIds ? randomUUID() : id,
      line,
      ...(hash === "" || chainHead === undefined ? {} : { chainHead })
    }
  }
}

export const execute: Execute<ReplayFlags, [file: string]> = async ({ neighbours, terminal }, flags, file) => {
  const { publish } = flags
  if (publish === undefined) throw new UsageError("--subject-prefix and --fresh-ids go with --publish URL")
  const { until: point, ...filterFlags } = flags
  const until = momentFlag("--until", point, terminal.now())
  const filter = await parseFilter(filterFlags, terminal.now())
  const prefix = parsePrefix(flags.subjectPrefix ?? defaultPrefix)
  const pace = parsePace(flags, 1)
  const toMessage = makeMessages(prefix, flags.freshIds === true)
  const began = terminal.now()
  let counts: PlayedCounts = { published: 0, stored: 0, duplicates: 0 }
  let unreadable = 0
  let done: { readonly server: string; readonly streams: ReadonlyArray<string> } | undefined
  const failed = (error: { readonly message: string }): CommandFailed =>
    error instanceof CommandFailed
      ? error
      : new CommandFailed(
          `NATS: ${error.message}${counts.published === 0 ? "" : ` (after ${counts.published} events)`}`,
          "chronode doctor says more"
        )
  const publishing = Effect.gen(function* () {
    const log = yield* openChainedLog(file, "")
    const openNats = yield* Effect.promise(neighbours.playNats)
    const session = yield* openNats(natsOptions({ ...flags, nats: publish }), `${prefix}>`)
    const play = yield* openPlayback(pace, terminal.note)
    const tell = progressOf(terminal, (published) => `${published} events …`)
    yield* Stream.runForEach(play(Stream.filter(upTo(log, until), lineMatcher(filter))), (line) => {
      const message = toMessage(line)
      if (message === undefined) {
        unreadable++
        terminal.note(`chronode: ${unreadableText(line)}`)
        return Effect.void
      }
      return Effect.map(session.publish(message), () => {
        counts = session.counts()
        tell(counts.published)
      })
    })
    yield* session.settle
    counts = session.counts()
    done = { server: session.server, streams: session.streams }
  })
  await untilInterrupted(Effect.scoped(publishing).pipe(Effect.mapError(failed)), true)
  for (const remark of filterRemarks(filter)) terminal.note(remark)
  report(terminal, flags, { prefix, counts, unreadable, milliseconds: terminal.now() - began, ...done })
  return done !== undefined && unreadable > 0 ? exitCodes.failed : exitCodes.good
}

interface Played {
  readonly prefix: string
  readonly counts: PlayedCounts
  readonly unreadable: number
  readonly milliseconds: number
  /** Absent where it was interrupted. */
  readonly server?: string
  readonly streams?: ReadonlyArray<string>
}

const report = (terminal: Terminal, { output }: ReplayFlags, played: Played): void => {
  const { counts, prefix, server, streams = [], unreadable } = played
  const { duplicates, published } = counts
  if (output === "json") {
    const { milliseconds } = played
    const finished = server !== undefined
    const said = { finished, server, prefix, streams, ...counts, unreadable, milliseconds }
    terminal.out(`${JSON.stringify(said, null, 2)}\n`)
  } else if (server === undefined) terminal.out(`interrupted after ${published} events\n`)
  else {
    const stored = streams.length === 0 ? "no stream takes them" : `stored by ${streams.join(", ")}`
    terminal.out(`published ${published} events under ${prefix}> to ${server}; ${stored}\n`)
  }
  if (duplicates > 0)
    terminal.note(
      `chronode: ${duplicates} of them were in the stream already, from a replay within its duplicate window, and are not ` +
        "stored twice (subscribers without a stream got them); --fresh-ids publishes them as new"
    )
}
