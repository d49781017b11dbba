/**
 * The pods that may have to go, with their figures, as far as there is room to record them: an event has 64 KiB, and a decision
 * stands in the log as a text within one. Pure.
 */
import type { Summary } from "../../events/stats-summary.ts"
import type { PodState } from "../pod/state.ts"
import { isTerminalPhase } from "../pod/status/phase.ts"
import { type Candidate, candidateOf } from "./rules/candidate.ts"
import type { FsLayout } from "./rules/container-fs.ts"
import { comparatorsFor, ordered } from "./rules/rank.ts"

/** Bytes that candidates take in an event, where each quote of their JSON is written as two characters. */
export const maxCandidateBytes = 48 * 1024
/** Where there is no room for all: of the first in each ranking it is told which containers use too much. */
export const maxDetailed = 16

/** Pods that run or are to, and are not on their way out already. */
const isActive = ({ definition, termination, failed, phase }: PodState): boolean =>
  definition !== null && termination === null && failed === undefined && !isTerminalPhase(phase)

export interface Candidates {
  readonly candidates: ReadonlyArray<Candidate>
  /** Those that there is no room for: the last in every ranking. */
  readonly more?: number
}

export const candidatesOf = (
  pods: ReadonlyArray<PodState>,
  { pods: stats }: Pick<Summary, "pods">,
  layout: FsLayout
): Candidates => {
  const byUid = new Map(stats.map((one) => [one.podRef.uid, one]))
  return fit(
    pods
      .filter(isActive)
      .map(({ definition }) => candidateOf(definition!.pod, byUid.get(definition!.pod.metadata.uid), layout)),
    layout
  )
}

/** One signal of each ranking. */
const rankings = ["memory.available", "nodefs.available", "imagefs.available", "nodefs.inodesFree", "pid.available"]

/** All that fit, those first that are among the first of any ranking, and those that passed a limit of their own. */
export const fit = (all: ReadonlyArray<Candidate>, layout: FsLayout, maxBytes = maxCandidateBytes): Candidates => {
  if (JSON.stringify(JSON.stringify(all)).length <= maxBytes) return { candidates: all }
  const orders = rankings.map((signal) => ordered(all, comparatorsFor(signal, layout) ?? []))
  const limited = all.filter(({ limits }) => limits !== undefined)
  const detailed = new Set(orders.flatMap((order) => order.slice(0, maxDetailed)))
  const kept = new Map<string, Candidate>()
  let bytes = 0
  const take = (candidate: Candidate | undefined): void => {
    if (candidate === undefined || kept.has(candidate.uid)) return
    const { containers: _, ...brief } = candidate
    const one = detailed.has(candidate) ? candidate : brief
    const size = JSON.stringify(JSON.stringify(one)).length
    if (bytes + size > maxBytes) return
    bytes += size
    kept.set(candidate.uid, one)
  }
  for (const candidate of limited) take(candidate)
  for (let i = 0; i < all.length; i++) for (const order of orders) take(order[i])
  const candidates = all.flatMap(({ uid }) => kept.get(uid) ?? [])
  return candidates.length === all.length ? { candidates } : { candidates, more: all.length - candidates.length }
}
