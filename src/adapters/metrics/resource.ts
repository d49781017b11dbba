/** `/metrics/resource`: CPU, memory and swap by node, pod and container (`pkg/kubelet/metrics/collectors/resource_metrics.go`). */
import type { ContainerStats, CpuStats, MemoryStats, PodStats, SwapStats } from "../../events/stats-summary.ts"
import { type FamilyType, familyHead, labelText, numberText } from "./registry.ts"
import type { Usage } from "./usage.ts"

/** What nodes, pods and containers have in common. */
interface Figures {
  readonly cpu?: CpuStats
  readonly memory?: MemoryStats
  readonly swap?: SwapStats
}

interface Reading {
  readonly value: number
  /** RFC 3339; absent: the value has no time of its own. */
  readonly time?: string
}

interface Family<F> {
  readonly name: string
  readonly type: FamilyType
  readonly help: string
  readonly of: (figures: F) => Reading | undefined
}

const reading = (value: number | undefined, time?: string): Reading | undefined =>
  value === undefined ? undefined : { value, ...(time === undefined ? {} : { time }) }

const common = (who: "node" | "pod" | "container", whose: string): ReadonlyArray<Family<Figures>> => [
  {
    name: `${who}_cpu_usage_seconds_total`,
    type: "counter",
    help: `Time of processors that ${whose} used, in seconds.`,
    of: ({ cpu }) =>
      cpu?.usageCoreNanoSeconds === undefined ? undefined : reading(cpu.usageCoreNanoSeconds / 1e9, cpu.time)
  },
  {
    name: `${who}_memory_working_set_bytes`,
    type: "gauge",
    help: `Memory that ${whose} uses, without the file pages that are not active.`,
    of: ({ memory }) => reading(memory?.workingSetBytes, memory?.time)
  },
  {
    name: `${who}_swap_usage_bytes`,
    type: "gauge",
    help: `Swap space that ${whose} uses.`,
    of: ({ swap }) => reading(swap?.swapUsageBytes, swap?.time)
  }
]

const ofNode = common("node", "the node")
const ofPods = common("pod", "the pod")
const ofContainers: ReadonlyArray<Family<ContainerStats>> = [
  {
    name: "container_start_time_seconds",
    type: "gauge",
    help: "When the container started, seconds since the epoch.",
    of: ({ startTime }) => {
      const at = Date.parse(startTime)
      return at > 0 ? reading(at / 1000) : undefined
    }
  },
  ...common("container", "the container"),
  {
    name: "container_swap_limit_bytes",
    type: "gauge",
    help: "Swap space that the container may use.",
    of: ({ swap }) =>
      swap?.swapAvailableBytes === undefined
        ? undefined
        : reading(swap.swapAvailableBytes + (swap.swapUsageBytes ?? 0), swap.time)
  }
]
const errors = [
  { name: "resource_scrape_error", help: "1 where the figures could not be read, else 0." },
  {
    name: "scrape_error",
    help: "1 where the figures could not be read, else 0 (the older name of resource_scrape_error)."
  }
]

/** Name, type and help of all that is told, for documentation. */
export const resourceFamilies = (): ReadonlyArray<{
  readonly name: string
  readonly type: FamilyType
  readonly help: string
}> => [...ofNode, ...ofPods, ...ofContainers, ...errors.map((error) => ({ ...error, type: "gauge" as const }))]

interface Subject<F> {
  readonly labels: string
  readonly figures: F
}

const familyText = <F>({ name, type, help, of }: Family<F>, subjects: ReadonlyArray<Subject<F>>): string => {
  let lines = ""
  for (const { labels, figures } of subjects) {
    const read = of(figures)
    if (read === undefined) continue
    const braces = labels === "" ? "" : `{${labels}}`
    const time = read.time === undefined ? "" : ` ${Date.parse(read.time)}`
    lines += `${name}${braces} ${numberText(read.value)}${time}\n`
  }
  return lines === "" ? "" : familyHead(name, type, help) + lines
}

const containersOf = ({ podRef, containers }: PodStats): ReadonlyArray<Subject<ContainerStats>> =>
  containers.map((figures) => ({
    labels: labelText({ container: figures.name, namespace: podRef.namespace, pod: podRef.name }),
    figures
  }))

/** @param usage undefined: it could not be had */
export const resourceText = (usage: Pick<Usage, "summary"> | undefined): string => {
  const failed = usage === undefined ? 1 : 0
  const told = errors.map(({ name, help }) => `${familyHead(name, "gauge", help)}${name} ${failed}\n`).join("")
  if (usage === undefined) return told
  const { node, pods } = usage.summary
  const whole = pods.map((figures) => ({
    labels: labelText({ namespace: figures.podRef.namespace, pod: figures.podRef.name }),
    figures
  }))
  const containers = pods.flatMap(containersOf)
  return [
    ...ofNode.map((family) => familyText(family, [{ labels: "", figures: node }])),
    ...ofContainers.map((family) => familyText(family, containers)),
    ...ofPods.map((family) => familyText(family, whole)),
    told
  ].join("")
}
