/**
 * The life of one pod (init container, an image to pull, probes, crashes from outside, its end), in the course of which
 * the agent is killed at a failpoint and started again without it; and what must be true of the log afterwards.
 */
import assert from "node:assert/strict"
import type { Ended, NodeUnderTest } from "../support/agent.ts"
import type { Happened } from "../support/journal-tail.ts"
import { assertLogWhole, assertNoStrays, containersOf, tracesOf } from "./checks.ts"
import { container, forever, httpGet, pod, webServer } from "./manifests.ts"
import type { Registry } from "./registry.ts"
import type { World } from "./world.ts"

const story = "pod/default/story"

const manifest = (image: string): object => {
  const shared = { volumeMounts: [{ name: "shared", mountPath: "/shared" }] }
  return pod("story", {
    initContainers: [container("prepare", "echo prepared > /shared/greeting", shared)],
    containers: [
      container("server", webServer, {
        ...shared,
        readinessProbe: httpGet("/ok"),
        livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
      }),
      container("worker", forever, { image })
    ],
    volumes: [{ name: "shared", emptyDir: {} }]
  })
}

export interface Telling {
  /** `cri.startContainer.after:2` */
  readonly failpoint: string
  /** How often the worker is killed from outside; from the second time on it waits 10 s. */
  readonly crashes: number
}

export interface Told {
  /** The agent died at the failpoint. */
  readonly reached: boolean
}

export const tellStory = async (
  world: World,
  registry: Registry,
  node: NodeUnderTest,
  { failpoint, crashes }: Telling
): Promise<Told> => {
  let deaths = 0
  node.onDeath = async (ended: Ended) => {
    assert.deepEqual(ended, { code: null, signal: "SIGKILL" }, `the agent ended by itself\n${node.log().slice(-3_000)}`)
    deaths += 1
    assert.equal(deaths, 1, "without a failpoint it does not die")
    await node.journal.events()
    node.launch()
  }
  node.put("story.json", manifest(registry.image("story", node.options.name)))
  await node.start({ failpoint })
  await node.waitFor("ContainerReadinessChanged", story, { container: "server", ready: true }, { limit: 45_000 })
  for (let attempt = 0; attempt < crashes; attempt++) {
    const { data } = await node.waitFor("ContainerStarted", story, { container: "worker", attempt })
    await world.ask((runtime) => runtime.stopContainer(data.containerId, 0))
    await node.waitFor("ContainerExited", story, { container: "worker", attempt })
  }
  await node.waitFor("ContainerStarted", story, { container: "worker", attempt: crashes })
  const uid = (await node.waitFor("PodAdmitted", story)).data.pod.metadata.uid
  await assertRunning(world, node, uid, crashes)

  node.remove("story.json")
  await node.waitFor("PodRemoved", story)
  assert.deepEqual(await tracesOf(world, node, uid), [])
  node.onDeath = undefined
  if (node.running !== undefined) assert.deepEqual(await node.stop(), { code: 0, signal: null })
  assertToldOnce(await node.journal.events(), crashes)
  await assertNoStrays(world, node)
  await assertLogWhole(world, node)
  return { reached: deaths === 1 }
}

/** What runs is what the log says, and the restart count is right. */
const assertRunning = async (world: World, node: NodeUnderTest, uid: string, crashes: number): Promise<void> => {
  await assertNoStrays(world, node)
  const running = (await containersOf(world, uid)).filter(({ state }) => state === "CONTAINER_RUNNING")
  const told = (await node.seen("ContainerStarted", story)).filter(({ data }) => data.container !== "prepare")
  const last = new Map(told.map(({ data }) => [data.container, data.containerId]))
  assert.deepEqual(new Map(running.map(({ id, metadata }) => [metadata.name, id])), last)
  const views = (await node.json("get", "containers")) as ReadonlyArray<Record<string, unknown>>
  const restarts = Object.fromEntries(views.map((view) => [view.name, view.restarts]))
  assert.deepEqual(restarts, { prepare: 0, server: 0, worker: crashes })
}

/** Whatever the agent went through: each thing happened once, and nothing healthy was touched. */
const assertToldOnce = (events: ReadonlyArray<Happened>, crashes: number): void => {
  const all = (tag: string) => events.filter((event) => event.tag === tag && event.actor === story)
  const once = (tag: string) => assert.equal(all(tag).length, 1, `${tag} is told once`)
  for (const tag of ["PodAdmitted", "SandboxRequested", "SandboxCreated", "SandboxStopped", "PodRemoved"]) once(tag)
  const lives = ["prepare 0", "server 0", ...Array.from({ length: crashes + 1 }, (_, n) => `worker ${n}`)]
  for (const tag of ["ContainerStartRequested", "ContainerCreated", "ContainerStarted", "ContainerExited"]) {
    const told = all(tag).map(({ data }) => `${data.container} ${data.attempt}`)
    assert.deepEqual([...told].sort(), lives, `${tag} for each life of each container, once`)
  }
  const ends = new Map(all("ContainerExited").map(({ data }) => [`${data.container} ${data.attempt}`, data.exitCode]))
  const ended = (life: string) => (/^worker (\d+)$/.test(life) && Number(life.slice(7)) < crashes ? 137 : 0)
  assert.deepEqual(ends, new Map([...ends.keys()].map((life) => [life, ended(life)])))
  for (const { data } of all("ContainerKillRequested")) assert.equal(data.reason, "PodTerminating")
  const readiness = all("ContainerReadinessChanged").filter(({ data }) => data.container === "server")
  assert.deepEqual(
    readiness.map(({ data }) => data.ready),
    [true, false],
    "a probe's result outlives the agent"
  )
  const phases = all("PodPhaseChanged").map(({ data }) => data.to)
  assert.deepEqual(phases.slice(0, 1), ["Running"])
  assert.deepEqual(
    events.filter(({ tag }) => /^Actor(?:Failed|Escalated)$|^Orphan/.test(tag)),
    []
  )
}
