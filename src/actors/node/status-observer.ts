/** Looks at the node every 10 s, as kubelet does, and tells what it is and what speaks against its being ready. */
import { Clock, Duration, Effect } from "effect"
import type { ActorId } from "../../events/actor-id.ts"
import type { NodeDescription } from "../../events/kinds/node-health.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { hostIpsOf } from "../pod/network/pod-ips.ts"
import { PodSettings } from "../pod/settings.ts"
import { RuntimeView } from "../runtime/features.ts"
import type { NodeCommand } from "./commands.ts"
import { NodeSettings, type NodeSettingsShape } from "./settings.ts"
import { nodeAddresses } from "./status/addresses.ts"
import { runtimeErrors } from "./status/runtime-errors.ts"

/** So long a runtime may be away before the node is not ready (kubelet's maxWaitForContainerRuntime). */
export const runtimePatience = Duration.seconds(30)
/** While the runtime has not been heard of at all. */
const firstPeriod = Duration.seconds(1)

/** Undefined where nobody has looked what the node has. */
const describe = (
  { facts, capacity, allocatable, offer }: PodSettings["Service"],
  machine: NodeSettingsShape["machine"]
): typeof NodeDescription.Type | undefined =>
  capacity === undefined || allocatable === undefined
    ? undefined
    : {
        hostname: facts.nodeName,
        capacity,
        allocatable,
        labels: offer?.labels ?? {},
        addresses: nodeAddresses({
          nodeIps: [],
          resolved: hostIpsOf(facts.nodeIps ?? [])[0],
          hostname: facts.nodeName
        }),
        ...machine
      }

export const observeStatus = (
  id: ActorId,
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, PodSettings | RuntimeView> =>
  Effect.gen(function* () {
    const settings = yield* NodeSettings
    if (!settings.runsPods) return yield* Effect.never
    const runtime = yield* RuntimeView
    const begun = yield* Clock.currentTimeMillis
    const tell = (command: NodeCommand) => emit({ to: id, command })
    const description = describe(yield* PodSettings, settings.machine)
    if (description !== undefined) yield* tell({ _tag: "NodeSeen", at: begun, description })
    let awaySince: number | undefined
    while (true) {
      const at = yield* Clock.currentTimeMillis
      const seen = runtime.state()
      const isNew = seen === undefined || seen.status === "unknown"
      if (isNew && at - begun < Duration.toMillis(runtimePatience)) {
        yield* Effect.sleep(firstPeriod)
        continue
      }
      awaySince = seen?.status === "disconnected" ? (awaySince ?? at) : undefined
      const isDown = awaySince !== undefined && at - awaySince >= Duration.toMillis(runtimePatience)
      yield* tell({ _tag: "StatusObserved", at, ...runtimeErrors(seen, isDown) })
      yield* Effect.sleep(settings.statusPeriod)
    }
  })
