/**
 * Group commit: appends that come while the worker is busy wait here and go to it as one transaction. Sequences are
 * given in the order of the calls, before it is known whether all will be stored; where one append is refused, those
 * behind it are given theirs anew (nobody has seen the old ones).
 *
 * Who is answered may append again at once, within the answer: answers go out when the queue is in order again. A commit
 * that failed is the last one: whether a part of it will be found on the disk is unknown until the journal is opened anew,
 * and nothing may be chained to what is unknown.
 */
import { Result } from "effect"
import { actorPath } from "../actor-id.ts"
import type { NodeEvent } from "../catalogue.ts"
import type { RecordedEvent } from "../envelope.ts"
import { type PlacedEvent, placeDrafts } from "./draft.ts"
import { type EventDraft, JournalError, type JournalHead } from "./port.ts"
import type { AppendAnswer, AppendRows, RowColumns } from "./sqlite-protocol.ts"

/** Encoded events that wait at most. Later appends wait unencoded, in the memory of their callers. */
export const maxQueuedEvents = 8192
export const maxQueuedBytes = 16 * 1024 * 1024
/** One transaction holds at most so much (or one append, where that is larger). */
export const maxBatchEvents = 2048
export const maxBatchBytes = 4 * 1024 * 1024

export type Appended = Result.Result<ReadonlyArray<RecordedEvent<NodeEvent>>, JournalError>

interface Entry {
  readonly drafts: ReadonlyArray<EventDraft>
  /** Recorded time, milliseconds. */
  readonly at: number
  readonly answer: (result: Appended) => void
  placed: ReadonlyArray<PlacedEvent>
  bytes: number
}

export interface AppendQueueOptions {
  readonly path: string
  readonly node: string
  readonly head: JournalHead
  /** Sends one batch to be committed; calls back exactly once. */
  readonly commit: (rows: AppendRows, done: (answer: Result.Result<AppendAnswer, JournalError>) => void) => void
  readonly onCommitted: (head: JournalHead, reserveUsed: boolean) => void
  readonly onFull: (freeBytes: number) => void
  /** Milliseconds until a batch that found the disk full is tried again. */
  readonly fullRetryPeriod: number
}

export interface AppendQueue {
  readonly head: () => JournalHead
  /** `drafts` are checked already. `answer` is called exactly once, after the commit. */
  readonly append: (drafts: ReadonlyArray<EventDraft>, at: number, answer: Entry["answer"]) => void
  /** Appends wait for room on the disk. */
  readonly isFull: () => boolean
  /** Takes no more, and calls back when nothing waits any longer. */
  readonly drain: (done: () => void) => void
  /** Fails everything that waits. */
  readonly abandon: (error: JournalError) => void
}

