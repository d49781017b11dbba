/** What the node's actor makes of its agent's configuration: told where it is another than the one told last. Pure. */

import { canonical } from "../kernel/json.ts"
import type { CommandOf } from "./commands.ts"
import type { ConfigurationInState, NodeDecision } from "./state.ts"

type Json = Readonly<Record<string, unknown>>

const isGroup = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Paths of all that is different: `evictionHard.memory.available`, `clusterDNS`. */
export const changedFields = (before: Json, after: Json, prefix = ""): ReadonlyArray<string> =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted().flatMap((name) => {
    const [from, to, path] = [before[name], after[name], `${prefix}${name}`]
    if (canonical(from) === canonical(to)) return []
    return isGroup(from) && isGroup(to) ? changedFields(from, to, `${path}.`) : [path]
  })

const isSame = (known: ConfigurationInState, told: CommandOf<"ConfigurationRead">): boolean =>
  known.rejected === undefined &&
  known.file === told.file &&
  known.logLevel === told.logLevel &&
  [
    [known.configuration, told.configuration],
    [known.needsRestart, told.needsRestart],
    [known.notHonoured, told.notHonoured]
  ].every(([a, b]) => canonical(a) === canonical(b))

export const learnConfiguration = (d: NodeDecision, command: CommandOf<"ConfigurationRead">): void => {
  const known = d.state.configuration
  if (known !== undefined && isSame(known, command)) return
  const { _tag, at, beside, ...facts } = command
  const changed = known === undefined ? beside : changedFields(known.configuration, facts.configuration)
  const isLevelNew = known !== undefined && known.logLevel !== facts.logLevel
  d.emit({ _tag: "ConfigurationApplied", ...facts, changed: isLevelNew ? [...changed, "log.level"] : changed })
}

export const rejectConfiguration = (d: NodeDecision, command: CommandOf<"ConfigurationRefused">): void => {
  const { file, problems, count } = command
  const rejected = canonical({ file, problems, count })
  if (d.state.configuration?.rejected === rejected) return
  d.emit({ _tag: "ConfigurationRejected", file, problems, count })
}
