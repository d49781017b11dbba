/** What a kill of the process cannot show, for the kernel keeps what was written: asked of the database itself. */
import assert from "node:assert/strict"
import { join } from "node:path"
import { describe } from "node:test"
import { Effect } from "effect"
import type { Durability } from "../../../src/events/journal/sqlite-protocol.ts"
import { openStore } from "../../../src/events/journal/sqlite-store.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

/** https://www.sqlite.org/pragma.html#pragma_synchronous */
const [normal, full] = [1, 2]

const storeIn = (path: string, durability: Durability) =>
  Effect.acquireRelease(
    Effect.sync(() => openStore({ path, node: "n1", durability, reserveBytes: 0, lowBytes: 0, syncPeriod: 1000 })),
    (store) => Effect.sync(() => store.close())
  )

describe("the journal's database", () => {
  for (const [durability, synchronous] of [
    ["always", full],
    ["interval", normal]
  ] as const)
    liveTest(
      `has a write-ahead log, and syncs it ${durability === "always" ? "at each commit" : "when it is checkpointed"}, with durability ${durability}`,
      Effect.gen(function* () {
        const path = join(yield* temporaryDirectory, "journal.db")
        const { db } = yield* storeIn(path, durability)
        const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
        assert.equal(pragma("journal_mode"), "wal")
        assert.equal(pragma("synchronous"), synchronous)
        // A checkpoint within a commit would make that one slow: the worker makes them when it is idle.
        assert.equal(pragma("wal_autocheckpoint"), 0)
      }),
      { timeout: 30_000 }
    )
})
