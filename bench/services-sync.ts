/**
 * Services put into the kernel by nftables, at the level of the dataplane: the first sync beside `nft -f` of the same final
 * rule set, and one endpoint that joins or leaves among more and more Services. Each figure is taken in a process and a
 * network namespace of its own, so that nothing is warm that would be cold in an agent that starts.
 *
 *     bun bench/services-sync.ts [--services 10000] [--servers 3] [--among 100,1000,10000,30000] [--changes 1000]
 *
 * What passes between an event's commit and the dataplane, and the memory of the whole agent, are others' to measure.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { make } from "../src/adapters/dataplane/nftables/live.ts"
import { type DataplaneSettings, rulesKey, type ServiceRules } from "../src/adapters/dataplane/port.ts"
import { machine } from "./machine.ts"

const { values } = parseArgs({
  options: {
    services: { type: "string", default: "10000" },
    servers: { type: "string", default: "3" },
    among: { type: "string", default: "100,1000,10000,30000" },
    changes: { type: "string", default: "1000" },
    rounds: { type: "string", default: "3" },
    /** What a process of its own is to measure. */
    measure: { type: "string" }
  }
})

/** Milliseconds for one process. */
const timeout = 120_000
/** The bars of the figures: against nft, in seconds, in milliseconds at the 99th percentile. */
const limits = { ratio: 1.5, seconds: 1, p99: 5 }

const settings: DataplaneSettings = {
  name: "chronode",
  families: ["IPv4", "IPv6"],
  masqueradeAll: false,
  masqueradeBit: 14,
  localDetector: { by: "cidr", cidrs: ["10.128.0.0/9", "fd00:10::/64"] },
  localhostNodePorts: false,
  ipvs: { scheduler: "rr", strictARP: false, excludeCIDRs: [], tcpTimeout: 0, tcpFinTimeout: 0, udpTimeout: 0 }
}

const address = (net: number, host: number): string => `10.${net + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`

const service = (number: number, servers: number): ServiceRules => ({
  namespace: "default",
  name: `service-${number}`,
  portName: "http",
  family: "IPv4",
  protocol: "TCP",
  clusterIP: address(64, number),
  port: 80,
  externalIPs: [],
  loadBalancerIPs: [],
  sourceRanges: [],
  internalLocal: false,
  externalLocal: false,
  cluster: Array.from({ length: servers }, (_, at) => ({
    ip: address(128, number * 16 + at),
    port: 8080,
    local: false
  })),
  local: [],
  hasAny: servers > 0
})

const all = (count: number, servers: number): ReadonlyArray<ServiceRules> =>
  Array.from({ length: count }, (_, number) => service(number, servers))

const desired = (rules: ReadonlyArray<ServiceRules>) => ({
  rules,
  nodePortAddresses: ["192.168.0.2"],
  healthCheckPorts: []
})

const percentile = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!

const [count, servers] = [Number(values.services), Number(values.servers)]

const measures = {
  first: async () => {
    const rules = all(count, servers)
    const dataplane = make(settings)
    const begin = performance.now()
    await Effect.runPromise(dataplane.resync(desired(rules)))
    const milliseconds = performance.now() - begin
    const nft = (...args: ReadonlyArray<string>) => spawnSync("nft", [...args], { maxBuffer: 1 << 30 })
    const directory = mkdtempSync(join(tmpdir(), "chronode-bench-"))
    try {
      const file = join(directory, "rules.nft")
      writeFileSync(file, nft("list", "ruleset").stdout)
      nft("flush", "ruleset")
      const bareBegin = performance.now()
      const { status, stderr } = nft("-f", file)
      if (status !== 0) throw new Error(String(stderr))
      return { milliseconds, bare: performance.now() - bareBegin }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  change: async () => {
    const rules = all(count, servers)
    const dataplane = make(settings)
    await Effect.runPromise(dataplane.resync(desired(rules)))
    const taken: Array<number> = []
    for (let turn = 0; turn < Number(values.changes); turn++) {
      // A server joins a Service, and leaves it the next time.
      const changed = service(((turn >> 1) * 7919) % count, servers + ((turn + 1) & 1))
      const begin = performance.now()
      await Effect.runPromise(dataplane.apply([{ key: rulesKey(changed), rules: changed }]))
      taken.push(performance.now() - begin)
    }
    taken.sort((a, b) => a - b)
    return { p50: percentile(taken, 0.5), p99: percentile(taken, 0.99) }
  }
} as const

/** One measurement in a process and a network namespace of its own. */
const inOwn = (measure: keyof typeof measures, services: number): Record<string, number> => {
  const runtime = process.versions.bun === undefined ? [process.execPath, "run", "-A"] : [process.execPath]
  const args = ["--measure", measure, "--services", String(services), "--servers", values.servers]
  const self = [...runtime, fileURLToPath(import.meta.url), ...args, "--changes", values.changes]
  const { status, stdout, stderr } = spawnSync("unshare", ["--net", ...self], { timeout, maxBuffer: 1 << 20 })
  if (status !== 0) throw new Error(`${measure} of ${services} Services: ${stderr}`)
  return JSON.parse(String(stdout))
}

if (values.measure !== undefined) {
  console.log(JSON.stringify(await measures[values.measure as keyof typeof measures]()))
} else {
  console.log(machine())
  const rounds = Array.from({ length: Number(values.rounds) }, () => inOwn("first", count))
  const median = (of: (round: Record<string, number>) => number): number =>
    percentile(
      rounds.map(of).sort((a, b) => a - b),
      0.5
    )
  const [own, bare] = [median((round) => round.milliseconds!), median((round) => round.bare!)]
  const ratio = median((round) => round.milliseconds! / round.bare!)
  const says = `${own.toFixed(0)} ms, nft -f ${bare.toFixed(0)} ms: ${ratio.toFixed(2)}×`
  console.log(`first sync of ${count} Services × ${servers}, median of ${rounds.length}: ${says}`)
  let worst = 0
  for (const services of values.among.split(",").map(Number)) {
    const { p50 = 0, p99 = 0 } = inOwn("change", services)
    worst = Math.max(worst, p99)
    console.log(`one endpoint among ${services} Services: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`)
  }
  const isMet = ratio <= limits.ratio && own / 1000 < limits.seconds && worst <= limits.p99
  console.log(
    `bars: ≤ ${limits.ratio}× and < ${limits.seconds} s; p99 ≤ ${limits.p99} ms: ${isMet ? "met" : "NOT met"}`
  )
}
