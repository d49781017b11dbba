/** The node as a whole, on a real containerd: its status, cordon and drain, and a shutdown told by a logind of the lab on a private bus. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { type LabLogind, logindLack, startLogind } from "../../scripts/lab/logind.ts"
import { eventually, NodeUnderTest } from "../support/agent.ts"
import { requires } from "../support/requires.ts"
import { container, forever, pod } from "./manifests.ts"

const skip = requires("root").skip || whyNoContainerd() || logindLack()
const within = skip ? { timeout: 120_000, skip } : { timeout: 120_000 }

interface PodRow {
  readonly name: string
  readonly status: string
}

describe("the node as a whole", { concurrency: false }, () => {
  let dir: string
  let lab: LabContainerd
  let logind: LabLogind
  let node: NodeUnderTest
  const outside = process.env.DBUS_SYSTEM_BUS_ADDRESS
  const statuses = async (): Promise<Readonly<Record<string, string>>> =>
    Object.fromEntries(((await node.json("get", "pods")) as ReadonlyArray<PodRow>).map((p) => [p.name, p.status]))
  const reached = (wanted: Readonly<Record<string, string>>) =>
    eventually(`pods that are ${JSON.stringify(wanted)}`, async () => {
      const now = await statuses()
      return Object.entries(wanted).every(([name, status]) => now[name] === status) ? now : undefined
    })

  before(async () => {
    if (skip) return
    dir = mkdtempSync(join(tmpdir(), "w-"))
    logind = await startLogind(5)
    process.env.DBUS_SYSTEM_BUS_ADDRESS = logind.address
    lab = await startContainerd(join(dir, "c"))
    const configuration = { shutdownGracePeriod: "12s", shutdownGracePeriodCriticalPods: "6s" }
    node = new NodeUnderTest({ dir: join(dir, "n"), name: "w", cri: lab.endpoint, configuration })
    const app = { containers: [container("app", forever)] }
    node.put("web.json", pod("web", app))
    node.put("system.json", pod("system", { ...app, priorityClassName: "system-node-critical" }))
    node.put("scratch.json", pod("scratch", { ...app, volumes: [{ name: "scratch", emptyDir: {} }] }))
    await node.start()
    for (const name of ["web", "system", "scratch"]) await node.waitFor("ContainerStarted", `pod/default/${name}`)
  })
  after(async () => {
    if (skip) return
    await node.kill()
    await lab.stop()
    await logind.stop()
    if (outside === undefined) delete process.env.DBUS_SYSTEM_BUS_ADDRESS
    else process.env.DBUS_SYSTEM_BUS_ADDRESS = outside
    rmSync(dir, { recursive: true, force: true })
  })

  it("is shown as kubectl shows a node, with kubelet's conditions", within, async () => {
    await node.waitFor("NodeConditionChanged", undefined, { condition: "Ready", status: true })
    // biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested
    const shown = (await node.json("get", "node")) as any
    assert.deepEqual(
      shown.status.conditions.map(({ type, status }: Record<string, string>) => [type, status]),
      [
        ["MemoryPressure", "False"],
        ["DiskPressure", "False"],
        ["PIDPressure", "False"],
        ["Ready", "True"]
      ]
    )
    assert.equal(shown.status.addresses.at(-1).address, "w")
    assert.ok(Number(shown.status.capacity.cpu) > 0)
    assert.match(shown.status.nodeInfo.containerRuntimeVersion, /^containerd:\/\//u)
    assert.match((await node.command("get", "node")).stdout, /^NAME +STATUS +ROLES +UP +VERSION\nw +Ready +<none>/u)
    const [taken] = await node.seen("ShutdownInhibitorTaken")
    assert.deepEqual([taken?.data.delayLimitSeconds, taken?.data.gracePeriodSeconds], [5, 12])
    assert.match(node.log(), /InhibitDelayMaxSec=12/u)
  })

  it("is drained and uncordoned from the command line; what is critical stays", within, async () => {
    const refused = await node.command("node", "drain")
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /--delete-emptydir-data to override\): default\/scratch/u)
    const dry = await node.command("node", "drain", "--dry-run", "--delete-emptydir-data")
    assert.deepEqual(dry.stdout.split("\n").sort(), ["", "pod default/scratch would end", "pod default/web would end"])
    assert.equal((await node.command("node", "drain", "--pod-selector", "=x")).code, 1)

    const drained = await node.command("node", "drain", "--delete-emptydir-data", "--timeout", "60s")
    assert.equal(drained.code, 0, drained.stderr)
    assert.equal(drained.stdout, "node/w drained\n")
    assert.match(drained.stderr, /evicting pod default\/web\n[\s\S]*pod\/web evicted/u)
    node.put("late.json", pod("late", { containers: [container("app", forever)] }))
    await reached({
      web: "SchedulingDisabled",
      scratch: "SchedulingDisabled",
      late: "SchedulingDisabled",
      system: "Running"
    })
    assert.match((await node.command("get", "node")).stdout, /Ready,SchedulingDisabled/u)

    await node.stop()
    await node.start()
    await reached({ web: "SchedulingDisabled", late: "SchedulingDisabled", system: "Running" })
    const { stdout } = await node.command("node", "uncordon")
    assert.equal(stdout, "node/w uncordoned\n")
    await reached({ web: "Running", scratch: "Running", late: "Running", system: "Running" })
    assert.equal((await node.command("node", "uncordon")).stdout, "node/w already uncordoned\n")
  })

  it(
    "ends its pods by priority when logind is about to shut down, and brings them back when it does not",
    within,
    async () => {
      const from = await node.head()
      const held = logind.said().filter((line) => line.startsWith("inhibited")).length
      const released = logind.said().filter((line) => line === "released").length
      logind.prepare(true)
      const completed = await node.waitFor("NodeShutdownCompleted", undefined, {}, { after: from })
      assert.equal(completed.data.leftCount, 0)
      await logind.heard("released", released + 1)
      const exits = (await node.seen("ContainerExited")).filter(({ sequence }) => sequence > from)
      assert.equal(exits.at(-1)?.actor, "pod/default/system")
      assert.equal(exits.length, 4)
      await reached({ web: "Terminated", scratch: "Terminated", late: "Terminated", system: "Terminated" })
      const ready = await node.waitFor("NodeConditionChanged", undefined, { condition: "Ready" }, { after: from })
      assert.equal(ready.data.message, "node is shutting down")
      logind.prepare(false)
      await reached({ web: "Running", scratch: "Running", late: "Running", system: "Running" })
      await logind.heard("inhibited shutdown chronode delay", held + 1)
      assert.equal((await node.command("verify", "--journal")).code, 0)
      const file = join(dir, "w.ndjson")
      assert.equal((await node.command("export", "--out", file)).code, 0)
      const proven = await node.command("replay", file, "--verify")
      assert.equal(proven.code, 0, proven.stdout + proven.stderr)
    }
  )
})
