/** What of the container runtime speaks against the node being ready, in kubelet's words (`pkg/kubelet/runtime.go`, `kubelet.go`). Pure. */
import type { RuntimeState } from "../../runtime/state.ts"

export interface RuntimeErrors {
  readonly runtimeErrors: ReadonlyArray<string>
  readonly networkErrors: ReadonlyArray<string>
}

type Seen = Pick<RuntimeState, "status" | "conditions" | "unhealthy">

/** `isDown`: it has not answered for as long as it may take (kubelet's 30 s). */
export const runtimeErrors = (runtime: Seen | undefined, isDown: boolean): RuntimeErrors => {
  if (runtime === undefined || runtime.status === "unknown") {
    return { runtimeErrors: ["container runtime status check may not have completed yet"], networkErrors: [] }
  }
  const failing = (type: string): string | undefined => {
    const condition = runtime.conditions[type]
    return condition === undefined || condition.status
      ? undefined
      : `${type}=false reason:${condition.reason} message:${condition.message}`
  }
  const [unready, offline] = [failing("RuntimeReady"), failing("NetworkReady")]
  return {
    runtimeErrors: [
      ...(isDown ? ["container runtime is down"] : []),
      ...(runtime.unhealthy === undefined ? [] : [runtime.unhealthy.message]),
      ...(unready === undefined ? [] : [`container runtime not ready: ${unready}`])
    ],
    networkErrors: offline === undefined ? [] : [`container runtime network not ready: ${offline}`]
  }
}
