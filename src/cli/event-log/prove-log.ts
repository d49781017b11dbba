/**
 * Proves that a log belongs to the chain whose heads are given or published. With the published events at hand it also
 * finds what was taken out of a slice so that the rest still looks like one that somebody filtered.
 */
import { Effect, Result, Stream } from "effect"
import { decodeLine } from "../../events/decode.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { type GivenHead, type HeadProof, makeHeadProof, type Proof } from "../../events/journal/head-proof.ts"
import { CommandFailed, UsageError } from "../exit.ts"
import { type FilterFlags, matcher, parseFilter } from "../filter.ts"
import { type NatsConnectionFlags, natsOptions } from "../nats-flags.ts"
import type { Neighbours } from "../neighbours.ts"
import { readHeadsFile } from "./head-flags.ts"
import type { ChainedLog } from "./log.ts"

export interface HeadSource {
  readonly given: ReadonlyArray<GivenHead>
  /** `nats` or a file of heads. */
  readonly from: string | undefined
}

type Filter = Readonly<Record<string, unknown>>

/** The test for what the header says was exported; undefined: its words are not this program's. */
const matcherOf = async (words: Filter): Promise<((recorded: RecordedEvent) => boolean) | undefined> => {
  const { pod, types, since, until, filter, now, ...others } = words
  if (Object.keys(others).length > 0) return undefined
  const flags: Record<string, string> = {}
  const given = { pod, type: Array.isArray(types) ? types.join(",") : types, since, until, filter }
  for (const [name, value] of Object.entries(given)) if (typeof value === "string") flags[name] = value
  try {
    return matcher(await parseFilter(flags as FilterFlags, typeof now === "string" ? Date.parse(now) : 0))
  } catch (error) {
    if (error instanceof UsageError) return undefined
    throw error
  }
}

/** @param log whose own chain is whole */
export const proveLog = (
  log: ChainedLog,
  heads: HeadSource,
  neighbours: Neighbours,
  flags: NatsConnectionFlags,
  note: (text: string) => void
): Effect.Effect<Proof, CommandFailed> =>
  Effect.gen(function* () {
    const proof = makeHeadProof(heads.given)
    yield* Stream.runForEachArray(log.rows({}), (rows) => Effect.sync(() => rows.forEach(proof.row)))
    const { filter } = log
    if (proof.gaps() > 0 && Object.keys(filter).length === 0) tellGap(proof)
    if (heads.from === "nats") yield* holdAgainstStream(log, proof, filter, neighbours, flags, note)
    else if (heads.from !== undefined) for (const head of yield* readHeadsFile(heads.from)) proof.published(head)
    return proof.end()
  })

/** In a slice that nothing was filtered out of, every gap is a removal. */
const tellGap = (proof: HeadProof): void => {
  const { first, last } = proof.range()
  for (let sequence = first; sequence <= last; sequence++) {
    if (proof.holds(sequence)) continue
    proof.missing(sequence, "it is missing, though the file says that nothing was left out")
    return
  }
}

const holdAgainstStream = (
  log: ChainedLog,
  proof: HeadProof,
  filter: Filter,
  neighbours: Neighbours,
  flags: NatsConnectionFlags,
  note: (text: string) => void
): Effect.Effect<void, CommandFailed> =>
  Effect.gen(function* () {
    if (log.node === "")
      return yield* Effect.fail(
        new CommandFailed(`${log.name} does not say of which node it is`, "--head takes a head by itself")
      )
    const readHeads = yield* Effect.promise(neighbours.readHeads)
    const isFiltered = proof.gaps() > 0 && Object.keys(filter).length > 0
    const matches = isFiltered ? yield* Effect.promise(() => matcherOf(filter)) : undefined
    if (isFiltered && matches === undefined)
      note(
        "chronode: it cannot be told whether events were removed: the file was filtered in a way that its header does not tell"
      )
    yield* Stream.runForEachArray(readHeads(natsOptions(flags), log.node, matches !== undefined), (heads) =>
      Effect.sync(() => {
        for (const head of heads) {
          // Every event is shown to the matcher: it learns from some what belongs to the others.
          const event = matches === undefined ? undefined : decodeLine(head.line)
          const isWanted = event !== undefined && Result.isSuccess(event) && matches?.(event.success) === true
          proof.published(head, isWanted)
        }
      })
    ).pipe(
      Effect.catchTag("NatsOptionError", (error) => Effect.die(new UsageError(error.message))),
      Effect.mapError((error) => new CommandFailed(`NATS: ${error.message}`, "chronode doctor says more"))
    )
  })
