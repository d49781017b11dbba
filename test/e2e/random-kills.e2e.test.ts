// runtimes: bun (deno)
/**
 * Pods come, change, crash and go while the agent is killed at random moments, and now and then NATS or the runtime with
 * it. CHRONODE_ROUNDS: how many kills (20); CHRONODE_SEED: of the random choices, printed with every run.
 */
import assert from "node:assert/strict"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { eventually, type NodeUnderTest, pause } from "../support/agent.ts"
import type { Happened } from "../support/journal-tail.ts"
import {
  assertLogWhole,
  assertNoStrays,
  assertPublished,
  containersOf,
  livingPods,
  tracesOf,
  uidsOf
} from "./checks.ts"
import { container, forever, httpGet, pod, webServer } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const rounds = Number(process.env.CHRONODE_ROUNDS ?? 20)
const seed = Number(process.env.CHRONODE_SEED ?? Date.now() % 1_000_000)

/** Mulberry32: a small generator whose whole state is the seed. */
const generator = (start: number): (() => number) => {
  let a = start
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const names = ["ada", "bob", "cleo", "dan", "eve"] as const
type Kind = "server" | "pair" | "once"
interface Desired {
  readonly kind: Kind
  /** Tells one definition of a pod from the next. */
  readonly variant: number
}

/** Crashes from outside of one pod, so that nobody has to wait for a back-off of more than 10 s at the end. */
const maxCrashes = 2
const longestLife = 3_500
const longestAbsence = 250
/** What may pass until everything is as desired, after the last kill; milliseconds. */
const settleLimit = 75_000

const manifestOf = (name: string, { kind, variant }: Desired): object => {
  const metadata = { annotations: { variant: String(variant) } }
  const shared = { volumeMounts: [{ name: "shared", mountPath: "/shared" }] }
  const volumes = [{ name: "shared", emptyDir: {} }]
  switch (kind) {
    case "server":
      return pod(name, { containers: [container("app", webServer, { readinessProbe: httpGet("/ok") })] }, metadata)
    case "pair": {
      const initContainers = [container("prepare", "echo hello > /shared/file; sleep 0.2", shared)]
      const containers = [container("app", forever, shared), container("side", forever, shared)]
      return pod(name, { initContainers, containers, volumes }, metadata)
    }
    case "once":
      return pod(name, { restartPolicy: "Never", containers: [container("app", "sleep 0.5")] }, metadata)
  }
}

const runs = ({ kind }: Desired): ReadonlyArray<string> =>
  kind === "server" ? ["app"] : kind === "pair" ? ["app", "side"] : []

describe(`${rounds} kills at random moments (CHRONODE_SEED=${seed})`, { concurrency: false }, () => {
  const random = generator(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const desired = new Map<string, Desired>()
  const crashed = new Map<string, ReadonlyArray<string>>()
  const diary: Array<string> = []
  let world: World
  let node: NodeUnderTest
  let variants = 0

  before(async () => {
    console.log(`random kills: CHRONODE_SEED=${seed} CHRONODE_ROUNDS=${rounds}`)
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    node = world.node("kills")
  })
  after(async () => {
    await world?.close()
  })

  const want = (name: string): void => {
    const wanted: Desired = { kind: (["server", "pair", "once"] as const)[below(3)]!, variant: ++variants }
    desired.set(name, wanted)
    node.put(`${name}.json`, manifestOf(name, wanted))
    diary.push(`want ${name} ${wanted.kind} ${wanted.variant}`)
  }

  /** Kills one running container, if there is one and it was not killed too often, past the agent. */
  const crash = async (): Promise<void> => {
    const events = await node.journal.events()
    const candidates = events.filter(
      ({ tag, subject, data }) =>
        tag === "ContainerStarted" &&
        data.container !== "prepare" &&
        !events.some((e) => e.tag === "ContainerExited" && e.data.containerId === data.containerId) &&
        (crashed.get(subject ?? "")?.length ?? 0) < maxCrashes
    )
    const victim = candidates[below(Math.max(candidates.length, 1))]
    if (victim === undefined) return
    const id = victim.data.containerId as string
    diary.push(`crash ${victim.actor} ${victim.data.container} ${id.slice(0, 8)}`)
    const uid = victim.subject ?? ""
    crashed.set(uid, [...(crashed.get(uid) ?? []), id])
    // It may have gone meanwhile, and the runtime may be down.
    await world.ask((runtime) => runtime.stopContainer(id, 0)).catch((error) => diary.push(`  ${error.message}`))
  }

  const act = async (): Promise<void> => {
    const name = names[below(names.length)]!
    const dice = random()
    if (!desired.has(name) || dice < 0.3) want(name)
    else if (dice < 0.5) {
      desired.delete(name)
      node.remove(`${name}.json`)
      diary.push(`remove ${name}`)
    } else await crash()
  }

  const disturb = async (): Promise<void> => {
    const dice = random()
    if (dice < 0.2) {
      diary.push("kill NATS")
      await world.nats.kill()
      await pause(below(longestAbsence))
      await act()
      await world.nats.restart()
    } else if (dice < 0.35) {
      diary.push("kill the runtime")
      await world.containerd.kill()
      if (random() < 0.5) await pause(below(longestAbsence))
      await world.containerd.restart()
    }
  }

  it("lose nothing, double nothing and touch nothing healthy", within(100 + rounds * 10), async () => {
    try {
      await play()
    } catch (error) {
      console.log(`the diary of CHRONODE_SEED=${seed}:\n  ${diary.join("\n  ")}`)
      throw error
    }
  })

  const play = async (): Promise<void> => {
    want(names[0])
    node.launch()
    for (let round = 0; round < rounds; round++) {
      for (let action = below(3); action >= 0; action--) await act()
      const life = below(longestLife)
      await pause(life)
      // Its neighbours also die while it lives.
      if (random() < 0.2) await disturb()
      await node.journal.events()
      const ended = await node.kill()
      assert.deepEqual(ended, { code: null, signal: "SIGKILL" }, "it lived until it was killed")
      diary.push(`${new Date().toISOString()} killed, round ${round + 1}, after ${life} ms`)
      await disturb()
      if (random() < 0.5) await act()
      await pause(below(longestAbsence))
      node.launch()
    }
    await settle()
    await removeOrphans()
    await check()
  }

  /** What is not yet as desired, in words; empty when all is. */
  const unsettled = (events: ReadonlyArray<Happened>): ReadonlyArray<string> => {
    const living = [...livingPods(events).values()]
    const problems: Array<string> = living
      .filter((actor) => !desired.has(actor.slice("pod/default/".length)))
      .map((actor) => `${actor} still lives`)
    for (const [name, wanted] of desired) {
      const actor = `pod/default/${name}`
      const own = events.filter((event) => event.actor === actor)
      const admitted = own.findLastIndex(({ tag }) => tag === "PodAdmitted")
      const variant = own[admitted]?.data.pod.metadata.annotations.variant
      const life = own.slice(admitted + 1)
      if (variant !== String(wanted.variant) || life.some(({ tag }) => tag === "PodRemoved"))
        problems.push(`${actor}: variant ${variant}`)
      else if (wanted.kind === "once") {
        if (!life.some(({ tag }) => tag === "SandboxStopped")) problems.push(`${actor} has not ended`)
      } else {
        for (const name of runs(wanted)) {
          const last = life.findLast(({ tag, data }) => tag === "ContainerReadinessChanged" && data.container === name)
          if (last?.data.ready !== true) problems.push(`${actor} ${name} is not ready`)
        }
      }
    }
    return problems
  }

  const runningOf = async (uid: string) =>
    (await containersOf(world, uid)).filter(({ state }) => state === "CONTAINER_RUNNING")

  const notRunning = async (events: ReadonlyArray<Happened>): Promise<ReadonlyArray<string>> => {
    const problems: Array<string> = []
    for (const [uid, actor] of livingPods(events)) {
      const names = (await runningOf(uid)).map(({ metadata }) => metadata.name).sort()
      const wanted = runs(desired.get(actor.slice("pod/default/".length))!)
      if (names.join() !== wanted.join()) problems.push(`${actor} runs ${names.join(", ")}`)
    }
    return problems
  }

  const settle = async (): Promise<void> => {
    let problems: ReadonlyArray<string> = []
    await eventually(
      "everything is as desired",
      async () => {
        assert.equal(node.running === undefined, false, `the agent ended:\n${node.log().slice(-2_000)}`)
        const events = await node.journal.events()
        problems = unsettled(events)
        if (problems.length > 0) return undefined
        // What was crashed last may not have been seen yet.
        problems = await notRunning(events)
        return problems.length === 0 ? true : undefined
      },
      settleLimit
    ).catch((error) => {
      throw new Error(`${error.message}: ${problems.join("; ")}\n${node.log().slice(-6_000)}`)
    })
  }

  /**
   * containerd keeps a container whose start lost its caller at a certain moment until it is restarted itself: then the
   * agent has to have told of an orphan, and has to remove it.
   */
  const removeOrphans = async (): Promise<void> => {
    const left = (events: ReadonlyArray<Happened>) =>
      events.filter(
        (e) =>
          e.tag === "OrphanSandboxFound" &&
          !events.some((r) => r.tag === "OrphanSandboxRemoved" && r.data.sandboxId === e.data.sandboxId)
      )
    if (left(await node.journal.events()).length === 0) return
    await world.containerd.restart()
    // The agent's next attempt may be a minute away.
    await node.until("orphans are removed", (events) => (left(events).length === 0 ? true : undefined), 70_000)
  }

  const check = async (): Promise<void> => {
    const events = await node.journal.events()
    const living = livingPods(events)
    assert.deepEqual(await notRunning(events), [])
    for (const [uid, actor] of living) {
      const running = await runningOf(uid)
      for (const { id } of running) {
        assert.ok(
          events.some((e) => e.tag === "ContainerStarted" && e.data.containerId === id),
          `${actor}: ${id} is known`
        )
      }
    }
    await assertNoStrays(world, node)
    for (const uid of uidsOf(events)) if (!living.has(uid)) assert.deepEqual(await tracesOf(world, node, uid), [], uid)
    assertExplained(events)
    await assertPublished(world, node)
    assert.deepEqual(await node.stop(), { code: 0, signal: null })
    await assertLogWhole(world, node)
    const file = join(node.options.dir, "incident.ndjson")
    const exported = await node.command("export", "--out", file)
    assert.equal(exported.code, 0, exported.stderr)
    const replayed = await node.command("replay", file, "--verify")
    assert.equal(replayed.code, 0, replayed.stdout.slice(-2_000) + replayed.stderr)
  }

  /** No container ended without a reason, none was started twice, and no actor failed. */
  const assertExplained = (events: ReadonlyArray<Happened>): void => {
    const killed = new Set([...crashed.values()].flat())
    const asked = new Set(
      events.filter(({ tag }) => tag === "ContainerKillRequested").map(({ data }) => data.containerId)
    )
    const once = new Set(
      events
        .filter(({ tag, data }) => tag === "PodAdmitted" && data.pod.spec.restartPolicy === "Never")
        .map(({ subject }) => subject)
    )
    const started = new Set<string>()
    for (const { tag, actor, data, sequence, subject } of events) {
      assert.ok(!/^Actor(?:Failed|Escalated)$/.test(tag), `event ${sequence}: ${actor} ${data.error}`)
      if (tag === "ContainerKillRequested") assert.equal(data.reason, "PodTerminating", `event ${sequence}`)
      if (tag === "ContainerStarted") {
        const key = `${subject} ${data.container} ${data.attempt}`
        assert.ok(!started.has(key), `event ${sequence}: ${key} is started again`)
        started.add(key)
      }
      if (tag !== "ContainerExited" || data.container === "prepare" || once.has(subject)) continue
      const why = killed.has(data.containerId) || asked.has(data.containerId)
      assert.ok(why, `event ${sequence}: ${actor} ${data.container} ended (${data.exitCode}), and nobody ended it`)
    }
  }
})
