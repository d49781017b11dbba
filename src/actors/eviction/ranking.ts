/** The ranking as it is told: every pod with what its place follows from, as far as an event has room. */
import type { EventOf } from "../../events/catalogue.ts"
import type { Candidate } from "./rules/candidate.ts"
import type { FsLayout } from "./rules/container-fs.ts"
import { figuresFor } from "./rules/rank.ts"

type Told = Pick<EventOf<"EvictionTriggered">, "ranking" | "others">

/** Pods that are told one by one. */
export const maxRankedPods = 200
/** Bytes of JSON of them; an event has 64 KiB. */
export const maxRankingBytes = 48 * 1024

export const tellRanking = (ranking: ReadonlyArray<Candidate>, signal: string, layout: FsLayout): Told => {
  const told: Array<Told["ranking"][number]> = []
  let bytes = 0
  let pods = 0
  let sum = 0
  for (const candidate of ranking) {
    const { used, requested } = figuresFor(candidate, signal, layout)
    const one = {
      pod: `${candidate.namespace}/${candidate.name}`,
      qosClass: candidate.qosClass,
      priority: candidate.priority,
      ...(used === undefined ? {} : { used }),
      requested,
      exceeds: used !== undefined && used > requested,
      ...(candidate.critical === true ? { critical: true } : {})
    }
    bytes += JSON.stringify(one).length + 1
    if (pods === 0 && told.length < maxRankedPods && bytes <= maxRankingBytes) told.push(one)
    else {
      pods += 1
      sum += used ?? 0
    }
  }
  return pods === 0 ? { ranking: told } : { ranking: told, others: { pods, used: sum } }
}
