// runtimes: bun deno
/**
 * The agent dies by SIGKILL at each of its failpoints and is started again: it adopts what runs, finishes what was
 * decided, restarts nothing that was healthy, loses and doubles nothing.
 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { failpoints } from "../../src/failpoints.ts"
import { sandboxConfig } from "../adapters/cri/configs.ts"
import { eventually } from "../support/agent.ts"
import type { Happened } from "../support/journal-tail.ts"
import { assertLogWhole, assertNoStrays, containersOf, tracesOf, uidsOf } from "./checks.ts"
import { container, forever, httpGet, pod, webServer } from "./manifests.ts"
import { type Told, tellStory } from "./recovery-story.ts"
import { type Registry, startRegistry } from "./registry.ts"
import { isShort, startWorld, type World, whyNotHere, within } from "./world.ts"

/** At which times that a point is reached the agent dies; else at the first. */
const times: Readonly<Record<string, ReadonlyArray<number>>> = {
  "journal.append.before": [1, 4, 9, 16],
  "journal.append.after": [1, 3, 7, 13],
  "cri.createContainer.before": [1, 3],
  "cri.createContainer.after": [1, 3],
  "cri.startContainer.before": [1, 2],
  "cri.startContainer.after": [1, 2],
  "cri.stopContainer.after": [1, 2],
  "publish.before": [1, 5],
  "publish.after": [1, 5]
}
/** What the second runtime goes through. */
const shortList = [
  "journal.append.after:7",
  "cri.runPodSandbox.after:1",
  "cri.startContainer.after:2",
  "publish.after:5"
]
/** Stories that are under way at the same time: most of their time is waiting. */
const concurrency = 4

const deaths = failpoints
  .flatMap((name) => (times[name] ?? [1]).map((n) => `${name}:${n}`))
  .filter((death) => !isShort || shortList.includes(death))

