/**
 * Services by IPVS against ipvsadm, in one run in the virtual machine of scripts/lab/vm.ts (JavaScript is some twenty times slower
 * there, ipvsadm is slowed down alike). The bars: the first sync of all Services ≤ 1.5× `ipvsadm --restore` of the same table;
 * one endpoint, as a ratio to one `ipvsadm -a`, whatever the number of Services.
 *
 *     bun bench/ipvs-sync.ts [--services 10000]
 *
 * "virtual servers alone" are the same messages as ipvsadm's, many in one send; the first sync also makes addresses of 10,000
 * Services on the device, 30,000 entries of nftables, and reads all first.
 */
import { execFileSync, spawnSync } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Effect, Layer, ManagedRuntime } from "effect"
import { runInVm } from "../scripts/lab/vm.ts"
import { openCompanion } from "../src/adapters/dataplane/ipvs/companion.ts"
import { openDevice } from "../src/adapters/dataplane/ipvs/device.ts"
import { layer } from "../src/adapters/dataplane/ipvs/live.ts"
import { ownerMark } from "../src/adapters/dataplane/ipvs/names.ts"
import { planRules } from "../src/adapters/dataplane/ipvs/plan.ts"
import { stepsFor } from "../src/adapters/dataplane/ipvs/steps.ts"
import {
  Dataplane,
  type DataplaneSettings,
  defaultName,
  rulesKey,
  type ServiceRules
} from "../src/adapters/dataplane/port.ts"
import { connect } from "../src/adapters/netlink/connection.ts"
import { openIpvs } from "../src/adapters/netlink/ipvs-calls.ts"
import { openSocket } from "../src/adapters/netlink/socket.ts"
import { layer as sysctls } from "../src/adapters/sysctl/live.ts"
import { machine } from "./machine.ts"

const { values } = parseArgs({
  options: { services: { type: "string", default: "10000" }, inside: { type: "boolean", default: false } }
})
const count = Number(values.services)
/** Endpoints of each. */
const endpoints = 3
const limit = 540_000
const warmUp = 500
/** Changes of one endpoint that are measured at each size. */
const changes = 40

const settings: DataplaneSettings = {
  ...{ name: defaultName, families: ["IPv4"], masqueradeAll: false, masqueradeBit: 14 },
  ...{ localDetector: { by: "cidr", cidrs: ["10.240.0.0/12"] }, localhostNodePorts: false },
  ipvs: { scheduler: "rr", strictARP: false, excludeCIDRs: [], tcpTimeout: 0, tcpFinTimeout: 0, udpTimeout: 0 }
}

const serverOf = (n: number) => ({ ip: `10.${240 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`, port: 8080, local: false })

const service = (n: number, more = 0): ServiceRules => ({
  ...{ namespace: "bench", name: `s${n}`, portName: "", family: "IPv4", protocol: "TCP" },
  ...{ clusterIP: `10.96.${n >> 8}.${n & 255}`, port: 80, externalIPs: [], loadBalancerIPs: [], sourceRanges: [] },
  ...{ internalLocal: false, externalLocal: false, local: [], hasAny: true },
  cluster: Array.from({ length: endpoints + more }, (_, k) => serverOf(n * (endpoints + 1) + k))
})

const desired = (rules: ReadonlyArray<ServiceRules>) => ({ rules, nodePortAddresses: [], healthCheckPorts: [] })

const timed = async (run: () => unknown): Promise<number> => {
  const began = performance.now()
  await run()
  return performance.now() - began
}
const shown = (milliseconds: number) =>
  milliseconds >= 100 ? `${(milliseconds / 1000).toFixed(2)} s` : `${milliseconds.toFixed(2)} ms`
const quantile = (all: ReadonlyArray<number>, q: number) =>
  all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * q))]!
const say = (what: string, ...figures: ReadonlyArray<string>) => console.log(`${what}: ${figures.join(", ")}`)

const ipvsadm = (args: ReadonlyArray<string>, input?: string) =>
  execFileSync("ipvsadm", args, input === undefined ? {} : { input })

const measureTable = async (rules: ReadonlyArray<ServiceRules>): Promise<number> => {
  const text = rules
    .flatMap(({ clusterIP, cluster }) => [
      `-A -t ${clusterIP}:80 -s rr`,
      ...cluster.map(({ ip, port }) => `-a -t ${clusterIP}:80 -r ${ip}:${port} -m -w 1`)
    ])
    .join("\n")
  const restore = await timed(() => ipvsadm(["--restore"], `${text}\n`))
  ipvsadm(["-C"])
  const around = { scheduler: "rr", mark: ownerMark(settings.name), nodeAddresses: new Set<string>() } as const
  const ipvs = openIpvs(connect(openSocket("generic")))
  const alone = await timed(() => {
    const all = rules.flatMap((one) => planRules(one, { ...around, nodePortAddresses: [] }))
    const failures = ipvs.change(all.flatMap((planned) => stepsFor(planned, undefined).changes))
    if (failures.size > 0) throw new Error([...failures.values()][0]!.message)
  })
  ipvsadm(["-C"])
  ipvs.close()
  say(`${rules.length} Services × ${endpoints}`, `ipvsadm --restore ${shown(restore)}`)
  say("  virtual servers alone", shown(alone), `${(alone / restore).toFixed(2)}×`)
  return restore
}

