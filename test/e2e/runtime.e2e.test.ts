/** The runtime dies, comes back and hangs; the journal's disk fills and empties: pods that run go on as if nothing were. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { eventually, type NodeUnderTest, pause } from "../support/agent.ts"
import { assertLogWhole, assertNoStrays, containersOf } from "./checks.ts"
import { container, forever, httpGet, pod, webServer } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const app = (name: string) => pod(name, { containers: [container("app", forever)] })
const server = (name: string) =>
  pod(name, {
    containers: [
      container("app", webServer, {
        readinessProbe: httpGet("/ok"),
        livenessProbe: httpGet("/ok", { failureThreshold: 2 })
      })
    ]
  })
/** Asked through the runtime. */
const asked = (name: string) =>
  pod(name, {
    containers: [container("app", forever, { livenessProbe: { exec: { command: ["true"] }, periodSeconds: 1 } })]
  })

/** Longer than the deadline of a quick call to the runtime, milliseconds. */
const hang = 15_000

describe("when the runtime", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  const untouched = async (names: ReadonlyArray<string>, since: number) => {
    const moved = (await node.journal.events()).filter(
      (e) =>
        e.sequence > since &&
        names.some((name) => e.actor === `pod/default/${name}` || e.actor.startsWith(`probe/default/${name}.`))
    )
    assert.deepEqual(
      moved.map(({ actor, tag }) => `${actor} ${tag}`),
      []
    )
  }

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    node = world.node("steady")
    node.put("server.json", server("server"))
    node.put("plain.json", app("plain"))
    node.put("asked.json", asked("asked"))
    await node.start()
    await node.waitFor("ContainerReadinessChanged", "pod/default/server", { ready: true })
    await node.waitFor("ContainerReadinessChanged", "pod/default/plain", { ready: true })
    await node.waitFor("ContainerReadinessChanged", "pod/default/asked", { ready: true })
    await node.until("the pods are ready", (events) =>
      events.filter((e) => e.tag === "PodConditionChanged" && e.data.condition === "Ready" && e.data.status).length >= 3
        ? true
        : undefined
    )
    await pause(1_200) // the first answers of all probes are told
  })
  after(async () => {
    await world?.close()
  })

  it("is killed and started again, its containers run on and nothing is restarted", within(60), async () => {
    const before = await node.head()
    await world.containerd.kill()
    const gone = await node.waitFor("RuntimeDisconnected", undefined, {}, { after: before })
    node.put("meanwhile.json", app("meanwhile"))
    await node.waitFor("PodAdmitted", "pod/default/meanwhile")
    await pause(2_000)
    await world.containerd.restart()
    await node.waitFor("RuntimeConnected", undefined, {}, { after: gone.sequence })
    await node.waitFor("ContainerStarted", "pod/default/meanwhile")
    await untouched(["server", "plain"], before)
    assert.equal((await node.seen("RuntimeDisconnected")).length, 1, "said once")
  })

  it("loses a container while it is down, that is seen when it is back", within(60), async () => {
    const { data } = await node.waitFor("ContainerStarted", "pod/default/plain")
    const before = await node.head()
    const pid = await pidOf(data.containerId)
    await world.containerd.kill()
    process.kill(pid, "SIGKILL")
    await pause(300)
    await world.containerd.restart()
    const exited = await node.waitFor("ContainerExited", "pod/default/plain", { containerId: data.containerId })
    assert.equal(exited.data.exitCode, 137)
    await node.waitFor("ContainerStarted", "pod/default/plain", { attempt: 1 })
    await untouched(["server"], before)
  })

  const pidOf = async (containerId: string): Promise<number> => {
    const tasks = await world.containerd.ctr(["tasks", "list"])
    const pid = new RegExp(`^${containerId}\\s+(\\d+)`, "m").exec(tasks)?.[1]
    assert.ok(pid !== undefined, tasks)
    return Number(pid)
  }

  it("hangs, the agent says so, kills nothing, and goes on when it answers again", within(90), async () => {
    const before = await node.head()
    world.containerd.freeze()
    try {
      node.put("frozen.json", app("frozen"))
      await node.waitFor("PodAdmitted", "pod/default/frozen")
      const gone = await node.waitFor("RuntimeDisconnected", undefined, {}, { after: before })
      assert.match(gone.data.message, /\S/)
      await pause(
        Math.max(0, hang - (Date.parse(gone.time) - Date.parse((await node.journal.events())[before - 1]!.time)))
      )
      assert.equal((await node.command("get", "pods")).code, 0)
    } finally {
      world.containerd.thaw()
    }
    await node.waitFor("RuntimeConnected", undefined, {}, { after: before })
    await node.waitFor("ContainerStarted", "pod/default/frozen")
    await untouched(["server", "plain"], before)
    assert.deepEqual(
      (await node.seen("ContainerKillRequested")).map(({ actor }) => actor),
      [],
      "not even those that are asked through it"
    )
  })

  it(
    "ends with all of it, everything is in the log and the replay shows what the journal shows",
    within(60),
    async () => {
      await assertNoStrays(world, node)
      await node.stop()
      await assertLogWhole(world, node)
      assert.deepEqual(
        (await node.journal.events()).filter(({ tag }) => /^Actor(?:Failed|Escalated)$/.test(tag)),
        []
      )
      const file = join(node.options.dir, "incident.ndjson")
      const exported = await node.command("export", "--out", file)
      assert.equal(exported.code, 0, exported.stderr)
      for (const what of ["pods", "containers", "probes", "volumes", "node"]) {
        assert.deepEqual(
          await node.json("get", what, "--from", file),
          await node.json("get", what, "--from", "journal"),
          what
        )
      }
      const replayed = await node.command("replay", file, "--verify")
      assert.equal(replayed.code, 0, replayed.stdout.slice(-2_000) + replayed.stderr)
    }
  )
})

