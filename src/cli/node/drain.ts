/** `chronode node drain`: asks the agent, and shows how it goes on. Results on stdout, progress on stderr, in kubectl's words. */
import { Effect } from "effect"
import type { DrainChoice } from "../../actors/node/drain-choice.ts"
import type { NodeReport } from "../../actors/node/report.ts"
import type { Execute } from "../command.ts"
import { exitCodes, UsageError } from "../exit.ts"
import { askAgentJson } from "../local-api.ts"
import type { Terminal } from "../terminal.ts"
import { parseLength } from "../times.ts"
import { asker, askReport, type NodeFlags } from "./cordon.ts"

interface DrainFlags extends NodeFlags {
  readonly gracePeriod: string
  readonly timeout: string
  readonly deleteEmptydirData?: boolean
  readonly podSelector?: string
  readonly dryRun?: boolean
}

/** Milliseconds between questions how it goes on. */
const lookPeriod = 500

const graceOf = (text: string): number | undefined => {
  if (!/^-?\d{1,9}$/u.test(text) || Number(text) < -1) {
    throw new UsageError(`--grace-period ${text}: a number of seconds, or -1 for the pods' own`)
  }
  return Number(text) === -1 ? undefined : Number(text)
}

/** Seconds; undefined: without end. */
const timeoutOf = (text: string): number | undefined => {
  if (/^0s?$/u.test(text)) return undefined
  const millis = parseLength(text)
  if (millis === undefined || millis <= 0) throw new UsageError(`--timeout ${text}: a length such as 90s or 5m, or 0`)
  return millis / 1000
}

const nameOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`

/** Until the drain is over; says of each pod when it has ended. */
const follow = (dataDir: string, choice: DrainChoice, terminal: Terminal): Effect.Effect<NodeReport, unknown> =>
  Effect.gen(function* () {
    const ending = new Set(choice.ends.map(({ uid }) => uid))
    for (const pod of choice.ends) terminal.note(`evicting pod ${nameOf(pod)}`)
    while (true) {
      const report = yield* askReport(dataDir)
      // Held by the node: nothing of it is left.
      const there = new Set(report.pods.filter(({ status }) => status !== "SchedulingDisabled").map(({ uid }) => uid))
      for (const pod of choice.ends) {
        if (ending.has(pod.uid) && !there.has(pod.uid)) {
          ending.delete(pod.uid)
          terminal.note(`pod/${pod.name} evicted`)
        }
      }
      if (report.drain?.status !== "running") return report
      yield* Effect.sleep(lookPeriod)
    }
  })

export const execute: Execute<DrainFlags, []> = async ({ terminal }, flags) => {
  const { dataDir, output, dryRun, deleteEmptydirData, podSelector } = flags
  const gracePeriodSeconds = graceOf(flags.gracePeriod)
  const timeoutSeconds = timeoutOf(flags.timeout)
  const body = {
    by: asker(),
    gracePeriodSeconds,
    timeoutSeconds,
    podSelector,
    deleteEmptyDirData: deleteEmptydirData,
    dryRun
  }
  const choice = (await Effect.runPromise(
    askAgentJson(dataDir, { method: "POST", path: "/local/node/drain", body })
  )) as DrainChoice
  for (const pod of choice.stays) terminal.note(`pod ${nameOf(pod)} stays: ${pod.why}`)
  if (dryRun === true) {
    if (output === "json") terminal.out(`${JSON.stringify(choice, null, 2)}\n`)
    else for (const pod of choice.ends) terminal.out(`pod ${nameOf(pod)} would end\n`)
    return exitCodes.good
  }
  const report = await Effect.runPromise(follow(dataDir, choice, terminal))
  const isDrained = report.drain?.status === "drained"
  if (output === "json") terminal.out(`${JSON.stringify(report, null, 2)}\n`)
  else if (isDrained) terminal.out(`node/${report.name} drained\n`)
  if (!isDrained)
    terminal.note(
      `chronode: node/${report.name} was not drained to the end: chronode events --type NodeDrainFailed says more`
    )
  return isDrained ? exitCodes.good : exitCodes.failed
}
