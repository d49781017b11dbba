/** How containers' logs are rotated: the fields of kubelet's configuration that begin with containerLog. */
import { Context, Semaphore } from "effect"

export interface LogRotationPolicy {
  /** Bytes; undefined: logs are not rotated. */
  readonly maxSizeBytes: number | undefined
  /** Of one container, the one that is written and the next one among them; at least 2. */
  readonly maxFiles: number
  /** Rotations at one time. */
  readonly maxWorkers: number
  /** Between looks at the sizes, milliseconds. */
  readonly monitorInterval: number
}

/** kubelet's defaults (`pkg/kubelet/apis/config/v1beta1/defaults.go`). */
export const defaultLogRotation: LogRotationPolicy = {
  maxSizeBytes: 10 * 1024 * 1024,
  maxFiles: 5,
  maxWorkers: 1,
  monitorInterval: 10_000
}

export class LogRotation extends Context.Service<
  LogRotation,
  { readonly policy: LogRotationPolicy; readonly workers: Semaphore.Semaphore }
>()("chronode/LogRotation") {
  static readonly make = (policy: LogRotationPolicy): LogRotation["Service"] =>
    LogRotation.of({ policy, workers: Semaphore.makeUnsafe(policy.maxWorkers) })
}
