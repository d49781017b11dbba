/** `chronode stats [pods|containers|volumes|node]`: what is used at the moment, asked of the agent on this machine. */
import { Effect } from "effect"
import type { FsStats, NodeStats, PodStats, Summary } from "../events/stats-summary.ts"
import type { Execute } from "./command.ts"
import { exitCodes } from "./exit.ts"
import { table } from "./text.ts"
import { askSummary, cpuText, memoryText, unknown, usedBy } from "./usage.ts"

export const statsSubjects = ["pods", "containers", "volumes", "node"] as const
export type StatsSubject = (typeof statsSubjects)[number]

interface StatsFlags {
  readonly output: "table" | "json"
  readonly dataDir: string
}

interface Listing {
  readonly header: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

const countText = (count: number | undefined): string => (count === undefined ? unknown : String(count))

const podListing = (pods: ReadonlyArray<PodStats>): Listing => ({
  header: ["NAMESPACE", "NAME", "CPU", "MEMORY", "STORAGE", "PROCESSES", "RECEIVED", "SENT"],
  rows: pods.map((pod) => {
    const { cpu, memory } = usedBy(pod)
    return [
      pod.podRef.namespace,
      pod.podRef.name,
      cpuText(cpu),
      memoryText(memory),
      memoryText(pod["ephemeral-storage"]?.usedBytes),
      countText(pod.process_stats?.process_count),
      memoryText(pod.network?.rxBytes),
      memoryText(pod.network?.txBytes)
    ]
  })
})

const containerListing = (pods: ReadonlyArray<PodStats>): Listing => ({
  header: ["NAMESPACE", "POD", "CONTAINER", "CPU", "MEMORY", "LAYER", "LOGS"],
  rows: pods.flatMap(({ podRef, containers }) =>
    containers.map((container) => {
      const { cpu, memory } = usedBy(container)
      const { rootfs, logs } = container
      return [
        podRef.namespace,
        podRef.name,
        container.name,
        cpuText(cpu),
        memoryText(memory),
        memoryText(rootfs?.usedBytes),
        memoryText(logs?.usedBytes)
      ]
    })
  )
})

const volumeListing = (pods: ReadonlyArray<PodStats>): Listing => ({
  header: ["NAMESPACE", "POD", "VOLUME", "USED", "INODES", "FREE THERE"],
  rows: pods.flatMap(({ podRef, volume = [] }) =>
    volume.map(({ name, usedBytes, inodesUsed, availableBytes }) => [
      podRef.namespace,
      podRef.name,
      name,
      memoryText(usedBytes),
      countText(inodesUsed),
      memoryText(availableBytes)
    ])
  )
})

const fileSystemRow = (name: string, fs: FsStats | undefined): ReadonlyArray<ReadonlyArray<string>> =>
  fs === undefined
    ? []
    : [
        [name, memoryText(fs.usedBytes), memoryText(fs.availableBytes)],
        [`${name} inodes`, countText(fs.inodesUsed), countText(fs.inodesFree)]
      ]

const nodeListing = (node: NodeStats): Listing => {
  const { cpu, memory } = usedBy(node)
  const { curproc, maxpid } = node.rlimit ?? {}
  const left = curproc === undefined || maxpid === undefined ? undefined : maxpid - curproc
  return {
    header: ["WHAT", "USED", "LEFT"],
    rows: [
      ["cpu", cpuText(cpu), unknown],
      ["memory", memoryText(memory), memoryText(node.memory?.availableBytes)],
      ["swap", memoryText(node.swap?.swapUsageBytes), memoryText(node.swap?.swapAvailableBytes)],
      ["processes", countText(curproc), countText(left)],
      ...fileSystemRow("disk", node.fs),
      ...fileSystemRow("images", node.runtime?.imageFs),
      ...(node.systemContainers ?? []).map((system) => {
        const used = usedBy(system)
        return [
          `cgroup of ${system.name}`,
          `${cpuText(used.cpu)} ${memoryText(used.memory)}`,
          memoryText(system.memory?.availableBytes)
        ]
      })
    ]
  }
}

export const statsListing = ({ node, pods }: Summary, what: StatsSubject): Listing => {
  switch (what) {
    case "pods":
      return podListing(pods)
    case "containers":
      return containerListing(pods)
    case "volumes":
      return volumeListing(pods)
    case "node":
      return nodeListing(node)
  }
}

/** In kubelet's JSON; containers and volumes with their pod. */
export const statsDocument = ({ node, pods }: Summary, what: StatsSubject): unknown => {
  switch (what) {
    case "pods":
      return pods
    case "containers":
      return pods.flatMap(({ podRef, containers }) => containers.map((container) => ({ podRef, ...container })))
    case "volumes":
      return pods.flatMap(({ podRef, volume = [] }) => volume.map((one) => ({ podRef, ...one })))
    case "node":
      return node
  }
}

export const execute: Execute<StatsFlags, [what: StatsSubject]> = async ({ terminal }, flags, what) => {
  const summary = await Effect.runPromise(askSummary(flags.dataDir))
  if (flags.output === "json") terminal.out(`${JSON.stringify(statsDocument(summary, what), null, 2)}\n`)
  else {
    const { header, rows } = statsListing(summary, what)
    if (rows.length === 0) terminal.note(`no ${what}`)
    else terminal.out(table(header, rows))
  }
  return exitCodes.good
}
