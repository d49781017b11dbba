import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import type { ObservedContainer } from "../../../src/actors/pod/commands.ts"
import { OomCounters } from "../../../src/actors/runtime/oom-counters.ts"
import { makeOomWitness, type Witnessed } from "../../../src/actors/runtime/oom-witness.ts"
import type { OomKill } from "../../../src/adapters/cgroupfs/port.ts"
import { makeMemoryStatistics } from "../../../src/adapters/cgroupfs/statistics-memory.ts"
import { tellOom } from "../../../src/events/oom-evidence.ts"

const mebibyte = 1024 * 1024
const pod = "/kubepods/burstable/pod1"
const one: Witnessed = { containerId: "aaa", podCgroup: pod, limit: 16 * mebibyte }
const two: Witnessed = { containerId: "bbb", podCgroup: pod }
const ended = (exitCode: number, reason = exitCode === 0 ? "Completed" : "Error"): ObservedContainer => ({
  ...{ containerId: "aaa", state: "exited", exitCode, reason, message: "" }
})
const killOf = (id: string, more: Partial<OomKill> = {}): OomKill => ({
  ...{ at: 5_000, cgroup: `${pod}/${id}`, limited: `${pod}/${id}`, pid: 7, process: "tail", rss: 15 * mebibyte },
  ...{ usage: 16 * mebibyte, limit: 16 * mebibyte, failures: 21 },
  ...more
})

describe("the witness, by the kernel's log", () => {
  const testify = (kills: ReadonlyArray<OomKill>, observed: ObservedContainer, of: Witnessed = one) => {
    const memory = makeMemoryStatistics()
    memory.kills = kills
    memory.groups.set(pod, { oom: { limit: 64 * mebibyte, peak: 20 * mebibyte, events: { oom_kill: 1, max: 4 } } })
    return Effect.runPromise(makeOomWitness(memory.service).testify(of, observed))
  }

  it("names an end what it was, with the numbers, where the runtime says Error", async () => {
    const { reason, oom } = await testify([killOf("aaa")], ended(137))
    assert.equal(reason, "OOMKilled")
    assert.equal(oom?.by, "Container")
    assert.equal(oom?.limitBytes, 16 * mebibyte)
    assert.equal(oom?.peakBytes, 16 * mebibyte)
    assert.deepEqual(oom?.process, { pid: 7, name: "tail", rssBytes: 15 * mebibyte })
    assert.equal(oom?.killedAt, "1970-01-01T00:00:05.000Z")
    assert.equal(oom?.events["oom_kill"], 1)
    assert.equal(oom?.events["failcnt"], 21)
    assert.match(
      tellOom(oom!),
      /^limit 16\.0 MiB, peak 16\.0 MiB, the container's limit was hit, killed tail \(pid 7, 15\.0 MiB\), oom_kill 1/u
    )
  })

  it("says whose limit it was", async () => {
    const byOf = async (limited: string | undefined) => {
      const { limited: _, usage: __, limit: ___, ...kill } = killOf("aaa")
      return (await testify([limited === undefined ? { ...kill, ofNode: true } : { ...kill, limited }], ended(137))).oom
    }
    assert.equal((await byOf(pod))?.by, "Pod")
    assert.equal((await byOf(pod))?.limitBytes, 64 * mebibyte)
    assert.equal((await byOf("/kubepods"))?.by, "Pods")
    assert.equal((await byOf(undefined))?.by, "Node")
    assert.equal((await byOf(`/node${pod}/cri-containerd-aaa.scope`))?.by, "Container")
  })

  it("leaves other ends as they are: of others, of other lives, and such that the agent asked for", async () => {
    assert.deepEqual(await testify([killOf("bbb"), killOf("aaaa")], ended(137)), ended(137))
    assert.deepEqual(await testify([], ended(137)), ended(137))
    assert.deepEqual(await testify([killOf("aaa")], ended(0)), ended(0))
    const stopped = await testify([killOf("aaa")], ended(137), { ...one, stoppedAt: 6_000 })
    assert.equal(stopped.reason, "Error")
    assert.equal((await testify([killOf("aaa")], ended(137), { ...one, stoppedAt: 4_000 })).reason, "OOMKilled")
  })

  it("tells what the kernel did also where the container ended by something else", async () => {
    const { reason, oom } = await testify([killOf("aaa")], ended(1))
    assert.equal(reason, "Error")
    assert.equal(oom?.process?.name, "tail")
  })

  it("names of several processes that were killed at once the one with the most memory", async () => {
    const group = [
      killOf("aaa", { process: "old", at: 1, rss: 99 * mebibyte }),
      killOf("aaa"),
      killOf("aaa", { pid: 8, process: "sh", rss: 4096 })
    ]
    const { oom } = await testify(group, ended(137))
    assert.equal(oom?.process?.name, "tail")
    assert.equal(oom?.events["oom_kill"], 3)
  })

  it("adds what is known where the runtime alone knows", async () => {
    const { reason, oom } = await testify([], ended(137, "OOMKilled"))
    assert.equal(reason, "OOMKilled")
    assert.equal(oom?.limitBytes, 16 * mebibyte)
    assert.deepEqual(oom?.events, { oom_kill: 1, max: 4 })
  })
})

describe("the witness, by counters, where the log cannot be read", () => {
  const world = () => {
    const memory = makeMemoryStatistics()
    memory.kills = undefined
    const witness = makeOomWitness(memory.service)
    const set = (path: string, kills: number) =>
      memory.groups.set(path, { oom: { limit: 5, events: { oom_kill: kills } } })
    const run = <A>(effect: Effect.Effect<A>) => Effect.runSync(effect)
    return { memory, witness, set, run }
  }

  it("takes what the pod counts beyond its living containers for the one that ended", () => {
    const { memory, witness, set, run } = world()
    set(pod, 3)
    set(`${pod}/aaa`, 0)
    set(`${pod}/bbb`, 1)
    run(witness.look(() => [one, two]))
    // The other one's child is killed; it lives on. Then this one dies.
    set(pod, 5)
    set(`${pod}/bbb`, 2)
    memory.groups.delete(`${pod}/aaa`)
    run(witness.look(() => [one, two]))
    const { reason, oom } = run(witness.testify(one, ended(137)))
    assert.equal(reason, "OOMKilled")
    assert.equal(oom?.limitBytes, 5)
    // Asked again it says the same, and the kill is nobody else's.
    assert.equal(run(witness.testify(one, ended(137))).reason, "OOMKilled")
    memory.groups.delete(`${pod}/bbb`)
    run(witness.look(() => [two]))
    // bbb had two kills of its own while it lived.
    assert.equal(run(witness.testify(two, ended(137))).reason, "OOMKilled")
  })

  it("blames no container for a kill of another", () => {
    const { memory, witness, set, run } = world()
    set(pod, 0)
    set(`${pod}/aaa`, 0)
    set(`${pod}/bbb`, 0)
    run(witness.look(() => [one, two]))
    set(pod, 1)
    set(`${pod}/bbb`, 1)
    memory.groups.delete(`${pod}/aaa`)
    run(witness.look(() => [one, two]))
    assert.deepEqual(run(witness.testify(one, ended(137))), ended(137))
  })

  it("knows on v1, where a pod does not count its containers' kills, what a container counted while it lived", () => {
    const counters = new OomCounters()
    counters.look(pod, 0, new Map([["aaa", 1]]))
    assert.equal(counters.wasKilled(pod, "aaa", 0), true)
    assert.equal(counters.wasKilled("/unknown", "bbb", 7), false)
    counters.keep(new Set())
    assert.equal(counters.wasKilled(pod, "ccc", 7), false)
  })
})
