/**
 * Kills for want of memory in the kernel's log (mm/oom_kill.c, mm/memcontrol.c). What it says before a kill, in this order, where it
 * does not leave it out because of too many:
 *
 *   tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
 *   memory: usage 8192kB, limit 8192kB, failcnt 21
 *   oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=tail,pid=7,uid=0
 *   Tasks in /a/b are going to be killed due to memory.oom.group set
 *   Memory cgroup out of memory: Killed process 7 (tail) total-vm:10548kB, anon-rss:7680kB, file-rss:1600kB, shmem-rss:0kB, …
 *
 * Pure. The kernel kills one after another under a lock, so that the lines of two do not mix. A process chooses its own name, and
 * containers their cgroups below their own: every pattern is of the kernel's words at the beginning of the line.
 */
import { maxCount } from "./parse.ts"
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
const bytesOf = (kibibytes: string): number => Math.min(Number(kibibytes) * kibibyte, maxCount)

type Numbers = Pick<OomKill, "usage" | "limit" | "failures">
type Place = Pick<OomKill, "cgroup" | "limited">

/** Fed with line after line, it keeps the latest kills. */
export class OomLog {
  readonly kills: Array<OomKill> = []
  #numbers: Numbers = {}
  #place: (Place & { readonly pid: number }) | undefined
  #group: string | undefined

  /** `at`: milliseconds since the epoch. */
  take(text: string, at: number): void {
    if (text.includes(" invoked oom-killer: ")) {
      this.#forget()
      return
    }
    const usage = /^memory: usage (\d{1,20})kB, limit (\d{1,20})kB, failcnt (\d{1,20})/u.exec(text)
    if (usage !== null) {
      const limit = bytesOf(usage[2]!)
      this.#numbers = {
        usage: bytesOf(usage[1]!),
        // No limit is the largest number of pages.
        ...(limit >= 2 ** 62 ? {} : { limit }),
        failures: Math.min(Number(usage[3]), maxCount)
      }
      return
    }
    const place =
      /^oom-kill:constraint=.*?(?:,oom_memcg=(\/.*?)|,global_oom),task_memcg=(\/.*?),task=.*,pid=(\d{1,10}),uid=\d/u.exec(
        text
      )
    if (place !== null) {
      this.#place = {
        cgroup: place[2]!,
        ...(place[1] === undefined ? {} : { limited: place[1] }),
        pid: Number(place[3])
      }
      return
    }
    const group = /^Tasks in (\/.*) are going to be killed due to memory\.oom\.group set/u.exec(text)
    if (group !== null) {
      this.#group = group[1]!
      return
    }
    const killed =
      /^(Memory cgroup out of memory|Out of memory[^:]{0,40}): Kill(?:ed)? process (\d{1,10}) \((.*?)\)(?: |,|$)/u.exec(
        text
      )
    if (killed !== null) this.#kill(killed[1]!, Number(killed[2]), killed[3]!, text, at)
  }

  #kill(words: string, pid: number, process: string, text: string, at: number): void {
    const isOfGroup = this.#group !== undefined
    const place = this.#place?.pid === pid ? this.#place : undefined
    const cgroup = place?.cgroup ?? this.#group
    const limited = words.startsWith("Memory cgroup") ? this.#place?.limited : undefined
    const rss = /anon-rss:(\d{1,20})kB/u.exec(text)
    this.kills.push({
      at,
      ...(cgroup === undefined ? {} : { cgroup }),
      ...(limited === undefined || cgroup === undefined ? {} : { limited }),
      pid,
      process: process.slice(0, 64),
      ...(rss === null ? {} : { rss: bytesOf(rss[1]!) }),
      ...(cgroup === undefined || limited === undefined ? {} : this.#numbers)
    })
    if (this.kills.length > maxOomKills) this.kills.splice(0, this.kills.length - maxOomKills)
    // What is said of a group is true of all in it, until the next time that memory is short.
    if (!isOfGroup) this.#forget()
  }

  #forget(): void {
    this.#numbers = {}
    this.#place = undefined
    this.#group = undefined
  }
}
