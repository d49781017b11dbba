/**
 * The journal: the node's own durable, hash-chained log. The truth. This is what every implementation must keep; the
 * contract suite is test/events/journal/journal-contract.ts.
 *
 * - `append` answers only after the commit; a batch is stored wholly or not at all, contiguous, in the order of calls.
 * - Sequences start at 1 and have no gaps. An id that is stored already is refused (`DuplicateEvent`).
 * - Each row's hash is SHA-256 over (hash of the row before, the stored bytes); the first row's predecessor is 32 zero
 *   bytes (or the hash at the cut, after pruning).
 * - On a full disk `append` waits and tries again; `space` tells of it. It never drops and never answers early.
 * - After an append that failed by the disk (`InputOutput`, `Corrupt`) every other fails too, until the journal is opened anew:
 *   whether that one is stored is not known before.
 */
import { Context, type Effect, Schema, type Stream } from "effect"
import type { NodeEvent } from "../catalogue.ts"
import type { RecordedEvent } from "../envelope.ts"

/** An event before the journal gave it a place: no sequence, no recorded time. */
export type EventDraft = Omit<RecordedEvent<NodeEvent>, "sequence" | "recordedTime" | "node">

export interface JournalRow {
  readonly sequence: number
  /** The stored bytes: one CloudEvent as JSON. */
  readonly line: string
  /** Chain hash after this row, 64 hex digits. */
  readonly hash: string
  /** Chain hash before it; given by forward reads on each row that does not follow, by number, the one read before. */
  readonly previousHash?: string
}

export interface JournalHead {
  /** 0 when nothing was ever appended. */
  readonly sequence: number
  readonly hash: string
}

/** All given conditions hold together. Bounds are inclusive. */
export interface JournalQuery {
  readonly from?: number
  readonly to?: number
  /** `pod/default/web` */
  readonly actor?: string
  /** Actors whose path starts so: `pod/default/` */
  readonly actorPrefix?: string
  /** Tags, e.g. `ContainerExited`. */
  readonly types?: ReadonlyArray<string>
  readonly correlation?: string
  readonly id?: string
  /** Milliseconds since the epoch, of `time`. */
  readonly since?: number
  readonly until?: number
  readonly reverse?: boolean
  readonly limit?: number
}

/** The first place where the chain does not hold. */
export interface ChainBreak {
  readonly sequence: number
  readonly problem: string
}
export interface VerifyReport {
  readonly events: number
  readonly first: number
  readonly head: JournalHead
  readonly broken: ChainBreak | undefined
}

/** Room for the journal: `ok`; `low`: reserved space is in use, no new pods; `full`: appends wait. */
export interface SpaceReport {
  readonly state: "ok" | "low" | "full"
  readonly freeBytes: number
}

export class JournalError extends Schema.TaggedError<JournalError>()("JournalError", {
  reason: Schema.Literals([
    "Locked",
    "Corrupt",
    "NewerVersion",
    "InputOutput",
    "DuplicateEvent",
    "EventTooLarge",
    "EventInvalid",
    "Closed"
  ]),
  path: Schema.String,
  message: Schema.String
}) {}

export class Journal extends Context.Service<
  Journal,
  {
    readonly node: string
    /** Durable when it answers: the recorded events, in the order of the drafts. */
    readonly append: (
      drafts: ReadonlyArray<EventDraft>
    ) => Effect.Effect<ReadonlyArray<RecordedEvent<NodeEvent>>, JournalError>
    /** Rows in order of sequence (or against it, `reverse`), read in bounded chunks. */
    readonly read: (query: JournalQuery) => Stream.Stream<JournalRow, JournalError>
    readonly head: Effect.Effect<JournalHead, JournalError>
    /** Answers as soon as the head is beyond `sequence`, with the head. */
    readonly awaitBeyond: (sequence: number) => Effect.Effect<JournalHead, JournalError>
    readonly verify: Effect.Effect<VerifyReport, JournalError>
    /** Drops rows up to and including `through`; answers how many and the hash at the cut. */
    readonly prune: (through: number) => Effect.Effect<{ readonly events: number; readonly hash: string }, JournalError>
    readonly size: Effect.Effect<{ readonly bytes: number; readonly first: number }, JournalError>
    readonly space: Effect.Effect<SpaceReport>
    /** Every change of `space`, beginning with the present one. */
    readonly spaceChanges: Stream.Stream<SpaceReport>
    /** Small facts kept beside the log that are caches only (the publisher's cursor). At most 4 KiB each. */
    readonly note: (key: string) => Effect.Effect<string | undefined, JournalError>
    readonly setNote: (key: string, value: string) => Effect.Effect<void, JournalError>
  }
>()("chronode/Journal") {}

/** What a journal offers to who only reads it, also beside the agent that owns it. */
export type JournalReader = Pick<Journal["Service"], "node" | "read" | "head" | "verify" | "size" | "note">
