/**
 * Services through the whole agent, by nftables: Services and EndpointSlices in files, actors, journal (each change fsynced)
 * and kernel, in a network namespace of its own. Needs root and nft.
 *
 * - One endpoint changes among N Services of three endpoints: from the event's commit to the kernel's acknowledgement, as
 *   the agent itself tells it (ServiceProgrammed.latency). Limit: 5 ms at the 99th percentile, for every N.
 * - 1,000 changes of endpoints a second for 30 s: how long the last one takes, and whether the kernel is right at the end.
 * - Memory: 10,000 Services of ten endpoints above an agent without any. Limit: 150 MiB.
 *
 *   bun bench/services-agent.ts [bun|deno|both] [latency|sustained|memory|all]
 */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { machine } from "./machine.ts"
import { ServicesAgent } from "./services-lab.ts"

const inside = "CHRONODE_BENCH_NETNS"
const counts = [100, 1_000, 10_000, 30_000]
/** Changes of one endpoint at each count, one after the other, and before them those by which machine code comes about. */
const changes = 150
const warmUp = 20
const allowedLatency = 5
const sustained = { perSecond: 1_000, seconds: 30, everyMillis: 500 }
const big = { services: 10_000, endpoints: 10 }
const allowedMiB = 150
/** Seconds for the garbage of the start to go. */
const settleSeconds = 20

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const service = (n: number) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: `s${n}` },
  spec: { clusterIP: `10.96.${n >> 8}.${n & 255}`, ports: [{ port: 80, targetPort: 8080 }] }
})
const slice = (n: number, addresses: ReadonlyArray<string>, isReady: (index: number) => boolean = () => true) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `s${n}-1`, labels: { "kubernetes.io/service-name": `s${n}` } },
  addressType: "IPv4",
  ports: [{ port: 8080 }],
  endpoints: addresses.map((address, i) => ({ addresses: [address], conditions: { ready: isReady(i) } }))
})
/** Addresses of the endpoints of the nth Service, others for each. */
const addressesOf = (n: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const index = n * count + i + 1
    return `10.${128 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
  })

const list = (items: ReadonlyArray<object>) => JSON.stringify({ apiVersion: "v1", kind: "List", items })
const put = (dir: string, name: string, text: string): void => {
  writeFileSync(join(dir, `.${name}`), text)
  renameSync(join(dir, `.${name}`), join(dir, name))
}

/** Files of at most this many Services: one of them is a few megabytes. */
const perFile = 5_000
const fill = (dir: string, services: number, endpoints: number): void => {
  for (let from = 0; from < services; from += perFile) {
    const numbers = Array.from({ length: Math.min(perFile, services - from) }, (_, i) => from + i)
    put(dir, `all-${from}.json`, list(numbers.flatMap((n) => [service(n), slice(n, addressesOf(n, endpoints))])))
  }
}

const percentile = (sorted: ReadonlyArray<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN

const withAgent = async <A>(
  runtime: string,
  prepare: (services: string) => void,
  use: (agent: ServicesAgent) => Promise<A>
): Promise<A> => {
  const dir = mkdtempSync(join(tmpdir(), "chronode-bench-services-"))
  const services = join(dir, "services")
  mkdirSync(services)
  prepare(services)
  const agent = new ServicesAgent({ dir, services, runtime })
  try {
    await agent.synced()
    return await use(agent)
  } finally {
    await agent.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

const latency = async (runtime: string): Promise<boolean> => {
  let good = true
  for (const count of counts) {
    // The one that changes is declared in files of its own, as a Service among many is.
    const one = 65_000
    const addresses = addressesOf(one, 3)
    await withAgent(
      runtime,
      (dir) => {
        fill(dir, count - 1, 3)
        put(dir, "one.json", list([service(one), slice(one, addresses)]))
      },
      async (agent) => {
        let from = 0
        for (let n = -warmUp; n < changes; n++) {
          const before = await agent.head()
          if (n === 0) from = before
          put(agent.services, "one.json", list([service(one), slice(one, addresses, (i) => i > 0 || n % 2 !== 0)]))
          await agent.until(before, "ServiceProgrammed")
        }
        const all = (await agent.seen(["ServiceProgrammed"], from)).map(({ data }) => Number(data.latency))
        const kernel = (await agent.seen(["ServiceProgrammed"], from)).map(({ data }) => Number(data.duration))
        const [sorted, inKernel] = [all, kernel].map((values) => values.toSorted((a, b) => a - b)) as [
          number[],
          number[]
        ]
        const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)]
        console.log(
          `${runtime.padEnd(5)} ${String(count).padStart(6)} Services: commit to kernel p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, most ${sorted.at(-1)?.toFixed(2)} ms (${(p99 / allowedLatency).toFixed(2)}× of the allowed ${allowedLatency} ms); the transaction itself p50 ${percentile(inKernel, 0.5).toFixed(2)} ms, p99 ${percentile(inKernel, 0.99).toFixed(2)} ms; first sync of all ${agent.firstSync.toFixed(0)} ms; ${sorted.length} changes`
        )
        if (runtime === "bun" && !(p99 <= allowedLatency)) good = false
      }
    )
  }
  return good
}

const sustainedChanges = async (runtime: string): Promise<boolean> => {
  const perRound = (sustained.perSecond * sustained.everyMillis) / 1000
  const perService = 10
  const numbers = Array.from({ length: perRound / perService }, (_, i) => 60_000 + i)
  const write = (dir: string, isReady: boolean): void =>
    put(
      dir,
      "changing.json",
      list(numbers.flatMap((n) => [service(n), slice(n, addressesOf(n, perService), (i) => i === 0 || isReady)]))
    )
  return withAgent(
    runtime,
    (dir) => {
      fill(dir, 1_000, 3)
      write(dir, true)
    },
    async (agent) => {
      const from = await agent.head()
      const began = performance.now()
      const rounds = (sustained.seconds * 1000) / sustained.everyMillis
      let most = 0
      for (let round = 1; round <= rounds; round++) {
        write(agent.services, round % 2 === 0)
        await pause(began + round * sustained.everyMillis - performance.now())
        most = Math.max(most, agent.residentMiB())
      }
      const ended = performance.now()
      const last = await agent.quiet()
      const events = (await agent.seen(["EndpointReady", "EndpointUnready"], from)).length
      const slots = agent.kernelSlots()
      const expected = 1_000 * 3 + numbers.length * perService
      const latencies = (await agent.seen(["ServiceProgrammed"], from))
        .map(({ data }) => Number(data.latency))
        .toSorted((a, b) => a - b)
      console.log(
        `${runtime.padEnd(5)} ${sustained.perSecond} changes a second for ${sustained.seconds} s: ${events} changes told, commit to kernel p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p99 ${percentile(latencies, 0.99).toFixed(1)} ms; quiet ${((last - ended) / 1000).toFixed(1)} s after the last; at most ${most.toFixed(0)} MiB; servers in the kernel ${slots} of ${expected}`
      )
      return slots === expected
    }
  )
}

const memory = async (runtime: string): Promise<boolean> => {
  const resident = (services: number) =>
    withAgent(
      runtime,
      (dir) => fill(dir, services, big.endpoints),
      async (agent) => {
        await pause(settleSeconds * 1000)
        return { now: agent.residentMiB(), anonymous: agent.residentMiB("RssAnon") }
      }
    )
  const [idle, full] = [await resident(0), await resident(big.services)]
  const above = full.now - idle.now
  console.log(
    `${runtime.padEnd(5)} ${big.services} Services × ${big.endpoints} endpoints: ${full.now.toFixed(0)} MiB, ${above.toFixed(0)} MiB above an agent without any (${idle.now.toFixed(0)} MiB), ${(above / allowedMiB).toFixed(2)}× of the allowed ${allowedMiB} MiB; anonymous ${(full.anonymous - idle.anonymous).toFixed(0)} MiB above`
  )
  return runtime !== "bun" || above <= allowedMiB
}

const [named = "bun", part = "all"] = process.argv.slice(2)
if (process.env[inside] === undefined) {
  const wrapper = fileURLToPath(new URL("../scripts/test/own-netns.sh", import.meta.url))
  const words = [wrapper, process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const { status } = spawnSync("sh", words, { stdio: "inherit", env: { ...process.env, [inside]: "1" } })
  process.exit(status ?? 1)
}
try {
  execFileSync("nft", ["--version"])
} catch {
  console.error("bench/services-agent: no nft on this machine")
  process.exit(1)
}
console.log(machine())
const parts = { latency, sustained: sustainedChanges, memory } as const
let good = true
for (const runtime of named === "both" ? ["bun", "deno"] : [named])
  for (const [name, run] of Object.entries(parts))
    if (part === "all" || part === name) good = (await run(runtime)) && good
process.exit(good ? 0 : 1)
