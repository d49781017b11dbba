/** The node as the API shows it (`v1.Node`), as far as the log tells: `chronode get node -o json`. Pure. */
import type { PodState } from "../pod/state.ts"
import type { RuntimeState } from "../runtime/state.ts"
import type { NodeState } from "./state.ts"
import type { NodeAddress } from "./status/addresses.ts"
import type { NodeConditionType } from "./status/conditions.ts"
import type { Amounts } from "./status/machine.ts"

/** kubelet's nodeStatusMaxImages. */
export const maxShownImages = 50

export interface NodeApiCondition {
  readonly type: NodeConditionType
  readonly status: "True" | "False" | "Unknown"
  readonly lastTransitionTime: string
  readonly reason: string
  readonly message: string
}

export interface NodeApiView {
  readonly spec: { readonly unschedulable?: true }
  readonly labels: Readonly<Record<string, string>>
  readonly status: {
    readonly capacity: Amounts
    readonly allocatable: Amounts
    readonly conditions: ReadonlyArray<NodeApiCondition>
    readonly addresses: ReadonlyArray<NodeAddress>
    readonly nodeInfo: Readonly<Record<string, string>>
    /** Those of the node's pods; the log knows no sizes. */
    readonly images: ReadonlyArray<{ readonly names: ReadonlyArray<string> }>
    /** Volumes that a controller attaches: there is none. */
    readonly volumesInUse: ReadonlyArray<string>
  }
}

const order: ReadonlyArray<NodeConditionType> = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]

/** An agent that is stopped tells nothing any more: the words are the node controller's (`pkg/controller/nodelifecycle`). */
const unheard = {
  status: "Unknown",
  reason: "NodeStatusUnknown",
  message: "Kubelet stopped posting node status."
} as const

const conditionsOf = ({ conditions = {}, stopped }: Pick<NodeState, "conditions" | "stopped">) =>
  order.flatMap((type): ReadonlyArray<NodeApiCondition> => {
    const known = conditions[type]
    if (known === undefined) return []
    const { status, reason, message, since } = known
    const told = stopped ? unheard : { status: status ? ("True" as const) : ("False" as const), reason, message }
    return [{ type, lastTransitionTime: since, ...told }]
  })

const imagesOf = (pods: ReadonlyArray<PodState>) => {
  const names = new Map<string, Set<string>>()
  for (const { definition, containers } of pods) {
    for (const { name, imageId } of containers) {
      const { containers: regular = [], initContainers = [] } = definition?.pod.spec ?? {}
      const image = [...regular, ...initContainers].find((spec) => spec.name === name)?.image
      if (imageId === "") continue
      const known = names.get(imageId) ?? new Set([imageId])
      names.set(imageId, image === undefined ? known : known.add(image))
    }
  }
  return [...names.values()].slice(0, maxShownImages).map((of) => ({ names: [...of] }))
}

export const nodeApiView = (
  node: NodeState | undefined,
  runtime: Pick<RuntimeState, "name" | "version"> | undefined,
  pods: ReadonlyArray<PodState>
): NodeApiView => {
  const { description, started } = node ?? {}
  return {
    spec: node?.cordon === undefined ? {} : { unschedulable: true },
    labels: description?.labels ?? {},
    status: {
      capacity: description?.capacity ?? {},
      allocatable: description?.allocatable ?? {},
      conditions: node === undefined ? [] : conditionsOf(node),
      addresses: description?.addresses ?? [],
      nodeInfo: {
        machineID: description?.machineId ?? "",
        systemUUID: description?.systemUuid ?? "",
        bootID: started?.bootId ?? "",
        kernelVersion: started?.kernel ?? "",
        osImage: description?.osImage ?? "",
        containerRuntimeVersion:
          runtime === undefined || runtime.name === "" ? "" : `${runtime.name}://${runtime.version}`,
        kubeletVersion: started === undefined || started === null ? "" : `chronode ${started.version}`,
        operatingSystem: "linux",
        architecture: started?.architecture ?? ""
      },
      images: imagesOf(pods),
      volumesInUse: []
    }
  }
}
