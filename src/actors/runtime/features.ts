/** What the container runtime can: as its actor knows it, or asked of the runtime where the actor has not heard yet. */
import { Context, Effect } from "effect"
import { ContainerRuntime, type CriError, type HandlerFeatures, type RuntimeStatus } from "../../adapters/cri/port.ts"
import type { RuntimeState } from "./decider.ts"

export type RuntimeFeatures = Pick<RuntimeStatus, "handlers" | "supplementalGroupsPolicy">

/** A look at the runtime's actor: its committed state, now. */
export class RuntimeView extends Context.Service<RuntimeView, { readonly state: () => RuntimeState | undefined }>()(
  "chronode/RuntimeView"
) {}

export const runtimeFeatures: Effect.Effect<RuntimeFeatures, CriError, ContainerRuntime | RuntimeView> = Effect.gen(
  function* () {
    const known = (yield* RuntimeView).state()
    if (known?.status === "connected" && known.handlers !== undefined) {
      return { handlers: known.handlers, supplementalGroupsPolicy: known.supplementalGroupsPolicy ?? false }
    }
    return yield* (yield* ContainerRuntime).status
  }
)

/** `handler`: "" is the runtime's default. What is not told is not there (`pkg/kubelet/container/runtime.go` RuntimeHandlers). */
export const featuresOfHandler = ({ handlers }: RuntimeFeatures, handler: string): HandlerFeatures =>
  handlers.find(({ name }) => name === handler) ?? {
    name: handler,
    recursiveReadOnlyMounts: false,
    userNamespaces: false
  }
