/**
 * Kills for want of memory in the kernel's log (mm/oom_kill.c, mm/memcontrol.c). What it says, in this order, where it
 * does not leave it out because of too many:
 *
 *   tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
 *   memory: usage 8192kB, limit 8192kB, failcnt 21
 *   oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=tail,pid=7,uid=0
 *   Memory cgroup out of memory: Killed process 7 (tail) total-vm:10548kB, anon-rss:7680kB, file-rss:1600kB, shmem-rss:0kB, …
 *   Tasks in /a/b are going to be killed due to memory.oom.group set
 *   Memory cgroup out of memory: Killed process 6 (sh) …
 *
 * Pure. The kernel kills one after another under a lock, so that the lines of two do not mix. A process chooses its own name, and
 * containers their cgroups below their own: every pattern is of the kernel's words at the beginning of the line.
 */
import { maxCount, noLimit } from "./parse.ts"
import { maxOomKills, type OomKill } from "./port.ts"

/** A line of /dev/kmsg: who wrote it is the kernel alone, not a program. */
export interface LogLine {
  /** Microseconds since the start of the machine. */
  readonly since: number
  readonly text: string
}

/** `6,1234,5678901,-;text`, and lines of `KEY=value` behind it (Documentation/ABI/testing/dev-kmsg). */
export const logLine = (record: string): LogLine | undefined => {
  const match = /^(\d{1,10}),\d{1,20},(\d{1,20}),[^;\n]{0,100};([^\n]*)/u.exec(record)
  // The priority's upper bits are the facility: 0 is the kernel.
  if (match === null || Number(match[1]) >> 3 !== 0) return undefined
  return { since: Number(match[2]), text: match[3]! }
}

const kibibyte = 1024
/** The kernel's names of processes have 15 bytes, and those that it cannot print are written with four. */
const maxNameLength = 64
const bytesOf = (kibibytes: string): number => Math.min(Number(kibibytes) * kibibyte, maxCount)

type Numbers = Pick<OomKill, "usage" | "limit" | "failures">
type Place = Pick<OomKill, "cgroup" | "limited">

/** Milliseconds after which a process that is killed is not of the group that was announced. */
const groupLife = 1_000

/** Fed with line after line, it keeps the latest kills. */
export class OomLog {
  readonly kills: Array<OomKill> = []
  /** Of the latest time that memory was short. */
  #numbers: Numbers = {}
  #place: (Place & { readonly pid: number }) | undefined
  #group: { readonly cgroup: string; readonly at: number } | undefined

  /** `at`: milliseconds since the epoch. */
  take(text: string, at: number): void {
    if (text.includes(" invoked oom-killer: ")) {
      this.#numbers = {}
      this.#place = undefined
      this.#group = undefined
      return
    }
    const usage = /^memory: usage (\d{1,20})kB, limit (\d{1,20})kB, failcnt (\d{1,20})/u.exec(text)
    if (usage !== null) {
      const limit = bytesOf(usage[2]!)
      this.#numbers = {
        usage: bytesOf(usage[1]!),
        // No limit is the largest number of pages.
        ...(limit >= noLimit ? {} : { limit }),
        failures: Math.min(Number(usage[3]), maxCount)
      }
      return
    }
    const place =
      /^oom-kill:constraint=.*?(?:,oom_memcg=(\/.*?)|,global_oom),task_memcg=(\/.*?),task=.*,pid=(\d{1,10}),uid=\d/u.exec(
        text
      )
    if (place !== null) {
      const limited = place[1] === undefined ? {} : { limited: place[1] }
      this.#place = { cgroup: place[2]!, ...limited, pid: Number(place[3]) }
      return
    }
    const group = /^Tasks in (\/.*) are going to be killed due to memory\.oom\.group set/u.exec(text)
    if (group !== null) {
      this.#group = { cgroup: group[1]!, at }
      return
    }
    const killed =
      /^(Memory cgroup out of memory|Out of memory[^:]{0,40}): Kill(?:ed)? process (\d{1,10}) \((.*?)\)(?: |,|$)/u.exec(
        text
      )
    if (killed !== null) this.#kill(killed[1]!, Number(killed[2]), killed[3]!, text, at)
  }

  /** The victim is told first, then its group if it has one, with all in it: the victim once more. */
  #kill(words: string, pid: number, process: string, text: string, at: number): void {
    const last = this.kills.at(-1)
    if (last?.pid === pid && at - last.at <= groupLife) return
    const group = this.#group !== undefined && at - this.#group.at <= groupLife ? this.#group.cgroup : undefined
    const cgroup = this.#place?.pid === pid ? this.#place.cgroup : group
    const isOfCgroup = words.startsWith("Memory cgroup")
    const limited = isOfCgroup && cgroup !== undefined ? this.#place?.limited : undefined
    const rss = /anon-rss:(\d{1,20})kB/u.exec(text)
    this.kills.push({
      at,
      ...(cgroup === undefined ? {} : { cgroup }),
      pid,
      process: process.slice(0, maxNameLength),
      ...(rss === null ? {} : { rss: bytesOf(rss[1]!) }),
      ...(limited === undefined ? {} : { limited, ...this.#numbers }),
      ...(isOfCgroup ? {} : { ofNode: true as const })
    })
    if (this.kills.length > maxOomKills) this.kills.splice(0, this.kills.length - maxOomKills)
  }
}