describe("an agent that is killed", { concurrency: false }, () => {
  let world: World
  let registry: Registry
  const stories = new Map<string, Promise<Told | Error>>()
  const reached: Array<string> = []

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    registry = await startRegistry()
    let free: Promise<unknown> = Promise.resolve()
    const places: Array<Promise<unknown>> = Array.from({ length: concurrency }, () => free)
    for (const [index, failpoint] of deaths.entries()) {
      const place = index % concurrency
      // The worker's second crash leads to the first dead container that is removed.
      const crashes = failpoint.startsWith("cri.removeContainer") ? 2 : 1
      const told = places[place]!.then(() =>
        tellStory(world, registry, world.node(`r${index}`), { failpoint, crashes }).catch((error: Error) => error)
      )
      places[place] = told
      free = told
      stories.set(failpoint, told)
    }
  })
  after(async () => {
    console.log(`failpoints reached: ${reached.join(" ")}`)
    const missed = deaths.filter((death) => !reached.includes(death))
    if (missed.length > 0) console.log(`failpoints not reached: ${missed.join(" ")}`)
    await registry?.stop()
    await world?.close()
  })

  for (const failpoint of deaths) {
    it(`at ${failpoint} goes on where it was`, within(150), async () => {
      const told = await stories.get(failpoint)!
      if (told instanceof Error) throw told
      assert.ok(told.reached, "the story reaches the failpoint")
      reached.push(failpoint)
    })
  }

  it("learns at its return what happened while it was away", within(90), async () => {
    const node = world.node("away")
    const app = (text: string) =>
      pod(text.split(" ")[0]!, { containers: [container("app", `echo ${text}; ${forever}`)] })
    const steady = pod("steady", { containers: [container("app", webServer, { readinessProbe: httpGet("/ok") })] })
    for (const [file, manifest] of Object.entries({
      steady,
      crashed: app("crashed"),
      gone: app("gone"),
      changed: app("changed once")
    })) {
      node.put(`${file}.json`, manifest)
    }
    await node.start()
    await node.waitFor("ContainerReadinessChanged", "pod/default/steady", { ready: true })
    const first = await Promise.all(
      ["crashed", "gone", "changed"].map((name) => node.waitFor("ContainerStarted", `pod/default/${name}`))
    )
    await node.kill()
    const away = await node.head()
    await world.ask((runtime) => runtime.stopContainer(first[0]!.data.containerId, 0))
    node.remove("gone.json")
    node.put("changed.json", app("changed twice"))
    node.put("new.json", app("new"))
    await node.start()
    const exited = await node.waitFor("ContainerExited", "pod/default/crashed", { exitCode: 137 }, { after: away })
    await node.waitFor("ContainerStarted", "pod/default/crashed", { attempt: 1 }, { after: exited.sequence })
    await node.waitFor("ContainerStarted", "pod/default/new")
    const removed = await node.waitFor("PodRemoved", "pod/default/gone")
    await node.waitFor("PodRemoved", "pod/default/changed")
    await node.waitFor("ContainerStarted", "pod/default/changed", {}, { after: away })
    assert.deepEqual(await tracesOf(world, node, removed.data.uid), [])
    const touched = (await node.journal.events()).filter((e) => e.sequence > away && e.actor === "pod/default/steady")
    assert.deepEqual(
      touched.map(({ tag }) => tag),
      [],
      "the pod that nothing happened to is left alone"
    )
    await assertNoStrays(world, node)
    assert.deepEqual(await node.stop(), { code: 0, signal: null })
    await assertLogWhole(world, node)
  })
  it("finds a sandbox of a pod that is gone and removes it, and leaves those of others alone", within(60), async () => {
    const node = world.node("orphans")
    node.put("gone.json", pod("gone", { containers: [container("app", forever)] }))
    await node.start()
    await node.waitFor("ContainerStarted", "pod/default/gone")
    node.remove("gone.json")
    const { uid } = (await node.waitFor("PodRemoved", "pod/default/gone")).data
    await node.kill()
    const leave = (name: string, owner: string) =>
      world.ask((runtime) =>
        runtime.runPodSandbox(
          sandboxConfig(name, world.dir, {
            metadata: { name, uid: owner, namespace: "default", attempt: 3 },
            labels: {
              "io.kubernetes.pod.name": name,
              "io.kubernetes.pod.namespace": "default",
              "io.kubernetes.pod.uid": owner
            },
            linux: {
              cgroupParent: `${node.cgroupRoot}/kubepods/besteffort/pod${owner}`,
              securityContext: { namespaceOptions: { network: "POD", pid: "CONTAINER", ipc: "POD" } }
            }
          }),
          ""
        )
      )
    const orphan = await leave("gone", uid)
    const foreign = await leave("foreign", "somebody-elses")
    await node.start()
    await node.waitFor("OrphanSandboxFound", undefined, { sandboxId: orphan, uid })
    await node.waitFor("OrphanSandboxRemoved", undefined, { sandboxId: orphan })
    assert.deepEqual(await tracesOf(world, node, uid), [])
    const left = await world.ask((runtime) => runtime.podSandboxStatus(foreign))
    assert.equal(left.state, "SANDBOX_READY")
    await world.ask((runtime) => runtime.removePodSandbox(foreign))
    await node.stop()
    await assertLogWhole(world, node)
  })

  const powerFails = async () => {
    const node = world.node("power")
    const shared = { volumeMounts: [{ name: "kept", mountPath: "/kept" }] }
    const volumes = [{ name: "kept", emptyDir: {} }]
    node.put(
      "ran.json",
      pod("ran", { volumes, containers: [container("app", `echo begun >> /kept/log; ${forever}`, shared)] })
    )
    node.put("done.json", pod("done", { restartPolicy: "Never", containers: [container("app", "exit 0")] }))
    await node.start()
    const { containerId } = (await node.waitFor("ContainerStarted", "pod/default/ran")).data
    await node.waitFor("ContainerExited", "pod/default/done")
    const starting = ["first", "second", "third"]
    for (const name of starting) node.put(`${name}.json`, pod(name, { containers: [container("app", forever)] }))
    await node.waitFor("ContainerStartRequested", "pod/default/first")
    await Promise.all([node.kill(), world.containerd.cutPower(), world.nats.kill()])
    node.launch()
    await Promise.all([world.containerd.restart(), world.nats.restart()])
    await node.waitFor("ContainerExited", "pod/default/ran", { containerId })
    const { subject } = await node.waitFor("ContainerStarted", "pod/default/ran", { attempt: 1 })
    const log = join(node.dataDir, "pods", subject ?? "", "volumes/kubernetes.io~empty-dir/kept/log")
    await eventually("the volume has what was in it", () => readFileSync(log, "utf8") === "begun\nbegun\n" || undefined)
    const running = async (name: string) => {
      const [{ subject: uid }] = (await node.seen("PodAdmitted", `pod/default/${name}`)) as [Happened]
      return (await containersOf(world, uid ?? "")).filter(({ state }) => state === "CONTAINER_RUNNING").length
    }
    for (const name of starting) await eventually(`${name} runs`, async () => (await running(name)) === 1 || undefined)
    assert.equal(
      (await node.seen("ContainerStarted", "pod/default/done")).length,
      1,
      "what had ended is not done again"
    )
    await assertNoStrays(world, node)
    for (const name of [...starting, "ran", "done"]) node.remove(`${name}.json`)
    for (const name of [...starting, "ran", "done"]) await node.waitFor("PodRemoved", `pod/default/${name}`)
    for (const uid of uidsOf(await node.journal.events())) assert.deepEqual(await tracesOf(world, node, uid), [])
    await node.stop()
    await assertLogWhole(world, node)
  }
  if (!isShort)
    it("starts again what ran when the power failed, with its data, and what was only starting", within(90), powerFails)
})
