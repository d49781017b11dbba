/** What eviction needs of the agent's configuration and of its node, tied together. Part of the agent's wiring. */
import { Effect, Layer } from "effect"
import { evictionActor } from "../actors/eviction/identity.ts"
import { EvictionLooks } from "../actors/eviction/looks.ts"
import { EvictionOptions } from "../actors/eviction/options.ts"
import { NodePressure, pressureOf } from "../actors/eviction/pressure.ts"
import type { EvictionState } from "../actors/eviction/state.ts"
import type { ActorSystemShape } from "../actors/kernel/system.ts"
import { podsCgroup } from "../actors/pod/node-facts.ts"
import { cgroupPath } from "../actors/pod/resources/cgroup.ts"
import { PodSettings } from "../actors/pod/settings.ts"
import { runtimeActor } from "../actors/runtime/identity.ts"
import { layer as nodeReclaimLayer } from "../actors/runtime/node-reclaim.ts"
import { evictionSettingsOf } from "../cli/kubelet-configuration/eviction.ts"
import type { AgentOptions } from "../cli/run/agent-options.ts"

/** Beside the figures of the node. */
export const evictionLayer = (options: AgentOptions, current: { readonly system: ActorSystemShape | undefined }) =>
  Layer.mergeAll(
    EvictionLooks.layer,
    nodeReclaimLayer((command) => current.system?.tell(runtimeActor, command) ?? Effect.void),
    Layer.effect(
      EvictionOptions,
      Effect.map(PodSettings, ({ facts }) =>
        EvictionOptions.of({
          settings: () => evictionSettingsOf(options.kubelet),
          ...(facts.cgroupsPerQos === false ? {} : { podsCgroup: cgroupPath(podsCgroup(facts), facts.cgroupDriver) })
        })
      )
    )
  )

/** The conditions of the node, as eviction has found them. */
export const pressureLayer = (current: { readonly system: ActorSystemShape | undefined }) =>
  Layer.succeed(NodePressure, {
    now: () => pressureOf(current.system?.state(evictionActor) as EvictionState | undefined)
  })
