/** Where the journal lies in the agent's data directory. */
import { join } from "node:path"

export const journalPath = (dataDir: string): string => join(dataDir, "journal", "journal.sqlite")
