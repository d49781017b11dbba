/** Journals that fail, for tests: one that always does, and a wrapper that fails or delays at chosen points. */
import { type Duration, Effect, Stream } from "effect"
import { Journal, JournalError } from "./port.ts"

type Service = Journal["Service"]

const ioError = new JournalError({ reason: "InputOutput", path: "failing", message: "this journal always fails" })

/** Every call fails with `error`. It never has room. */
export const failingJournal = (error: JournalError = ioError): Service => {
  const space = { state: "full", freeBytes: 0 } as const
  return Journal.of({
    node: "node",
    append: () => Effect.fail(error),
    read: () => Stream.fail(error),
    head: Effect.fail(error),
    awaitBeyond: () => Effect.fail(error),
    verify: Effect.fail(error),
    prune: () => Effect.fail(error),
    size: Effect.fail(error),
    space: Effect.succeed(space),
    spaceChanges: Stream.concat(Stream.make(space), Stream.never),
    note: () => Effect.fail(error),
    setNote: () => Effect.fail(error)
  })
}

export type JournalCall = "append" | "read" | "head" | "verify" | "prune" | "size" | "note" | "setNote"

/**
 * What happens at one call. `before`: the call never reaches the journal. `after`: it was done, and only the answer is
 * lost, as when a process dies between the commit and its answer.
 */
export interface JournalFault {
  readonly when: "before" | "after"
  readonly delay?: Duration.Input
  readonly fail?: JournalError
}

/**
 * `inner` with faults. `choose` is asked at each call: its name, and how many calls of that name came before (0 at the
 * first). For a read, `before` is the only time.
 */
export const withFaults = (
  inner: Service,
  choose: (call: JournalCall, before: number) => JournalFault | undefined
): Service => {
  const counts = new Map<JournalCall, number>()
  const next = (call: JournalCall): JournalFault | undefined => {
    const before = counts.get(call) ?? 0
    counts.set(call, before + 1)
    return choose(call, before)
  }
  const happen = (fault: JournalFault): Effect.Effect<void, JournalError> =>
    Effect.andThen(
      fault.delay === undefined ? Effect.void : Effect.sleep(fault.delay),
      fault.fail === undefined ? Effect.void : Effect.fail(fault.fail)
    )
  const faulty = <A>(call: JournalCall, effect: Effect.Effect<A, JournalError>): Effect.Effect<A, JournalError> =>
    Effect.suspend(() => {
      const fault = next(call)
      if (fault === undefined) return effect
      return fault.when === "before" ? Effect.andThen(happen(fault), effect) : Effect.tap(effect, () => happen(fault))
    })
  return {
    ...inner,
    append: (drafts) => faulty("append", inner.append(drafts)),
    read: (query) =>
      Stream.suspend(() => {
        const fault = next("read")
        return fault === undefined
          ? inner.read(query)
          : Stream.concat(Stream.drain(Stream.fromEffect(happen(fault))), inner.read(query))
      }),
    head: faulty("head", inner.head),
    verify: faulty("verify", inner.verify),
    prune: (through) => faulty("prune", inner.prune(through)),
    size: faulty("size", inner.size),
    note: (key) => faulty("note", inner.note(key)),
    setNote: (key, value) => faulty("setNote", inner.setNote(key, value))
  }
}
