/** Which pods a drain ends, which it leaves, and what speaks against it (`k8s.io/kubectl/pkg/drain/filters.go`). Pure. */
import { isCriticalPriority } from "../pod/admission/critical.ts"
import type { PodState } from "../pod/state.ts"
import { type LabelSelector, matchesLabels } from "./label-selector.ts"

export interface DrainedPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface DrainChoice {
  /** They end, or end already. */
  readonly ends: ReadonlyArray<DrainedPod>
  /** They stay: critical, or of other labels. */
  readonly stays: ReadonlyArray<DrainedPod & { readonly why: string }>
  /** They end, and with them what they have on the node's disk. */
  readonly losesData: ReadonlyArray<DrainedPod & { readonly volumes: ReadonlyArray<string> }>
}

export const chooseDrained = (states: ReadonlyArray<PodState>, selector: LabelSelector | undefined): DrainChoice => {
  const [ends, stays, losesData]: [
    Array<DrainedPod>,
    Array<DrainChoice["stays"][number]>,
    Array<DrainChoice["losesData"][number]>
  ] = [[], [], []]
  for (const { definition } of states) {
    if (definition === null) continue
    const { metadata, spec } = definition.pod
    const pod = { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid }
    if (isCriticalPriority(spec.priority ?? 0)) stays.push({ ...pod, why: "it is critical" })
    else if (selector !== undefined && !matchesLabels(selector, metadata.labels ?? {})) {
      stays.push({ ...pod, why: "its labels do not match" })
    } else {
      ends.push(pod)
      const volumes = (spec.volumes ?? []).filter(({ emptyDir }) => emptyDir !== undefined).map(({ name }) => name)
      if (volumes.length > 0) losesData.push({ ...pod, volumes })
    }
  }
  return { ends, stays, losesData }
}
