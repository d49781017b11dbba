/** Opens what `--from` names. Without it: this node's journal if it can be read, else NATS. */
import { accessSync, constants } from "node:fs"
import { Effect, type Scope } from "effect"
import type { Context } from "../command.ts"
import { type CommandFailed, UsageError } from "../exit.ts"
import { type NatsConnectionFlags, natsOptions } from "../nats-flags.ts"
import { openIncidentLog } from "./incident-log.ts"
import { openJournalLog } from "./journal-log.ts"
import { journalPath } from "./journal-path.ts"
import type { ChainedLog, EventLog } from "./log.ts"
import { openNatsLog } from "./nats-log.ts"

export interface SourceFlags extends NatsConnectionFlags {
  readonly from?: string
  readonly dataDir: string
  readonly nodeName?: string
}

const readable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** What `FILE | --journal` names, for `openChainedLog`; exactly one of them has to be given. */
export const fileOrJournal = (command: string, file: string | undefined, journal: boolean | undefined): string => {
  if ((journal === true) === (file !== undefined)) throw new UsageError(`${command}: give either --journal or a FILE`)
  return file ?? "journal"
}

/** A journal or a file. */
export const openChainedLog = (from: string, dataDir: string): Effect.Effect<ChainedLog, CommandFailed, Scope.Scope> =>
  from === "journal" ? openJournalLog(journalPath(dataDir)) : openIncidentLog(from)

export const openLog = (
  { neighbours, terminal }: Context,
  flags: SourceFlags
): Effect.Effect<EventLog, CommandFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const path = journalPath(flags.dataDir)
    if (flags.from !== undefined && flags.from !== "nats") return yield* openChainedLog(flags.from, flags.dataDir)
    if (flags.from === undefined && readable(path)) return yield* openJournalLog(path)
    if (flags.from === undefined)
      terminal.note(`chronode: no journal can be read at ${path}; reading from NATS (--from, --data-dir)`)
    return openNatsLog(neighbours, natsOptions(flags), flags.nodeName)
  })