/** Bytes of the small disk; more than the journal calls nearly full (32 MiB). */
const diskBytes = 96 * 1024 * 1024

describe("when the disk of the journal", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  let disk = ""

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    disk = join(world.dir, "disk")
    mkdirSync(disk)
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", disk])
    node = world.node("small", { dataDir: join(disk, "data") })
  })
  after(async () => {
    await node?.kill()
    if (world !== undefined) await world.containerd.stop()
    if (disk !== "") execFileSync("umount", ["-l", disk])
    await world?.close()
  })

  /** Fills all that is free. */
  const fill = (path: string): void => {
    const file = openSync(path, "w")
    const block = Buffer.alloc(64 * 1024)
    try {
      while (true) writeSync(file, block)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC")
    } finally {
      closeSync(file)
    }
  }

  it(
    "is full, no new pod is admitted and running ones go on; when there is room again, they are",
    within(90),
    async () => {
      node.put("server.json", server("server"))
      await node.start()
      await node.waitFor("ContainerReadinessChanged", "pod/default/server", { ready: true })
      const { containerId } = (await node.waitFor("ContainerStarted", "pod/default/server")).data
      fill(join(disk, "filler"))
      const closed = await node.waitFor("AdmissionClosed")
      assert.match(closed.data.reason, /full/)
      node.put("new.json", app("new"))
      // What happens to running pods is still written, into the reserve.
      await world.ask((runtime) => runtime.stopContainer(containerId, 0))
      await node.waitFor("ContainerStarted", "pod/default/server", { attempt: 1 }, { after: closed.sequence })
      await pause(1_500)
      assert.deepEqual(await node.seen("PodAdmitted", "pod/default/new"), [])
      rmSync(join(disk, "filler"))
      await node.waitFor("AdmissionOpened", undefined, {}, { after: closed.sequence })
      await node.waitFor("ContainerStarted", "pod/default/new")
      const [running] = (
        await containersOf(world, (await node.waitFor("PodAdmitted", "pod/default/server")).subject!)
      ).filter(({ state }) => state === "CONTAINER_RUNNING")
      assert.equal(running?.metadata.attempt, 1)
      await eventually("the stream has it all", async () => ((await node.stop())?.code === 0 ? true : undefined))
      await assertLogWhole(world, node)
      assert.deepEqual(
        (await node.journal.events()).filter(({ tag }) => /^Actor(?:Failed|Escalated)$/.test(tag)),
        []
      )
    }
  )
})
