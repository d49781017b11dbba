/** `chronode export --out FILE` */
import { Effect } from "effect"
import type { IncidentError } from "../events/incident/format.ts"
import { writeIncident } from "../events/incident/writer.ts"
import { CommandFailed, exitCodes } from "./exit.ts"
import { type EventFilter, type FilterFlags, parseFilter } from "./filter.ts"
import { openChainedLog } from "./open-log.ts"
import type { Execute } from "./program.ts"
import { version } from "./version.ts"

interface ExportFlags extends FilterFlags {
  readonly out: string
  readonly from: string
  readonly force?: boolean
  readonly dataDir: string
  readonly output: "text" | "json"
}

/** How often long work says how far it is, milliseconds. */
const progressPeriod = 1000

/** What was asked for, for the file's header: absolute, so that it still means the same tomorrow. */
const filterWords = ({ pod, types, since, until }: EventFilter): Readonly<Record<string, unknown>> => ({
  ...(pod === undefined ? {} : { pod: `${pod.namespace}/${pod.name}` }),
  ...(types === undefined ? {} : { types: [...types] }),
  ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
  ...(until === undefined ? {} : { until: new Date(until).toISOString() })
})

const failed = (error: IncidentError): CommandFailed =>
  new CommandFailed(error.message, error.reason === "Exists" ? "--force replaces it" : undefined)

export const execute: Execute<ExportFlags, []> = async ({ terminal }, flags) => {
  const now = terminal.now()
  const filter = parseFilter(flags, now)
  let told = now
  const progress = (events: number): void => {
    if (!terminal.interactive || terminal.now() - told < progressPeriod) return
    told = terminal.now()
    terminal.note(`${events} events …`)
  }
  const header = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(flags.from, flags.dataDir)
        const origin = { node: log.node, chronodeVersion: version, filter: filterWords(filter), exportedAt: now }
        return yield* writeIncident(flags.out, origin, log.rows(filter), { overwrite: flags.force === true, progress })
      })
    ).pipe(Effect.mapError((error) => (error instanceof CommandFailed ? error : failed(error))))
  )
  const { events = 0, firstSequence, lastSequence } = header
  if (flags.output === "json") terminal.out(`${JSON.stringify({ file: flags.out, ...header }, null, 2)}\n`)
  else {
    const span =
      events === 0 ? "no events: nothing matched" : `${events} events, sequences ${firstSequence} to ${lastSequence}`
    terminal.out(`${flags.out}: ${span}\n`)
  }
  return exitCodes.good
}
