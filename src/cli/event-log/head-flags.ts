/** `--head` and `--head-from`: the heads of a chain that a log is held against. */
import { readFile } from "node:fs/promises"
import { Effect } from "effect"
import { isHash } from "../../events/journal/chain.ts"
import type { GivenHead } from "../../events/journal/head-proof.ts"
import { parseHead } from "../../events/journal/head-text.ts"
import type { JournalHead } from "../../events/journal/port.ts"
import { CommandFailed, UsageError } from "../exit.ts"

/** `HASH` or `SEQUENCE:HASH`, as the header Chronode-Chain-Head has it. */
export const headFlag = (text: string): GivenHead => {
  const lower = text.trim().toLowerCase()
  if (isHash(lower)) return { sequence: undefined, hash: lower }
  const head = parseHead(lower)
  if (head !== undefined) return head
  throw new UsageError(`--head: '${text}' is no head; write 64 hex digits, or SEQUENCE:HASH as in Chronode-Chain-Head`)
}

/** A file of heads, `SEQUENCE:HASH` one a line; empty lines and those that begin with # count for nothing. */
export const readHeadsFile = (path: string): Effect.Effect<ReadonlyArray<JournalHead>, CommandFailed> =>
  Effect.gen(function* () {
    const text = yield* Effect.tryPromise({
      try: () => readFile(path, "utf8"),
      catch: (error) => new CommandFailed(`--head-from: ${error instanceof Error ? error.message : String(error)}`)
    })
    const heads: Array<JournalHead> = []
    for (const [index, line] of text.split("\n").entries()) {
      const trimmed = line.trim()
      if (trimmed === "" || trimmed.startsWith("#")) continue
      const head = parseHead(trimmed.toLowerCase())
      if (head === undefined)
        return yield* Effect.fail(new CommandFailed(`${path}:${index + 1}: no head; a line is SEQUENCE:HASH`))
      heads.push(head)
    }
    if (heads.length === 0) return yield* Effect.fail(new CommandFailed(`${path} holds no head`))
    return heads
  })
