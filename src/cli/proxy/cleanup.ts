/**
 * `chronode proxy cleanup`: takes out of the kernel what any mode ever put there for Services. Exit code 1 where something
 * could not be removed, or an agent would put it back.
 *
 * iptables' chains are called as kube-proxy's, so that they cannot be told apart: they are removed only where this node's
 * journal says that it used that mode, or on demand.
 */
import { existsSync } from "node:fs"
import { Effect, Result, Stream } from "effect"
import {
  type DataplaneError,
  type DataplaneSettings,
  defaultName,
  type ProxyMode
} from "../../adapters/dataplane/port.ts"
import { journalOwner } from "../../events/journal/sqlite-owner.ts"
import type { Execute } from "../command.ts"
import { journalPath } from "../event-log/journal-path.ts"
import { openChainedLog } from "../event-log/open-log.ts"
import { CommandFailed, exitCodes } from "../exit.ts"
import type { OpenDataplane } from "../neighbours.ts"
import type { Terminal } from "../terminal.ts"
import { oneLine } from "../text.ts"
import { noProxyConfiguration, readProxyConfiguration } from "./configuration.ts"
import { ipFamilies } from "./families.ts"
import { proxyOptions } from "./settings.ts"

export interface CleanupFlags {
  readonly proxyMode?: ProxyMode
  readonly proxyConfig?: string
  readonly dataplaneName?: string
  readonly force?: boolean
  readonly dataDir: string
  readonly output: "text" | "json"
}

type Outcome =
  | { readonly _tag: "Removed"; readonly removed: ReadonlyArray<string> }
  /** The machine cannot have anything of it, or what there is may be somebody else's. */
  | { readonly _tag: "Skipped"; readonly why: string }
  | { readonly _tag: "Failed"; readonly message: string }

/** Order in which they are cleaned up. */
const modes: ReadonlyArray<ProxyMode> = ["nftables", "ipvs", "iptables"]

/** What the journal remembers of Services: modes that were used, and kernel parameters that were set. */
interface Remembered {
  readonly modes: ReadonlySet<ProxyMode>
  readonly sysctls: ReadonlyArray<{ readonly name: string; readonly value: string; readonly before?: string }>
}

const nothingRemembered: Remembered = { modes: new Set(), sysctls: [] }

const remembered = (dataDir: string): Effect.Effect<Remembered, CommandFailed> => {
  if (!existsSync(journalPath(dataDir))) return Effect.succeed(nothingRemembered)
  const types = new Set(["ProxyStarted", "SysctlChanged"])
  return Effect.scoped(
    Effect.gen(function* () {
      const used = new Set<ProxyMode>()
      const set = new Map<string, Remembered["sysctls"][number]>()
      const log = yield* openChainedLog("journal", dataDir)
      yield* Stream.runForEachArray(log.read({ types }, false), (lines) =>
        Effect.sync(() => {
          for (const { event } of lines) {
            if (Result.isFailure(event)) continue
            const told = event.success.event
            if (told._tag === "ProxyStarted") used.add(told.mode)
            if (told._tag !== "SysctlChanged") continue
            const before = set.get(told.name)?.before ?? told.before
            set.set(told.name, { name: told.name, value: told.value, ...(before === undefined ? {} : { before }) })
          }
        })
      )
      return { modes: used, sysctls: [...set.values()] }
    })
  )
}

const outcomeOf = ({ reason, message }: DataplaneError, isAskedFor: boolean): Outcome =>
  !isAskedFor && (reason === "ToolMissing" || reason === "Unsupported")
    ? { _tag: "Skipped", why: message }
    : { _tag: "Failed", message }

const cleanUp = (
  open: OpenDataplane,
  mode: ProxyMode,
  settings: DataplaneSettings,
  isAskedFor: boolean
): Effect.Effect<Outcome> =>
  Effect.scoped(
    Effect.flatMap(open(mode, settings), ({ cleanup }) =>
      Effect.match(cleanup, {
        onSuccess: (removed): Outcome => ({ _tag: "Removed", removed }),
        onFailure: (error) => outcomeOf(error, isAskedFor)
      })
    )
  )

const refuseBesideAgent = (terminal: Terminal, { dataDir, force }: CleanupFlags): void => {
  const owner = journalOwner(journalPath(dataDir))
  if (owner === undefined) return
  if (force === true) {
    terminal.note(`chronode: ${owner} runs on ${dataDir}; it puts back what Services need`)
    return
  }
  throw new CommandFailed(
    `an agent runs on ${dataDir} (${owner}), and would put back what is removed`,
    "stop it first; --force removes all the same"
  )
}

const unused =
  "its chains have the names of kube-proxy's, and this node's journal does not say that they are ours; --proxy-mode iptables removes them all the same"

const text = (mode: ProxyMode, outcome: Outcome): string => {
  switch (outcome._tag) {
    case "Removed":
      return outcome.removed.length === 0
        ? `${mode}: nothing was there`
        : `${mode}: removed ${oneLine(outcome.removed.join(", "))}`
    case "Skipped":
      return `${mode}: left alone: ${oneLine(outcome.why)}`
    case "Failed":
      return `${mode}: failed: ${oneLine(outcome.message)}`
  }
}

const documentOf = (outcome: Outcome) => {
  switch (outcome._tag) {
    case "Removed":
      return { removed: outcome.removed }
    case "Skipped":
      return { leftAlone: outcome.why }
    case "Failed":
      return { failed: outcome.message }
  }
}

const asJson = (outcomes: ReadonlyMap<ProxyMode, Outcome>, keptSysctls: Remembered["sysctls"]) => ({
  modes: Object.fromEntries([...outcomes].map(([mode, outcome]) => [mode, documentOf(outcome)])),
  keptSysctls
})

export const execute: Execute<CleanupFlags, []> = async ({ neighbours, terminal }, flags) => {
  refuseBesideAgent(terminal, flags)
  const { proxyMode, proxyConfig, dataplaneName = defaultName } = flags
  const read = proxyConfig === undefined ? noProxyConfiguration : readProxyConfiguration(proxyConfig)
  // Which Services there are does not matter: all of them go.
  const options = proxyOptions({ services: "", dataplaneName }, read, ipFamilies())
  if (options === undefined) throw new CommandFailed("no settings for the dataplanes")
  const outcomes = new Map<ProxyMode, Outcome>()
  const open = await neighbours.openDataplane()
  const past = await Effect.runPromise(remembered(flags.dataDir))
  for (const mode of proxyMode === undefined ? modes : [proxyMode]) {
    const isAskedFor = mode === proxyMode
    const { dataplane } = options.modes[mode]
    outcomes.set(
      mode,
      mode === "iptables" && !isAskedFor && !past.modes.has(mode)
        ? { _tag: "Skipped", why: unused }
        : await Effect.runPromise(cleanUp(open, mode, dataplane, isAskedFor))
    )
  }
  if (flags.output === "json") terminal.out(`${JSON.stringify(asJson(outcomes, past.sysctls), null, 2)}\n`)
  else {
    for (const [mode, outcome] of outcomes) terminal.out(`${text(mode, outcome)}\n`)
    for (const { name, value, before } of past.sysctls)
      terminal.out(`left as it is: ${name} = ${value}${before === undefined ? "" : ` (was ${before})`}\n`)
  }
  return [...outcomes.values()].some(({ _tag }) => _tag === "Failed") ? exitCodes.failed : exitCodes.good
}
