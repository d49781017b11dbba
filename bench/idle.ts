/**
 * What an agent costs that has nothing to do: 30 pods, each with one probe every 10 s (HTTP or TCP). Resident memory and
 * share of a core over a minute, on Bun and on Deno, and beside it those of a bare program that lists and asks as often
 * (idle-bare.ts). Needs root. Limits (Bun): 120 MiB, 2 % of a core; for a full node of 110 pods 160 MiB, 5 %.
 *
 *   bun bench/idle.ts [seconds] [bun|deno|both] [pods]
 */
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, realpathSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { startContainerd, whyNoContainerd } from "../scripts/lab/containerd.ts"
import { busyboxImage } from "../scripts/lab/image.ts"
import { natsServerMissing, startNats } from "../scripts/lab/nats.ts"
import { NodeUnderTest, pause } from "../test/support/agent.ts"
import { machine } from "./machine.ts"

const seconds = Number(process.argv[2] ?? 60)
const named = process.argv[3] ?? "both"
const runtimes = named === "both" ? ["bun", "deno"] : [named]
const pods = Number(process.argv[4] ?? 30)
/** Seconds for the garbage of the start to go and for every probe to be asked once. */
const settleSeconds = 20
const sampleMillis = 1_000
const [allowedMiB, allowedShare] = pods > 30 ? [160, 0.05] : [120, 0.02]
/** proc(5): times are in hundredths of a second on every architecture that Linux supports today (USER_HZ). */
const ticksPerSecond = 100

const manifest = (index: number): object => {
  const probe = index % 2 === 0 ? { httpGet: { path: "/ok", port: 8080 } } : { tcpSocket: { port: 8080 } }
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `idle-${index}` },
    spec: {
      terminationGracePeriodSeconds: 2,
      containers: [
        {
          name: "app",
          image: busyboxImage,
          command: ["sh", "-c", "mkdir /www; echo yes > /www/ok; exec httpd -f -p 8080 -h /www"],
          readinessProbe: { ...probe, periodSeconds: 10 }
        }
      ]
    }
  }
}

/** User and system time of a process with all its threads, seconds. */
const cpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
/** MiB of one of the memory fields of /proc/<pid>/status. */
const memory = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

interface Cost {
  /** MiB, at most. */
  readonly resident: number
  /** Of a core. */
  readonly share: number
}

const costOf = async (pid: number): Promise<Cost> => {
  const [cpu, time] = [cpuSeconds(pid), performance.now()]
  let resident = 0
  for (let sample = 0; sample < seconds; sample++) {
    await pause(sampleMillis)
    resident = Math.max(resident, memory(pid, "VmRSS"))
  }
  return { resident, share: (cpuSeconds(pid) - cpu) / ((performance.now() - time) / 1000) }
}

/** The bare program against the same runtime and the same pods, which run on without their agent. */
const costOfBare = async (runtime: string, socket: string, addresses: ReadonlyArray<string>): Promise<Cost> => {
  const program = [fileURLToPath(new URL("idle-bare.ts", import.meta.url)), socket, ...addresses]
  const bin = fileURLToPath(new URL(`../node_modules/.bin/${runtime}`, import.meta.url))
  const words = runtime === "bun" ? program : ["run", "-A", "--no-check", "--no-lock", ...program]
  const child = spawn(bin, words, { stdio: ["ignore", "ignore", "inherit"] })
  try {
    await pause(settleSeconds * 1000)
    if (child.pid === undefined || child.exitCode !== null) throw new Error("idle-bare.ts ended")
    return await costOf(child.pid)
  } finally {
    child.kill("SIGKILL")
  }
}

const measure = async (runtime: string, dir: string): Promise<boolean> => {
  process.env.CHRONODE_RUNTIME = runtime
  const lab = await startContainerd(join(dir, "c"))
  const nats = await startNats(join(dir, "n"))
  // Short memory is watched for, as on any node.
  const configuration = { evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%" } }
  const node = new NodeUnderTest({
    dir: join(dir, "node"),
    name: "idle",
    cri: lab.endpoint,
    nats: nats.url,
    configuration
  })
  try {
    node.put("all.json", { apiVersion: "v1", kind: "List", items: Array.from({ length: pods }, (_, i) => manifest(i)) })
    const { pid } = await node.start()
    await node.until(
      `${pods} pods are ready`,
      (events) =>
        events.filter((e) => e.tag === "ContainerReadinessChanged" && e.data.ready).length >= pods ? true : undefined,
      600_000
    )
    await pause(settleSeconds * 1000)
    const before = await node.head()
    const { resident: most, share } = await costOf(pid)
    const anonymous = memory(pid, "RssAnon")
    const events = (await node.head()) - before
    const mib = (value: number) => `${value.toFixed(0)} MiB`
    console.log(
      `${runtime.padEnd(5)} resident ${mib(most)} at most (anonymous ${mib(anonymous)}), ${(most / allowedMiB).toFixed(2)}× of the allowed ${allowedMiB} MiB`
    )
    console.log(
      `${runtime.padEnd(5)} ${(share * 100).toFixed(2)} % of a core over ${seconds} s, ${(share / allowedShare).toFixed(2)}× of the allowed ${allowedShare * 100} %; ${events} events written`
    )
    await node.stop()
    const addresses = (await node.seen("SandboxCreated")).flatMap(({ data }) => data.ips.slice(0, 1))
    const bare = await costOfBare(runtime, lab.endpoint, addresses)
    console.log(
      `${runtime.padEnd(5)} a bare program: ${mib(bare.resident)}, ${(bare.share * 100).toFixed(2)} % of a core; the agent takes ${(most / bare.resident).toFixed(2)}× of that memory and ${(share / bare.share).toFixed(2)}× of that time`
    )
    // The limits are those of the default runtime; the other one is measured beside it.
    return runtime !== "bun" || (most <= allowedMiB && share <= allowedShare)
  } finally {
    await node.kill()
    await nats.kill()
    await lab.stop()
  }
}

const missing = whyNoContainerd() ?? natsServerMissing()
if (missing !== undefined) {
  console.error(`bench/idle: ${missing}`)
  process.exit(1)
}
// What `npm ci` leaves: the agent as one program, of the sources as they are now.
execFileSync("sh", [fileURLToPath(new URL("../scripts/build-agent.sh", import.meta.url))])
console.log(`${machine()}; ${pods} pods, one probe every 10 s each`)
let isWithin = true
for (const runtime of runtimes) {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "bi-")))
  isWithin = (await measure(runtime, dir).finally(() => rm(dir, { recursive: true, force: true }))) && isWithin
}
console.log(isWithin ? "within the limits" : "OVER A LIMIT")
process.exit(isWithin ? 0 : 1)
