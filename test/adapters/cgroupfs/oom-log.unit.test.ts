/** Kills for want of memory as the kernel's log tells them: lines of Linux 6.18 and older ones, and damaged ones. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { logLine, OomLog } from "../../../src/adapters/cgroupfs/oom-log.ts"
import { maxOomKills } from "../../../src/adapters/cgroupfs/port.ts"
import { seededRandom } from "../../support/random.ts"

const kibibyte = 1024
const own = "/kubepods/burstable/pod1/c1"
const placed = (limited: string | undefined, cgroup: string, pid: number, process = "tail") =>
  `oom-kill:constraint=${limited === undefined ? "CONSTRAINT_NONE" : "CONSTRAINT_MEMCG"},nodemask=(null),cpuset=container,mems_allowed=0,${limited === undefined ? "global_oom" : `oom_memcg=${limited}`},task_memcg=${cgroup},task=${process},pid=${pid},uid=0`
const killed = (pid: number, process = "tail", words = "Memory cgroup out of memory") =>
  `${words}: Killed process ${pid} (${process}) total-vm:10548kB, anon-rss:7680kB, file-rss:1600kB, shmem-rss:0kB, UID:0 pgtables:64kB oom_score_adj:0`
const inLimit = [
  "tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
  "CPU: 1 UID: 0 PID: 7 Comm: tail Not tainted",
  "memory: usage 8192kB, limit 8192kB, failcnt 21",
  "swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
  `Memory cgroup stats for ${own}:`
]
const told = (lines: ReadonlyArray<string>) => {
  const log = new OomLog()
  for (const line of lines) log.take(line, 5)
  return log.kills
}

describe("the kernel's log of kills for want of memory", () => {
  it("says which process of which cgroup it was, whose limit was hit, and how much there was", () => {
    assert.deepEqual(told([...inLimit, placed(own, own, 7), killed(7), "oom_reaper: reaped process 7 (tail)"]), [
      {
        ...{ at: 5, cgroup: own, limited: own, pid: 7, process: "tail", rss: 7680 * kibibyte },
        ...{ usage: 8192 * kibibyte, limit: 8192 * kibibyte, failures: 21 }
      }
    ])
    const pod = "/kubepods/burstable/pod1"
    assert.equal(told([...inLimit, placed(pod, own, 7), killed(7)])[0]?.limited, pod)
  })

  it("says that the node's memory was short as a whole, without the numbers of a cgroup", () => {
    const [kill] = told([...inLimit, placed(undefined, own, 7), killed(7, "tail", "Out of memory")])
    assert.deepEqual(kill, { at: 5, cgroup: own, pid: 7, process: "tail", rss: 7680 * kibibyte, ofNode: true })
  })

  it("has all processes of a cgroup that dies as a whole", () => {
    const group = `Tasks in ${own} are going to be killed due to memory.oom.group set`
    const kills = told([
      ...inLimit,
      placed(own, own, 7),
      killed(7),
      group,
      killed(7),
      killed(8, "sh"),
      ...inLimit,
      killed(9, "x")
    ])
    assert.deepEqual(
      kills.map(({ pid, cgroup, limited, limit }) => [pid, cgroup, limited, limit]),
      [
        [7, own, own, 8192 * kibibyte],
        [8, own, own, 8192 * kibibyte],
        [9, undefined, undefined, undefined]
      ]
    )
  })

  it("does not take a process that is killed later for one of the group", () => {
    const log = new OomLog()
    for (const line of [placed(own, own, 7), killed(7)]) log.take(line, 5)
    log.take(`Tasks in ${own} are going to be killed due to memory.oom.group set`, 5)
    log.take(killed(8), 900)
    log.take(killed(9), 5_000)
    assert.deepEqual(
      log.kills.map(({ cgroup }) => cgroup),
      [own, own, undefined]
    )
  })

  it("knows a process without its cgroup where the kernel left that out, and never takes another's for it", () => {
    const kills = told([...inLimit, placed(own, own, 7), killed(7), killed(8), placed(own, own, 9), killed(10)])
    assert.deepEqual(
      kills.map(({ cgroup }) => cgroup),
      [own, undefined, undefined]
    )
  })

  it("takes names of processes as they are, also such as look like the kernel's words", () => {
    const name = "a) b,pid=1,uid"
    const [kill] = told([...inLimit, placed(own, own, 7, name), killed(7, name)])
    assert.equal(kill?.pid, 7)
    assert.equal(kill?.cgroup, own)
    assert.deepEqual(told(["init: Memory cgroup out of memory: Killed process 1 (x)", "x oom-kill:constraint=,"]), [])
  })

  it("believes the kernel, not what a program wrote into the log", () => {
    assert.deepEqual(logLine("6,1234,5678901,-;text; more\n SUBSYSTEM=x\n"), { since: 5_678_901, text: "text; more" })
    assert.equal(logLine("12,1,1,-;Out of memory: Killed process 1 (x)"), undefined)
    assert.equal(logLine("no record"), undefined)
  })

  it("keeps the latest, and takes any text at all", () => {
    const random = seededRandom("the kernel's log")
    const lines = [
      ...inLimit,
      placed(own, own, 7),
      killed(7),
      `Tasks in ${own} are going to be killed due to memory.oom.group set`
    ]
    const log = new OomLog()
    for (let round = 0; round < 20_000; round++) {
      const line = random.chance(0.1) ? killed(random.int(1, 99)) : random.pick(lines)
      const at = random.int(0, line.length)
      const damaged = random.chance(0.5)
        ? line
        : `${line.slice(0, at)}${random.pick(["", "9".repeat(40), ",", "\0", "="])}${line.slice(at + random.int(0, 3))}`
      log.take(damaged, round)
      logLine(`${random.pick(["6", "12", "x"])},1,${random.int(0, 9)},-;${damaged}`)
    }
    assert.ok(log.kills.length <= maxOomKills && log.kills.length > 100)
    for (const kill of log.kills) {
      for (const value of Object.values(kill)) assert.ok(typeof value === "string" || Number.isFinite(value))
    }
    const started = performance.now()
    log.take(
      `oom-kill:constraint=${",oom_memcg=/".repeat(40)}${",task_memcg=/".repeat(40)}${",task=,pid=1".repeat(40)}`,
      1
    )
    assert.ok(performance.now() - started < 500, "a line that was made to take long")
  })
})
