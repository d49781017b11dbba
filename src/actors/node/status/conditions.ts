/**
 * The node's conditions in kubelet's words (`pkg/kubelet/nodestatus/setters.go`). Pure. A condition's time of transition
 * stays while its status does; NetworkUnavailable is none of kubelet's.
 */
import type { ConditionStatus } from "../../pod/status/status.ts"

export type NodeConditionType = "Ready" | "MemoryPressure" | "DiskPressure" | "PIDPressure"
export type PressureType = Exclude<NodeConditionType, "Ready">

/** What one condition is to say now. */
export interface Judgement {
  readonly type: NodeConditionType
  readonly status: ConditionStatus
  readonly reason: string
  readonly message: string
}

/** How a pressure is told: reason and message with it and without. */
const pressureWords: Readonly<Record<PressureType, Readonly<Record<"yes" | "no", readonly [string, string]>>>> = {
  MemoryPressure: {
    yes: ["KubeletHasInsufficientMemory", "kubelet has insufficient memory available"],
    no: ["KubeletHasSufficientMemory", "kubelet has sufficient memory available"]
  },
  DiskPressure: {
    yes: ["KubeletHasDiskPressure", "kubelet has disk pressure"],
    no: ["KubeletHasNoDiskPressure", "kubelet has no disk pressure"]
  },
  PIDPressure: {
    yes: ["KubeletHasInsufficientPID", "kubelet has insufficient PID available"],
    no: ["KubeletHasSufficientPID", "kubelet has sufficient PID available"]
  }
}

export const pressureTypes: ReadonlyArray<PressureType> = ["MemoryPressure", "DiskPressure", "PIDPressure"]

export const pressureCondition = (type: PressureType, isUnderPressure: boolean): Judgement => {
  const [reason, message] = pressureWords[type][isUnderPressure ? "yes" : "no"]
  return { type, status: isUnderPressure ? "True" : "False", reason, message }
}

/** What speaks against the node being ready; empty lists: nothing. */
export interface ReadyInputs {
  readonly runtimeErrors: ReadonlyArray<string>
  readonly networkErrors: ReadonlyArray<string>
  readonly storageErrors: ReadonlyArray<string>
  readonly shutdownErrors: ReadonlyArray<string>
  /** Amounts by resource; undefined: not looked at. */
  readonly capacity?: Readonly<Record<string, string>>
  /** False: the node does not account for what pods write to its disk. */
  readonly isolatesLocalStorage: boolean
  /** A warning that does not make the node unready. */
  readonly warning?: string
}

/** One: itself; more: `[a, b]`, each once (`k8s.io/apimachinery/pkg/util/errors` Aggregate). */
const aggregate = (errors: ReadonlyArray<string>): string => {
  const told = [...new Set(errors)]
  return told.length === 1 ? told[0]! : `[${told.join(", ")}]`
}

export const readyCondition = (inputs: ReadyInputs): Judgement => {
  const { runtimeErrors, networkErrors, storageErrors, shutdownErrors, capacity, isolatesLocalStorage } = inputs
  const needed = ["cpu", "memory", "pods", ...(isolatesLocalStorage ? ["ephemeral-storage"] : [])]
  const missing = capacity === undefined ? [] : needed.filter((resource) => capacity[resource] === undefined)
  const errors = [
    ...runtimeErrors,
    ...networkErrors,
    ...storageErrors,
    ...shutdownErrors,
    ...(missing.length === 0 ? [] : [`missing node capacity for resources: ${missing.join(", ")}`])
  ]
  if (errors.length > 0) {
    return { type: "Ready", status: "False", reason: "KubeletNotReady", message: aggregate(errors) }
  }
  const warning = inputs.warning === undefined ? "" : `. WARNING: ${inputs.warning}`
  return { type: "Ready", status: "True", reason: "KubeletReady", message: `kubelet is posting ready status${warning}` }
}

/** kubelet's event for a condition whose status is another one now (`NodeReady`, `NodeHasDiskPressure`, …). */
export const transitionReason = ({ type, status, reason }: Pick<Judgement, "type" | "status" | "reason">): string =>
  type === "Ready" ? (status === "True" ? "NodeReady" : "NodeNotReady") : `Node${reason.replace(/^Kubelet/u, "")}`
