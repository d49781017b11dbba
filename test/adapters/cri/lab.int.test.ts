// runtimes: bun
/** The private containerd of the other tests: it keeps to itself and leaves nothing behind. */
import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import {
  type LabContainerd,
  startContainerd,
  sweepAbandoned,
  whyNoContainerd
} from "../../../scripts/lab/containerd.ts"
import { CriRuntime } from "../../../src/adapters/cri/live.ts"
import { commands, containerConfig, sandboxConfig } from "./configs.ts"

const skip = whyNoContainerd()
const given = skip === undefined ? { timeout: 60_000 } : { timeout: 60_000, skip }

/** Starts a pod with a host port; answers its address. */
const startPod = (endpoint: string, dir: string, hostPort: number): Promise<string> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const runtime = yield* CriRuntime.make({ endpoint })
        const sandbox = sandboxConfig("web", dir, {
          portMappings: [{ protocol: "TCP", containerPort: 80, hostPort }]
        })
        const sandboxId = yield* runtime.runPodSandbox(sandbox, "")
        const id = yield* runtime.createContainer(sandboxId, containerConfig("app", commands.forever), sandbox)
        yield* runtime.startContainer(id)
        return (yield* runtime.podSandboxStatus(sandboxId)).ips[0] ?? ""
      })
    )
  )

const output = (command: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(command, args, { encoding: "utf8" })

/** What speaks of the lab on this machine: mounts, rules, links, processes. */
const traces = (dir: string, network: string): ReadonlyArray<string> => [
  ...readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(`${dir}/`)),
  ...output("iptables-save")
    .split("\n")
    .filter((line) => line.includes(network)),
  ...output("ip", "-o", "link")
    .split("\n")
    .filter((line) => line.includes(network)),
  ...output("ps", "-e", "-o", "args")
    .split("\n")
    .filter((line) => line.includes(`${dir}/`))
]

describe("a private containerd", () => {
  it("runs beside another, each with its own network, and leaves nothing when stopped", given, async () => {
    const labs: Array<LabContainerd> = []
    try {
      for (let count = 0; count < 2; count++) labs.push(await startContainerd(await mkdtemp(join(tmpdir(), "lab-"))))
      const [a, b] = labs as [LabContainerd, LabContainerd]
      const [first, second] = [await startPod(a.endpoint, a.dir, 38_080), await startPod(b.endpoint, b.dir, 38_081)]
      const prefix = (subnet: string) => subnet.split(".").slice(0, 2).join(".")
      assert.notEqual(a.network.subnet, b.network.subnet)
      assert.ok(first.startsWith(prefix(a.network.subnet)) && second.startsWith(prefix(b.network.subnet)))
      assert.notDeepEqual(traces(a.dir, a.network.name), [])
      await a.stop()
      assert.deepEqual(traces(a.dir, a.network.name), [])
      // The other one is untouched.
      assert.match(await b.ctr(["tasks", "list"]), /RUNNING/)
      await a.stop()
    } finally {
      for (const lab of labs) {
        await lab.stop()
        assert.deepEqual(traces(lab.dir, lab.network.name), [])
        await rm(lab.dir, { recursive: true, force: true })
      }
    }
  })

  it("is swept with everything in it when its owner was killed", given, async () => {
    const dir = await mkdtemp(join(tmpdir(), "lab-"))
    const module = fileURLToPath(new URL("../../../scripts/lab/containerd.ts", import.meta.url))
    const script = join(dir, "owner.ts")
    await writeFile(
      script,
      `import { startContainerd } from ${JSON.stringify(module)}
const lab = await startContainerd(${JSON.stringify(join(dir, "lab"))})
console.log(JSON.stringify({ endpoint: lab.endpoint, network: lab.network.name }))
setInterval(() => undefined, 1000)
`
    )
    const runtimeArgs = process.versions.bun === undefined ? ["run", "-A", "--no-check", script] : [script]
    const owner = spawn(process.execPath, runtimeArgs, { stdio: ["ignore", "pipe", "inherit"] })
    try {
      const line = await new Promise<string>((resolve, reject) => {
        let told = ""
        owner.stdout.on("data", (chunk) => {
          told += chunk
          if (told.includes("\n")) resolve(told)
        })
        owner.on("exit", () => reject(new Error("the owner ended")))
      })
      const { endpoint, network } = JSON.parse(line) as { endpoint: string; network: string }
      await startPod(endpoint, dir, 38_082)
      const gone = new Promise((resolve) => owner.on("exit", resolve))
      owner.kill("SIGKILL")
      await gone
      assert.notDeepEqual(traces(join(dir, "lab"), network), [])
      await sweepAbandoned()
      assert.deepEqual(traces(join(dir, "lab"), network), [])
      assert.ok(!existsSync(join(dir, "lab", "root")))
    } finally {
      owner.kill("SIGKILL")
      await sweepAbandoned()
      await rm(dir, { recursive: true, force: true })
    }
  })
})