const measureParts = async (rules: ReadonlyArray<ServiceRules>) => {
  const around = {
    scheduler: "rr",
    mark: 0x4000_0000,
    nodeAddresses: new Set<string>(),
    nodePortAddresses: []
  } as const
  const all = rules.flatMap((one) => planRules(one, around))
  const device = openDevice("bench", connect(openSocket("route")))
  device.ensure()
  const addresses = await timed(() => device.add(all.map(({ address }) => address)))
  device.destroy()
  device.close()
  const companion = openCompanion({ ...settings, name: "bench" }, connect(openSocket("netfilter")))
  await Effect.runPromise(companion.ensure)
  const entries = await timed(() =>
    Effect.runPromise(
      companion.change(
        [],
        all.flatMap((planned) => planned.entries)
      )
    )
  )
  await Effect.runPromise(companion.remove)
  companion.close()
  say("of the first sync, each by itself", `addresses ${shown(addresses)}`, `entries of nftables ${shown(entries)}`)
}

const measureChange = async (dataplane: Dataplane["Service"], size: number) => {
  const took: Array<number> = []
  for (let k = 0; k < changes; k++) {
    // One comes, and at the next turn it goes again.
    const one = service(((k >> 1) * 37) % size, k % 2 === 0 ? 1 : 0)
    took.push(await timed(() => Effect.runPromise(dataplane.apply([{ key: rulesKey(one), rules: one }]))))
  }
  const tool: Array<number> = []
  for (let k = 1; k <= 5; k++) {
    tool.push(await timed(() => ipvsadm(["-a", "-t", "10.96.0.7:80", "-r", `192.0.2.${k}:80`, "-m"])))
  }
  const come = took.filter((_, k) => k % 2 === 0)
  const go = took.filter((_, k) => k % 2 === 1)
  say(
    `one endpoint of ${size} Services`,
    `comes p50 ${shown(quantile(come, 0.5))}, p95 ${shown(quantile(come, 0.95))}`,
    `goes p50 ${shown(quantile(go, 0.5))}`,
    `${(quantile(come, 0.5) / quantile(tool, 0.5)).toFixed(3)}× one ipvsadm -a (${shown(quantile(tool, 0.5))})`
  )
}

const inside = async () => {
  console.log(machine())
  // So that it is in the cache for both.
  spawnSync("nft", ["list", "tables"])
  spawnSync("ipvsadm", ["-Ln"])
  const rules = Array.from({ length: count }, (_, n) => service(n))
  const runtime = ManagedRuntime.make(Layer.provide(layer(settings), sysctls))
  const dataplane = await runtime.runPromise(Dataplane)
  await Effect.runPromise(dataplane.prepare)
  // The compiler of JavaScript takes seconds here, and a few tenths elsewhere: once before, and told by itself.
  const cold = await timed(() => Effect.runPromise(dataplane.resync(desired(rules.slice(0, warmUp)))))
  say(`the first ${warmUp} Services of all, with the program still cold`, shown(cold))
  await Effect.runPromise(dataplane.resync(desired(rules.slice(0, warmUp / 2))))
  await Effect.runPromise(dataplane.cleanup)
  const restore = await measureTable(rules)
  const first = await timed(() => Effect.runPromise(dataplane.resync(desired(rules))))
  say("  first sync", shown(first), `${(first / restore).toFixed(2)}×`)
  for (const size of [count, 1_000, 100].filter((one) => one <= count)) {
    if (size < count) {
      await Effect.runPromise(dataplane.cleanup)
      await Effect.runPromise(dataplane.resync(desired(rules.slice(0, size))))
    }
    await measureChange(dataplane, size)
  }
  await Effect.runPromise(dataplane.cleanup)
  await measureParts(rules)
  await runtime.dispose()
}

if (values.inside) await inside()
else {
  const here = fileURLToPath(import.meta.url)
  const outcome = await runInVm({
    argv: [process.execPath, here, "--inside", "--services", String(count)],
    limit,
    memory: 3072,
    onOutput: (text) => void process.stdout.write(text)
  })
  if (outcome.code !== 0)
    console.error(outcome.timedOut ? "the machine's time was over" : outcome.console.slice(-2_000))
  process.exitCode = outcome.code ?? 1
}
