/** A step for the pod failed and is tried again. */
import { timestamp } from "../../events/definition.ts"
import { growingRetries, isOn } from "../kernel/flags.ts"
import type { PodDecision } from "./evolve.ts"
import type { Retry } from "./state.ts"

/** kubelet's pod worker tries again after 10 s; what is quick to mend is tried sooner: 1 s, doubling to 10 s. */
export const retryDelay = (failures: number): number => Math.min(1000 * 2 ** (failures - 1), 10_000)

export const operationFailed = (
  d: PodDecision,
  operation: "StopSandbox" | "Cleanup" | "KillContainer",
  message: string | undefined,
  step: { readonly retry: Retry | null; readonly failures?: number } | null,
  because: string,
  containerId?: string
): void => {
  const failures = (step?.retry?.failures ?? step?.failures ?? 0) + 1
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

/** What the request of the next attempt carries, so that its failure is not taken for the first. */
export const failedBefore = (d: PodDecision, retry: Retry): { readonly failures?: number } =>
  isOn(d.flags, growingRetries) ? { failures: retry.failures } : {}
