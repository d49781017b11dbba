/** The live dataplane of each mode, loaded when it is asked for: by the agent, by `doctor`, by `proxy cleanup`. Wiring. */
import { Context, Effect, Layer, type Scope } from "effect"
import { Dataplane, type DataplaneSettings, type Missing, type ProxyMode } from "../adapters/dataplane/port.ts"
import { layer as sysctlLayer } from "../adapters/sysctl/live.ts"
import type { Sysctls } from "../adapters/sysctl/port.ts"
import type { ProxyModeOptions, ProxyOptions } from "../cli/run/agent-options.ts"

type DataplaneLayer = (settings: DataplaneSettings) => Layer.Layer<Dataplane, never, Sysctls>

const layers: Readonly<Record<ProxyMode, () => Promise<DataplaneLayer>>> = {
  nftables: async () => (await import("../adapters/dataplane/nftables/live.ts")).layer,
  ipvs: async () => (await import("../adapters/dataplane/ipvs/live.ts")).layer,
  iptables: async () => (await import("../adapters/dataplane/iptables/live.ts")).layer
}

export const openDataplane = (
  mode: ProxyMode,
  settings: DataplaneSettings
): Effect.Effect<Dataplane["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const layer = (yield* Effect.promise(layers[mode]))(settings)
    return Context.get(yield* Layer.build(Layer.provide(layer, sysctlLayer)), Dataplane)
  })

export interface ChosenDataplane {
  readonly dataplane: Dataplane["Service"]
  readonly options: ProxyModeOptions
  /** The mode that was asked for and what it lacks, where it cannot be had and another was allowed. */
  readonly insteadOf: { readonly mode: ProxyMode; readonly lacking: ReadonlyArray<Missing> } | undefined
}

/** The mode that is asked for; the one that is allowed instead, if this machine lacks something for the first and not for it. */
export const chooseDataplane = ({
  mode,
  fallback,
  modes
}: ProxyOptions): Effect.Effect<ChosenDataplane, never, Scope.Scope> =>
  Effect.gen(function* () {
    const missingFor = (which: ProxyMode) =>
      Effect.scoped(Effect.flatMap(openDataplane(which, modes[which].dataplane), ({ missing }) => missing))
    const lacking = fallback === undefined ? [] : yield* missingFor(mode)
    const isFallback = fallback !== undefined && lacking.length > 0 && (yield* missingFor(fallback)).length === 0
    const chosen = isFallback ? fallback : mode
    return {
      dataplane: yield* openDataplane(chosen, modes[chosen].dataplane),
      options: modes[chosen],
      insteadOf: isFallback ? { mode, lacking } : undefined
    }
  })
