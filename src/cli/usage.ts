/** What the node, its pods and containers use at the moment, as the agent on this machine says; and how that is written. */
import { Effect } from "effect"
import type { ContainerStats, NodeStats, PodStats, Summary } from "../events/stats-summary.ts"
import type { CommandFailed } from "./exit.ts"
import { askAgentJson } from "./local-api.ts"
import { formatBytes } from "./sizes.ts"

export interface Used {
  /** Thousandths of a CPU. */
  readonly cpu?: number
  /** Bytes: the working set. */
  readonly memory?: number
}

/** By key of a row: `node`, `pod/default/web`, `container/default/web/app`. */
export type Usage = ReadonlyMap<string, Used>

export const noUsage: Usage = new Map()

/** Nanocores of a thousandth of a CPU. */
const nanoCoresPerMilli = 1_000_000

export const usedBy = ({ cpu, memory }: Pick<PodStats | ContainerStats | NodeStats, "cpu" | "memory">): Used => ({
  ...(cpu?.usageNanoCores === undefined ? {} : { cpu: Math.round(cpu.usageNanoCores / nanoCoresPerMilli) }),
  ...(memory?.workingSetBytes === undefined ? {} : { memory: memory.workingSetBytes })
})

export const usageOf = ({ node, pods }: Summary): Usage =>
  new Map([
    ["node", usedBy(node)] as const,
    ...pods.flatMap((pod) => {
      const { namespace, name } = pod.podRef
      return [
        [`pod/${namespace}/${name}`, usedBy(pod)] as const,
        ...pod.containers.map((c) => [`container/${namespace}/${name}/${c.name}`, usedBy(c)] as const)
      ]
    })
  ])

/** The whole of it, or CPU and memory only. */
export const askSummary = (dataDir: string, short = false): Effect.Effect<Summary, CommandFailed> =>
  Effect.map(
    askAgentJson(dataDir, { method: "GET", path: `/stats/summary${short ? "?only_cpu_and_memory=true" : ""}` }),
    (answer) => answer as Summary
  )

/** Nothing where no agent answers. */
export const askUsage = (dataDir: string): Effect.Effect<Usage> =>
  Effect.catch(Effect.map(askSummary(dataDir, true), usageOf), () => Effect.succeed(noUsage))

/** What is not known. */
export const unknown = "-"
/** `250m`, as kubectl has it. */
export const cpuText = (milli: number | undefined): string => (milli === undefined ? unknown : `${milli}m`)
/** `24.0 MiB` */
export const memoryText = (bytes: number | undefined): string => (bytes === undefined ? unknown : formatBytes(bytes))
