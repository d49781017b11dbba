/** What of the host and its runtime a pod's admission depends on: looked at for the pods that ask for it only. */
import { Duration, Effect } from "effect"
import type { ContainerRuntime } from "../../adapters/cri/port.ts"
import type { NodeRoom } from "../../events/node-room.ts"
import type { Pod } from "../../events/pod-spec.ts"
import { needsAppArmor } from "../pod/security/apparmor.ts"
import { isStrict } from "../pod/security/security.ts"
import { PodSettings } from "../pod/settings.ts"
import { type RuntimeView, runtimeFeatures } from "../runtime/features.ts"

export type HostFeatures = Pick<NodeRoom, "sysctls" | "appArmor" | "supplementalGroupsPolicy">

/** How long the runtime may take to tell: without an answer it is asked again when the sandbox is made. */
const patience = Duration.seconds(2)

export const hostFeatures = (
  pod: Pod
): Effect.Effect<HostFeatures, never, ContainerRuntime | PodSettings | RuntimeView> =>
  Effect.gen(function* () {
    const { facts } = yield* PodSettings
    const setsSysctls = (pod.spec.securityContext?.sysctls ?? []).length > 0
    const groups = isStrict(pod)
      ? yield* runtimeFeatures.pipe(
          Effect.timeout(patience),
          Effect.map((features) => features.supplementalGroupsPolicy),
          Effect.catch(() => Effect.succeed(undefined))
        )
      : undefined
    return {
      ...(setsSysctls && facts.sysctls !== undefined ? { sysctls: facts.sysctls } : {}),
      ...(needsAppArmor(pod) && facts.appArmor !== undefined ? { appArmor: facts.appArmor } : {}),
      ...(groups === undefined ? {} : { supplementalGroupsPolicy: groups })
    }
  })
