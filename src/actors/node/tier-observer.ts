/**
 * Keeps the cgroups above the pods as the pods of the moment want them: when pods come and go, and once a minute as kubelet
 * does, when it is also looked whether the cgroups of running pods are still there.
 */
import { Clock, Duration, Effect, Result } from "effect"
import { CgroupError, Cgroups } from "../../adapters/cgroupfs/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { PodCommand } from "../pod/commands.ts"
import { Pods } from "../pod/pods.ts"
import { PodSettings } from "../pod/settings.ts"
import type { NodeCommand } from "./commands.ts"
import { TierHints } from "./tier-hints.ts"
import { activePods, isReservedTier, type Tier, tiersOf } from "./tiers.ts"

export type TierNeeds = Cgroups | PodSettings | Pods | TierHints

/** kubelet's period (periodicQOSCgroupUpdateInterval). */
const period = Duration.minutes(1)
/** Pods that come together are counted together. */
const gathering = Duration.millis(500)

type TierApplied = Extract<NodeCommand, { readonly _tag: "TierApplied" }>
type Emit = (outgoing: Outgoing) => Effect.Effect<void>

/** What a tier's application came to, as a command. */
const outcomeOf = (tier: Tier, again: boolean, at: number, result: Result.Result<boolean, CgroupError>): TierApplied =>
  Result.isSuccess(result)
    ? { _tag: "TierApplied", at, path: tier.path, outcome: "applied", made: result.success, again }
    : { _tag: "TierApplied", at, path: tier.path, outcome: "failed", message: result.failure.message }

/** A cgroup of the system is none of ours to make (`node_container_manager_linux.go` enforceExistingCgroup); kubelet's words. */
const limitExisting = (cgroups: Cgroups["Service"], { tier, path, values }: Tier): Effect.Effect<false, CgroupError> =>
  Effect.gen(function* () {
    const name = tier === "system-reserved" ? "System" : "Kube"
    const failed = (reason: CgroupError["reason"], why: string) => {
      const message = `Failed to enforce ${name} Reserved Cgroup Limits on ${JSON.stringify(path)}: ${why}`
      return new CgroupError({ reason, operation: "update", path, message })
    }
    if (!(yield* cgroups.exists(path)))
      return yield* failed("NotFound", `cgroup ${JSON.stringify(path)} has some missing paths`)
    yield* Effect.mapError(cgroups.update(path, values), ({ reason, message }) => failed(reason, message))
    return false as const
  })

/** Sets it in the kernel, making it where it is not. `again`: it was set in this life of the agent. */
export const applyTier = (tier: Tier, again: boolean): Effect.Effect<TierApplied, never, Cgroups> =>
  Effect.gen(function* () {
    const cgroups = yield* Cgroups
    const result = yield* Effect.result(
      isReservedTier(tier.tier) ? limitExisting(cgroups, tier) : cgroups.ensure(tier.path, tier.values)
    )
    return outcomeOf(tier, again, yield* Clock.currentTimeMillis, result)
  })

const wantedTiers: Effect.Effect<{ readonly tiers: ReadonlyArray<Tier>; readonly pods: number }, never, TierNeeds> =
  Effect.gen(function* () {
    const pods = yield* Pods
    const { facts, podsAllocatable, reservedTiers = [] } = yield* PodSettings
    const active = activePods(pods.all().map(({ state }) => state))
    return { tiers: [...tiersOf(active, facts, podsAllocatable ?? {}), ...reservedTiers], pods: active.length }
  })

/** Tells pods whose cgroup somebody removed. */
const lookForLost = (emit: Emit): Effect.Effect<void, never, TierNeeds> =>
  Effect.gen(function* () {
    const cgroups = yield* Cgroups
    const pods = yield* Pods
    for (const { id, state } of pods.all()) {
      const { cgroup, sandbox, termination } = state
      if (cgroup === undefined || sandbox?.status !== "ready" || termination !== null) continue
      const isThere = yield* Effect.result(cgroups.exists(cgroup.path))
      if (Result.isFailure(isThere) || isThere.success) continue
      const at = yield* Clock.currentTimeMillis
      const command: PodCommand = { _tag: "ReportCgroup", at, path: cgroup.path, outcome: "missing" }
      yield* emit({ to: id, command })
    }
  })

/** Runs until interrupted. */
export const observeTiers = (id: ActorId, emit: Emit): Effect.Effect<void, never, TierNeeds> =>
  Effect.gen(function* () {
    const { facts } = yield* PodSettings
    if (facts.cgroupsPerQos === false) return yield* Effect.never
    const hints = yield* TierHints
    let told = ""
    const lastOutcome = new Map<string, string>()
    for (;;) {
      const { tiers, pods } = yield* wantedTiers
      const at = yield* Clock.currentTimeMillis
      const text = JSON.stringify(tiers)
      // What is new is decided first, and applied by the actor.
      if (text !== told) yield* emit({ to: id, command: { _tag: "TiersCounted", at, tiers, pods } as NodeCommand })
      told = text
      const hinted = yield* Effect.timeoutOption(hints.rung, period)
      if (hinted._tag === "Some") {
        yield* Effect.sleep(gathering)
        continue
      }
      for (const tier of tiers) {
        const command = yield* applyTier(tier, true)
        const { outcome } = command
        const isNews = outcome === "failed" || command.made === true
        // The first outcome may end a failure of an earlier life.
        if (isNews || lastOutcome.get(tier.path) !== outcome) yield* emit({ to: id, command })
        lastOutcome.set(tier.path, outcome)
      }
      yield* lookForLost(emit)
    }
  })
