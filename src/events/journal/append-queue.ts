/**
 * Group commit: appends that come while the worker is busy wait here and go to it as one transaction. Where many come,
 * they follow the one under way in batches without waiting for its answer, so that encoding and storing overlap.
 *
 * Sequences are given in the order of the calls, before it is known whether all will be stored. Where one append is
 * refused, the worker refuses what was sent behind it too (`Misplaced`), and all of it is given its places anew: nobody
 * has seen the old ones.
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
/** So much is sent at once behind a batch under way: it takes longer to encode than the answer is on its way. */
export const followingEvents = 512
export const followingBytes = 1024 * 1024

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
  /** Sent and not answered, in the order of sending. */
  let inFlight: Array<ReadonlyArray<Entry>> = []
  /** What came back, until everything sent behind it has come back too. */
  let refused: Array<Entry> | undefined
  /** Of all that is encoded: what waits, what is in flight, what came back. */
  let queuedEvents = 0
  let queuedBytes = 0
  /** Of `queue` alone. */
  let unsentEvents = 0
  let unsentBytes = 0
  let full = false
  /** What came back keeps its places and waits for room. */
  let heldUp = false
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
  const enqueue = (entry: Entry): void => {
    queue.push(entry)
    unsentEvents += entry.placed.length
    unsentBytes += entry.bytes
  }
  const takeQueue = (): ReadonlyArray<Entry> => {
    const all = queue
    queue = []
    unsentEvents = 0
    unsentBytes = 0
    return all
  }
  const admit = (): void => {
    let taken = 0
    while (taken < waiting.length && hasRoom()) {
      const entry = waiting[taken++] as Entry
      if (place(entry)) enqueue(entry)
    }
    if (taken > 0) waiting = waiting.slice(taken)
  }
  /** What came back goes first again. After a refusal all gets its places anew, right behind the head. */
  const takeBack = (): void => {
    const all = [...(refused ?? []), ...takeQueue()]
    refused = undefined
    if (heldUp) {
      heldUp = false
      for (const entry of all) enqueue(entry)
      retry = setTimeout(() => {
        retry = undefined
        pump()
      }, options.fullRetryPeriod)
    } else {
      next = head.sequence + 1
      for (const entry of all) if (place(entry)) enqueue(entry)
    }
  }

  const takeBatch = (): ReadonlyArray<Entry> => {
    let events = 0
    let bytes = 0
    let count = 0
    for (const entry of queue) {
      if (count > 0 && (events + entry.placed.length > maxBatchEvents || bytes + entry.bytes > maxBatchBytes)) break
      events += entry.placed.length
      bytes += entry.bytes
      count++
    }
    unsentEvents -= events
    unsentBytes -= bytes
    return queue.splice(0, count)
  }
  const enough = (): boolean => unsentEvents >= followingEvents || unsentBytes >= followingBytes
  const pump = (): void => {
    if (refused !== undefined || retry !== undefined) return
    while (queue.length > 0 && (inFlight.length === 0 || enough())) {
      const batch = takeBatch()
      inFlight.push(batch)
      options.commit(rowsOf(batch), (answer) => onAnswer(batch, answer))
    }
    if (queue.length === 0 && inFlight.length === 0 && drained !== undefined) {
      drained()
      drained = undefined
    }
  }

  const onAnswer = (batch: ReadonlyArray<Entry>, result: Result.Result<AppendAnswer, JournalError>): void => {
    if (inFlight[0] !== batch) return // abandoned meanwhile
    if (Result.isFailure(result)) {
      abandon(result.failure)
      return
    }
    inFlight.shift()
    const answer = result.success
    if (answer._tag === "Appended") {
      full = false
      const last = batch.at(-1)?.placed.at(-1) as PlacedEvent
      head = { sequence: last.recorded.sequence, hash: answer.hash }
      for (const entry of batch) leave(entry, Result.succeed(entry.placed.map((event) => event.recorded)))
    } else {
      refused ??= []
      refused.push(...refusedOf(batch, answer))
    }
    if (refused !== undefined && inFlight.length === 0) takeBack()
    // First the next batch, so that the worker does not wait for us.
    admit()
    pump()
    answerAll()
    if (answer._tag === "Appended") options.onCommitted(head, answer.reserveUsed)
  }
  /** What of a batch that was not stored is to be sent again. */
  const refusedOf = (
    batch: ReadonlyArray<Entry>,
    answer: Exclude<AppendAnswer, { readonly _tag: "Appended" }>
  ): ReadonlyArray<Entry> => {
    if (answer._tag === "Misplaced") return batch
    if (answer._tag === "Full") {
      full = true
      heldUp = true
      options.onFull(answer.freeBytes)
      return batch
    }
    const { entry, id } = entryAt(batch, answer.row)
    leave(entry, Result.fail(duplicate(path, entry, id)))
    return batch.filter((other) => other !== entry)
  }
  const abandon = (error: JournalError): void => {
    clearTimeout(retry)
    retry = undefined
    closed ??= error
    const all = [...inFlight.flat(), ...(refused ?? []), ...takeQueue(), ...waiting]
    inFlight = []
    refused = undefined
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
