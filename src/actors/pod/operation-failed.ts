/** A step for the pod failed and is tried again. */
import { timestamp } from "../../events/definition.ts"
import type { PodDecision } from "./evolve.ts"

/** kubelet's pod worker tries again after 10 s; what is quick to mend is tried sooner: 1 s, doubling to 10 s. */
export const retryDelay = (failures: number): number => Math.min(1000 * 2 ** (failures - 1), 10_000)

export const operationFailed = (
  d: PodDecision,
  operation: "StopSandbox" | "Cleanup" | "KillContainer",
  message: string | undefined,
  before: number | undefined,
  because: string,
  containerId?: string
): void => {
  const failures = (before ?? 0) + 1
  d.emit(
    {
      _tag: "PodOperationFailed",
      operation,
      message: message ?? "",
      failures,
      retryAt: timestamp(d.at + retryDelay(failures)),
      ...(containerId === undefined ? {} : { containerId })
    },
    because
  )
}
