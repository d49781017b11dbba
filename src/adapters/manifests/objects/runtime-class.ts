/**
 * What a RuntimeClass beside the pods does to those that name it, as the API server's admission does it
 * (`plugin/pkg/admission/runtimeclass/admission.go`, Kubernetes 1.36): its overhead, node selector and tolerations become
 * the pod's. A pod may name a class that has no object here: its name is the handler's then.
 */
import type { Pod } from "../../../events/pod-spec.ts"
import { quantityNumber } from "../quantity.ts"

export interface RuntimeClassContent {
  readonly kind: "RuntimeClass"
  /** Always empty: a class is for all namespaces. */
  readonly namespace: ""
  readonly name: string
  /** The runtime's name for how it is to run a pod. */
  readonly handler: string
  /** What a pod costs beside its containers, as quantities; absent: nothing is said. */
  readonly overhead?: Readonly<Record<string, string>>
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: NonNullable<Pod["spec"]["tolerations"]>
}

/** Where in the pod, and what. */
export interface ClassProblem {
  readonly field: string
  readonly message: string
}

type Spec = Pod["spec"]

const amounts = (list: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    Object.entries(list)
      .map(([name, text]) => [name, quantityNumber(text) ?? text] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  )

/** The pod's spec under its class, or why it cannot have it. */
export const underClass = (
  spec: Spec,
  runtimeClass: RuntimeClassContent | undefined
): { readonly spec: Spec } | ClassProblem => {
  const { overhead } = runtimeClass ?? {}
  // Without such a class the pod's own counts, as kubelet has it for pods that passed no API server.
  if (spec.overhead !== undefined && overhead !== undefined && amounts(overhead) !== amounts(spec.overhead)) {
    return { field: "spec.overhead", message: "is not the overhead that the pod's RuntimeClass defines" }
  }
  if (runtimeClass === undefined) return { spec }
  const { nodeSelector, tolerations } = runtimeClass
  for (const [label, value] of Object.entries(nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[label]
    if (own !== undefined && own !== value) {
      const field = `spec.nodeSelector[${JSON.stringify(label)}]`
      return { field, message: `conflicts with the pod's RuntimeClass, which wants ${JSON.stringify(value)}` }
    }
  }
  return {
    spec: {
      ...spec,
      ...(overhead === undefined ? {} : { overhead }),
      ...(nodeSelector === undefined ? {} : { nodeSelector: { ...spec.nodeSelector, ...nodeSelector } }),
      ...(tolerations === undefined ? {} : { tolerations: merged(spec.tolerations ?? [], tolerations) })
    }
  }
}

/** Those of the class that the pod has already are not added again. */
const merged = (own: NonNullable<Spec["tolerations"]>, more: NonNullable<Spec["tolerations"]>) => {
  const known = new Set(own.map(text))
  return [...own, ...more.filter((toleration) => !known.has(text(toleration)))]
}

const text = ({ key, operator, value, effect, tolerationSeconds }: NonNullable<Spec["tolerations"]>[number]): string =>
  JSON.stringify([key, operator, value, effect, tolerationSeconds])