export const makeAppendQueue = (options: AppendQueueOptions): AppendQueue => {
  const { path, node } = options
  let head = options.head
  let next = head.sequence + 1
  /** Not yet placed, for want of room in the queue. */
  let waiting: Array<Entry> = []
  let queue: Array<Entry> = []
  let inFlight: ReadonlyArray<Entry> = []
  let queuedEvents = 0
  let queuedBytes = 0
  let full = false
  let retry: ReturnType<typeof setTimeout> | undefined
  let drained: (() => void) | undefined
  let closed: JournalError | undefined
  let answers: Array<() => void> = []

  const leave = (entry: Entry, result: Appended): void => {
    queuedEvents -= entry.placed.length
    queuedBytes -= entry.bytes
    entry.placed = []
    entry.bytes = 0
    answers.push(() => entry.answer(result))
  }
  const answerAll = (): void => {
    while (answers.length > 0) {
      const due = answers
      answers = []
      for (const answer of due) answer()
    }
  }
  /** Gives an entry its place. One that cannot be stored is answered and takes no place. */
  const place = (entry: Entry): boolean => {
    const placed = placeDrafts(path, node, entry.drafts, next, entry.at)
    if (Result.isFailure(placed)) {
      leave(entry, Result.fail(placed.failure))
      return false
    }
    queuedEvents -= entry.placed.length
    queuedBytes -= entry.bytes
    entry.placed = placed.success
    entry.bytes = placed.success.reduce((sum, event) => sum + event.bytes, 0)
    queuedEvents += entry.placed.length
    queuedBytes += entry.bytes
    next += entry.placed.length
    return true
  }
  const hasRoom = (): boolean => queuedEvents < maxQueuedEvents && queuedBytes < maxQueuedBytes
  const admit = (): void => {
    let taken = 0
    while (taken < waiting.length && hasRoom()) {
      const entry = waiting[taken++] as Entry
      if (place(entry)) queue.push(entry)
    }
    if (taken > 0) waiting = waiting.slice(taken)
  }
  /** After a refusal: what waits gets its places anew, right behind the head. */
  const renumber = (kept: ReadonlyArray<Entry>): void => {
    next = head.sequence + 1
    queue = [...kept, ...queue].filter(place)
  }

  const takeBatch = (): void => {
    let events = 0
    let bytes = 0
    let count = 0
    for (const entry of queue) {
      events += entry.placed.length
      bytes += entry.bytes
      if (count > 0 && (events > maxBatchEvents || bytes > maxBatchBytes)) break
      count++
    }
    inFlight = queue.slice(0, count)
    queue = queue.slice(count)
  }
  const send = (): void => options.commit(rowsOf(inFlight), onAnswer)
  const pump = (): void => {
    if (inFlight.length > 0) return
    if (queue.length > 0) {
      takeBatch()
      send()
    } else if (drained !== undefined) {
      drained()
      drained = undefined
    }
  }

  const onAnswer = (result: Result.Result<AppendAnswer, JournalError>): void => {
    const batch = inFlight
    if (batch.length === 0) return // abandoned meanwhile
    if (Result.isFailure(result)) {
      abandon(result.failure)
      return
    }
    const answer = result.success
    if (answer._tag === "Full") {
      full = true
      options.onFull(answer.freeBytes)
      retry = setTimeout(send, options.fullRetryPeriod)
      return
    }
    inFlight = []
    if (answer._tag === "Duplicate") {
      const { entry, id } = entryAt(batch, answer.row)
      leave(entry, Result.fail(duplicate(path, entry, id)))
      renumber(batch.filter((other) => other !== entry))
    } else {
      full = false
      const last = batch.at(-1)?.placed.at(-1) as PlacedEvent
      head = { sequence: last.recorded.sequence, hash: answer.hash }
      for (const entry of batch) leave(entry, Result.succeed(entry.placed.map((event) => event.recorded)))
    }
    // First the next batch, so that the worker does not wait for us.
    admit()
    pump()
    answerAll()
    if (answer._tag === "Appended") options.onCommitted(head, answer.reserveUsed)
  }
  const abandon = (error: JournalError): void => {
    clearTimeout(retry)
    closed ??= error
    const all = [...inFlight, ...queue, ...waiting]
    inFlight = []
    queue = []
    waiting = []
    for (const entry of all) leave(entry, Result.fail(error))
    pump()
    answerAll()
  }

  return {
    head: () => head,
    append: (drafts, at, answer) => {
      if (closed !== undefined) return answer(Result.fail(closed))
      waiting.push({ drafts, at, answer, placed: [], bytes: 0 })
      admit()
      pump()
      answerAll()
    },
    isFull: () => full,
    drain: (done) => {
      closed ??= closedError(path)
      drained = done
      pump()
    },
    abandon
  }
}

const rowsOf = (batch: ReadonlyArray<Entry>): AppendRows => {
  const events = batch.flatMap((entry) => entry.placed)
  const columns: RowColumns = {
    ids: events.map((e) => e.recorded.id),
    times: events.map((e) => Date.parse(e.recorded.time)),
    types: events.map((e) => e.recorded.event._tag),
    actors: events.map((e) => actorPath(e.recorded.actor)),
    correlations: events.map((e) => e.recorded.correlation ?? null)
  }
  return {
    first: (events[0] as PlacedEvent).recorded.sequence,
    lines: events.map((e) => e.line).join("\n"),
    columns: JSON.stringify(columns)
  }
}

/** The entry of a batch that its row `row` belongs to. */
const entryAt = (batch: ReadonlyArray<Entry>, row: number): { readonly entry: Entry; readonly id: string } => {
  let before = 0
  for (const entry of batch) {
    const event = entry.placed[row - before]
    if (event !== undefined) return { entry, id: event.recorded.id }
    before += entry.placed.length
  }
  throw new Error(`no row ${row} in a batch of ${before}`)
}

const duplicate = (path: string, entry: Entry, id: string): JournalError =>
  new JournalError({
    reason: "DuplicateEvent",
    path,
    message: `event ${id} is stored already; nothing of this append (${entry.drafts.length} events) was stored`
  })

export const closedError = (path: string): JournalError =>
  new JournalError({ reason: "Closed", path, message: `${path} is closed; nothing more can be appended` })
