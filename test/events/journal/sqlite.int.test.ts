import { join } from "node:path"
import { Effect } from "effect"
import { makeSqliteJournal } from "../../../src/events/journal/sqlite.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { journalContract } from "./journal-contract.ts"

const openIn = (durability: "always" | "interval") =>
  Effect.flatMap(temporaryDirectory, (directory) =>
    makeSqliteJournal({
      path: join(directory, "journal", "journal.db"),
      node: "n1",
      durability,
      reserveBytes: 64 * 1024,
      lowBytes: 0
    })
  )

journalContract("SQLite, durability always", openIn("always"))
journalContract("SQLite, durability interval", openIn("interval"))
