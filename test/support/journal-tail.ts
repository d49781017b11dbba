/** The journal as a stranger reads it, beside the agent that writes it: every event once, in order, as plain JSON. */
import assert from "node:assert/strict"
import { Effect, Result, Stream } from "effect"
import { journalPath } from "../../src/cli/event-log/journal-path.ts"
import { openJournalReadOnly } from "../../src/events/journal/sqlite-readonly.ts"

export interface Happened {
  readonly sequence: number
  readonly id: string
  /** `ContainerExited` */
  readonly tag: string
  /** `pod/default/web` */
  readonly actor: string
  readonly actorSequence: number
  /** When it happened, RFC 3339. */
  readonly time: string
  readonly cause: string | undefined
  readonly subject: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: whatever an event of any type holds
  readonly data: Readonly<Record<string, any>>
  /** The stored bytes. */
  readonly line: string
}

const happenedOf = (line: string): Happened => {
  const event = JSON.parse(line)
  return {
    sequence: Number(event.sequence),
    id: event.id,
    tag: event.type.split(".")[2],
    // `/nodes/<node>/pod/default/web`
    actor: event.source.split("/").slice(3).join("/"),
    actorSequence: event.actorsequence,
    time: event.time,
    cause: event.causationid,
    subject: event.subject,
    data: event.data,
    line
  }
}

export class JournalTail {
  private readonly path: string
  private readonly known: Array<Happened> = []
  private reading: Promise<unknown> = Promise.resolve()

  constructor(dataDir: string) {
    this.path = journalPath(dataDir)
  }

  /** All events so far. What was seen once is committed: it must never change or go (see `assertKept`). */
  async events(): Promise<ReadonlyArray<Happened>> {
    const before = this.reading
    const read = before.then(() => this.more())
    this.reading = read.catch(() => undefined)
    await read
    return this.known
  }

  private async more(): Promise<void> {
    const lines = await this.lines((this.known.at(-1)?.sequence ?? 0) + 1)
    // Until the agent has made its journal there is none, or half of one.
    if (lines === undefined) assert.equal(this.known.length, 0, `the journal ${this.path} cannot be read any more`)
    else this.known.push(...lines.map(happenedOf))
  }

  /** Stored lines from a position on; undefined where there is no journal. */
  async lines(from = 1): Promise<ReadonlyArray<string> | undefined> {
    const { path } = this
    const read = Effect.gen(function* () {
      const journal = yield* openJournalReadOnly(path)
      return yield* Stream.runCollect(journal.read({ from }))
    })
    const result = await Effect.runPromise(Effect.result(Effect.scoped(read)))
    return Result.isSuccess(result) ? [...result.success].map(({ line }) => line) : undefined
  }

  /** Whatever was seen at any time is still there, unchanged. */
  async assertKept(): Promise<void> {
    const now = (await this.lines()) ?? []
    for (const { sequence, line } of this.known) {
      assert.equal(now[sequence - 1], line, `event ${sequence}, once read from the journal, is not there any more`)
    }
  }
}
