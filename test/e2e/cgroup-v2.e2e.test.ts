// runtimes: (vm)
/** The agent and a real containerd where the kernel has cgroup v2 alone: what the kernel is told, and what it tells. */
import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { eventually, NodeUnderTest } from "../support/agent.ts"
import { requires } from "../support/requires.ts"
import { container, forever, pod } from "./manifests.ts"

const skip = requires("root", "cgroup-v2").skip || whyNoContainerd()
/** Milliseconds, of a machine that is emulated. */
const within = skip ? { timeout: 200_000, skip } : { timeout: 200_000 }

describe("pods where the kernel has cgroup v2 alone", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  let node: NodeUnderTest
  const uidOf = async (name: string): Promise<string> =>
    (await node.waitFor("PodAdmitted", `pod/default/${name}`)).data.pod.metadata.uid
  const idOf = async (name: string, of: string, attempt = 0): Promise<string> =>
    (await node.waitFor("ContainerStarted", `pod/default/${name}`, { container: of, attempt })).data.containerId
  const groupOf = async (tier: string, name: string) =>
    `/sys/fs/cgroup${node.cgroupRoot}/kubepods${tier}/pod${await uidOf(name)}`
  const value = (group: string, file: string) => readFileSync(join(group, file), "utf8").trim()

  before(
    async () => {
      if (skip) return
      dir = mkdtempSync(join(tmpdir(), "v2-"))
      lab = await startContainerd(join(dir, "c"))
      node = new NodeUnderTest({ dir: join(dir, "n"), name: "v2", cri: lab.endpoint })
      const equal = { cpu: "100m", memory: "32Mi" }
      const probe = {
        exec: { command: ["cat", "/tmp/well"] },
        periodSeconds: 2,
        timeoutSeconds: 10,
        failureThreshold: 1
      }
      const scriptOfApp = `touch /tmp/well; echo hello from v2; (sleep 15; rm /tmp/well) & ${forever}`
      node.put(
        "steady.json",
        pod("steady", {
          containers: [
            container("app", scriptOfApp, { resources: { requests: equal, limits: equal }, livenessProbe: probe })
          ]
        })
      )
      node.put(
        "greedy.json",
        pod("greedy", {
          restartPolicy: "Never",
          containers: [
            container("eater", "sleep 1; x=a; while :; do x=$x$x; done", { resources: { limits: { memory: "16Mi" } } }),
            container("calm", forever, {
              resources: { requests: { cpu: "250m", memory: "8Mi" }, limits: { cpu: "500m", memory: "24Mi" } }
            })
          ]
        })
      )
      await node.start()
    },
    { timeout: 200_000 }
  )
  after(async () => {
    await node?.kill()
    await lab?.stop()
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true })
  })

  it("puts a Guaranteed pod's container below its pod, with limits as the kernel counts them", within, async () => {
    const id = await idOf("steady", "app")
    const group = join(await groupOf("", "steady"), id)
    assert.equal(value(group, "memory.max"), String(32 * 1024 * 1024))
    assert.equal(value(group, "cpu.max"), "10000 100000")
    // 100m are 102 shares; weight = 1 + (102 - 2) * 9999 / 262142, unless the OCI runtime has the newer curve.
    assert.ok(["4", "17"].includes(value(group, "cpu.weight")), value(group, "cpu.weight"))
    assert.notEqual(value(group, "cgroup.procs"), "")
  })

  it("puts a Burstable pod's below its tier", within, async () => {
    const group = join(await groupOf("/burstable", "greedy"), await idOf("greedy", "calm"))
    assert.equal(value(group, "memory.max"), String(24 * 1024 * 1024))
    assert.equal(value(group, "cpu.max"), "50000 100000")
  })

  it("tells that a container ran out of memory, and leaves the one beside it", within, async () => {
    const ended = await node.waitFor("ContainerExited", "pod/default/greedy", { container: "eater" })
    assert.deepEqual([ended.data.exitCode, ended.data.reason], [137, "OOMKilled"])
    const others = await node.seen("ContainerExited", "pod/default/greedy", { container: "calm" })
    assert.deepEqual(others, [])
  })

  it("asks by exec, and starts again what fails", within, async () => {
    const failed = await node.waitFor("ContainerKillRequested", "pod/default/steady", { container: "app" })
    const id = await idOf("steady", "app", 1)
    assert.notEqual(id, await idOf("steady", "app"))
    assert.ok(failed.sequence > 0)
  })

  it("keeps what containers say", within, async () => {
    const logs = join(node.podLogs, `default_steady_${await uidOf("steady")}`, "app")
    const said = await eventually("the log of both attempts", () => {
      const names = existsSync(logs) ? readdirSync(logs).sort() : []
      return names.includes("1.log") ? readFileSync(join(logs, "0.log"), "utf8") : undefined
    })
    assert.match(said, / stdout F hello from v2\n/)
  })

  it("leaves no cgroup behind", within, async () => {
    const groups = [await groupOf("", "steady"), await groupOf("/burstable", "greedy")]
    for (const group of groups) assert.ok(existsSync(group), group)
    node.remove("steady.json")
    node.remove("greedy.json")
    for (const name of ["steady", "greedy"]) await node.waitFor("PodRemoved", `pod/default/${name}`)
    for (const group of groups) assert.equal(existsSync(group), false, group)
  })
})
