/** `chronode node cordon|uncordon|status` */
import { userInfo } from "node:os"
import process from "node:process"
import { Effect } from "effect"
import type { NodeReport } from "../../actors/node/report.ts"
import type { Execute } from "../command.ts"
import { exitCodes } from "../exit.ts"
import { askAgentJson } from "../local-api.ts"

export interface NodeFlags {
  readonly dataDir: string
  readonly output: "text" | "json"
}

/** Who asks, for the log: behind sudo the one who called it. */
export const asker = (): string => process.env.SUDO_USER ?? userInfo().username

export const askReport = (dataDir: string) =>
  Effect.map(askAgentJson(dataDir, { method: "GET", path: "/local/node" }), (report) => report as NodeReport)

const drainWords: Readonly<Record<string, string>> = {
  running: "is being drained",
  drained: "is drained",
  failed: "was not drained to the end"
}

const statusText = ({ name, status, message, cordon, drain, shutdown, pods }: NodeReport): string => {
  const lines = [
    `${name} ${status}${message === "" ? "" : `: ${message}`}`,
    ...(cordon === null ? [] : [`cordoned by ${cordon.by} since ${cordon.since}`]),
    ...(drain === null ? [] : [`${drainWords[drain.status] ?? drain.status} (begun ${drain.startedAt})`]),
    ...(shutdown === null ? [] : [`is shutting down (${shutdown})`]),
    `${pods.length} pods`
  ]
  return `${lines.join("\n")}\n`
}

export const execute: Execute<NodeFlags, [what: "cordon" | "uncordon" | "status"]> = async (
  { terminal },
  { dataDir, output },
  what
) => {
  const before = await Effect.runPromise(askReport(dataDir))
  const report =
    what === "status"
      ? before
      : ((await Effect.runPromise(
          askAgentJson(dataDir, { method: "POST", path: `/local/node/${what}`, body: { by: asker() } })
        )) as NodeReport)
  if (output === "json") terminal.out(`${JSON.stringify(report, null, 2)}\n`)
  else if (what === "status") terminal.out(statusText(report))
  // kubectl's words.
  else {
    const isNews = (before.cordon === null) !== (report.cordon === null)
    terminal.out(`node/${report.name} ${isNews ? "" : "already "}${what}ed\n`)
  }
  return exitCodes.good
}
