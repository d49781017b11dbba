/** What must hold at the end of every story: the log is whole and published, the runtime holds what it should. */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { nodeToken } from "../../src/events/actor-id.ts"
import { contents } from "../adapters/nats/admin.ts"
import { eventually, type NodeUnderTest } from "../support/agent.ts"
import type { Happened } from "../support/journal-tail.ts"
import type { World } from "./world.ts"

const podUidLabel = "io.kubernetes.pod.uid"

/** The pods that the log says live now: admitted, and not removed. By uid. */
export const livingPods = (events: ReadonlyArray<Happened>): ReadonlyMap<string, string> => {
  const living = new Map<string, string>()
  for (const { tag, actor, data } of events) {
    if (tag === "PodAdmitted") living.set(data.pod.metadata.uid, actor)
    else if (tag === "PodRemoved") living.delete(data.uid)
  }
  return living
}

/** Every uid that a node ever ran. */
export const uidsOf = (events: ReadonlyArray<Happened>): ReadonlyArray<string> => [
  ...new Set(events.filter(({ tag }) => tag === "PodAdmitted").map(({ data }) => data.pod.metadata.uid as string))
]

/** No gaps, no repeats: one total order, and one order for each actor; causes come before what they cause. */
export const assertOrdered = (events: ReadonlyArray<Happened>): void => {
  const ids = new Set<string>()
  const actors = new Map<string, number>()
  for (const [index, event] of events.entries()) {
    assert.equal(event.sequence, index + 1, "the journal's order has no gap")
    assert.ok(!ids.has(event.id), `event ${event.id} is there once`)
    ids.add(event.id)
    const expected = (actors.get(event.actor) ?? 0) + 1
    assert.equal(
      event.actorSequence,
      expected,
      `${event.actor}: event ${event.sequence} (${event.tag}) is number ${expected}`
    )
    actors.set(event.actor, expected)
    if (event.cause !== undefined)
      assert.ok(ids.has(event.cause), `the cause of event ${event.sequence} is in the log before it`)
  }
}

/** Journal and stream hold the same lines in the same order, none lost, none doubled. The node's agent may be gone. */
export const assertPublished = async (world: World, node: NodeUnderTest): Promise<void> => {
  const stream = `CHRONODE_${nodeToken(node.options.name)}`
  let counts = ""
  const [lines, stored] = await eventually(`stream ${stream} holds as many events as the journal`, async () => {
    const journal = (await node.journal.lines()) ?? []
    const published = await contents(world.nats.url, stream)
    counts = `${published.length} of ${journal.length}`
    return published.length >= journal.length ? ([journal, published.map(({ line }) => line)] as const) : undefined
  }).catch((error) => {
    throw new Error(`${error.message}: ${counts}; the agent ${node.running === undefined ? "is stopped" : "runs"}`)
  })
  for (const [index, line] of lines.entries())
    assert.equal(stored[index], line, `position ${index + 1} of stream ${stream}`)
}

/** The log of a node: whole, ordered, nothing lost of what was seen, and published. */
export const assertLogWhole = async (world: World, node: NodeUnderTest): Promise<void> => {
  const verified = await node.command("verify", "--journal")
  assert.equal(verified.code, 0, `chronode verify --journal: ${verified.stdout}${verified.stderr}`)
  await node.journal.assertKept()
  assertOrdered(await node.journal.events())
  if (node.options.nats !== undefined) await assertPublished(world, node)
}

export const sandboxesOf = (world: World, uid: string) =>
  world.ask((runtime) => runtime.listPodSandboxes({ [podUidLabel]: uid }))
export const containersOf = (world: World, uid: string) =>
  world.ask((runtime) => runtime.listContainers({ [podUidLabel]: uid }))

/**
 * The runtime against the log: each living pod has one ready sandbox at most, one running container of each name at
 * most, no (name, attempt) twice; a pod that does not live has nothing.
 */
export const assertNoStrays = async (world: World, node: NodeUnderTest): Promise<void> => {
  const events = await node.journal.events()
  const living = livingPods(events)
  for (const uid of uidsOf(events)) {
    const [sandboxes, containers] = [await sandboxesOf(world, uid), await containersOf(world, uid)]
    if (!living.has(uid)) {
      assert.deepEqual(
        sandboxes.map(({ id }) => id),
        [],
        `pod ${uid} is gone: no sandboxes`
      )
      assert.deepEqual(
        containers.map(({ id }) => id),
        [],
        `pod ${uid} is gone: no containers`
      )
      continue
    }
    const who = living.get(uid)
    const ready = sandboxes.filter(({ state }) => state === "SANDBOX_READY")
    assert.ok(ready.length <= 1, `${who} has ${ready.length} ready sandboxes`)
    const names = containers.map((c) => `${c.metadata.name} attempt ${c.metadata.attempt} in ${c.podSandboxId}`)
    assert.equal(new Set(names).size, names.length, `${who} has a container twice: ${names.join(", ")}`)
    const running = containers.filter(({ state }) => state === "CONTAINER_RUNNING").map((c) => c.metadata.name)
    assert.equal(new Set(running).size, running.length, `${who} has two running of one name: ${running.join(", ")}`)
  }
}

const entries = (dir: string): ReadonlyArray<string> => (existsSync(dir) ? readdirSync(dir) : [])

const cgroupsNamed = (cgroupRoot: string, part: string): ReadonlyArray<string> => {
  const root = "/sys/fs/cgroup"
  const hierarchies = existsSync(join(root, "cgroup.controllers"))
    ? [root]
    : entries(root).map((name) => join(root, name))
  const tiers = hierarchies.flatMap((h) =>
    ["kubepods", "kubepods/burstable", "kubepods/besteffort"].map((tier) => join(h, cgroupRoot, tier))
  )
  return tiers.flatMap((tier) =>
    entries(tier)
      .filter((name) => name.includes(part))
      .map((name) => join(tier, name))
  )
}

/** Everything on this machine that speaks of a pod. */
export const tracesOf = async (world: World, node: NodeUnderTest, uid: string): Promise<ReadonlyArray<string>> => [
  ...(await sandboxesOf(world, uid)).map(({ id }) => `sandbox ${id}`),
  ...(await containersOf(world, uid)).map(({ id }) => `container ${id}`),
  ...readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(uid))
    .map((line) => `mount ${line}`),
  ...entries(join(node.dataDir, "pods"))
    .filter((name) => name.includes(uid))
    .map((name) => `directory ${name}`),
  ...entries(node.podLogs)
    .filter((name) => name.includes(uid))
    .map((name) => `logs ${name}`),
  ...cgroupsNamed(node.cgroupRoot, uid).map((path) => `cgroup ${path}`)
]

/** Network namespaces and addresses are as many as there are ready sandboxes with a network of their own. */
export const assertNetworksMatch = async (world: World): Promise<void> => {
  const sandboxes = await world.ask((runtime) =>
    Effect.flatMap(runtime.listPodSandboxes({}), (all) => Effect.forEach(all, ({ id }) => runtime.podSandboxStatus(id)))
  )
  const networked = sandboxes.filter(({ state, ips }) => state === "SANDBOX_READY" && ips.length > 0).length
  const namespaces = entries(join(world.containerd.dir, "state/io.containerd.grpc.v1.cri/netns"))
  assert.equal(namespaces.length, networked, `network namespaces: ${namespaces.join(", ")}`)
  const leases = entries(join(world.containerd.dir, "ipam", world.containerd.network.name)).filter((n) => /^\d/.test(n))
  assert.equal(leases.length, networked, `addresses: ${leases.join(", ")}`)
}
