/** What the command line is told of a node that is cordoned or drained. Pure. */
import type { PodView } from "../pod/view.ts"
import type { NodeState } from "./state.ts"

export interface NodeReport {
  readonly name: string
  /** kubectl's STATUS: `Ready,SchedulingDisabled`. */
  readonly status: string
  /** Why it is not ready; empty: it is, or nobody has looked. */
  readonly message: string
  readonly cordon: { readonly by: string; readonly since: string } | null
  readonly drain: { readonly id: string; readonly status: string; readonly startedAt: string } | null
  readonly shutdown: string | null
  readonly pods: ReadonlyArray<Pick<PodView, "namespace" | "name" | "uid" | "status">>
}

/** As kubectl's printer writes it (`pkg/printers/internalversion/printers.go` printNode). */
export const statusWord = (state: Pick<NodeState, "conditions" | "cordon" | "stopped"> | undefined): string => {
  const ready = state?.conditions?.Ready
  const word = ready === undefined || state?.stopped === true ? "Unknown" : ready.status ? "Ready" : "NotReady"
  return state?.cordon === undefined ? word : `${word},SchedulingDisabled`
}

export const nodeReport = (name: string, state: NodeState | undefined, pods: ReadonlyArray<PodView>): NodeReport => {
  const { cordon, drain, shutdown, conditions } = state ?? {}
  return {
    name,
    status: statusWord(state),
    message: conditions?.Ready?.status === false ? conditions.Ready.message : "",
    cordon: cordon === undefined ? null : { by: cordon.by, since: cordon.since },
    drain: drain === undefined ? null : { id: drain.because, status: drain.status, startedAt: drain.startedAt },
    shutdown: shutdown?.status ?? null,
    pods: pods.map(({ namespace, name: pod, uid, status }) => ({ namespace, name: pod, uid, status }))
  }
}
