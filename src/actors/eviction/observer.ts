/**
 * Looks at the node's resources: every 10 s, when the kernel says that memory comes to be short, and when an evicted pod is gone.
 * Each look is told to the actor of eviction, which decides.
 */
import { Clock, Duration, Effect, Queue } from "effect"
import type { CgroupStatistics, MemoryNotice } from "../../adapters/cgroupfs/port.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { canonical } from "../kernel/json.ts"
import type { Pods } from "../pod/pods.ts"
import type { Statistics } from "../statistics/statistics.ts"
import type { EvictionCommand } from "./commands.ts"
import { configOf } from "./decider.ts"
import { evictionActor } from "./identity.ts"
import { EvictionLooks } from "./looks.ts"
import { makeNotices } from "./notices.ts"
import { EvictionOptions } from "./options.ts"
import { thresholdsMet } from "./rules/met.ts"
import { conditionOf } from "./rules/signals.ts"
import { look, lookAnew, type Seen } from "./sight.ts"
import type { EvictionSettings } from "./state.ts"

/** kubelet's evictionMonitoringPeriod. */
export const lookPeriod = Duration.seconds(10)
/** Milliseconds between looks for notices of the kernel: it may tell without end. */
export const noticePeriod = 1000
/** The first looks come sooner until there are figures for all thresholds: at the start the pods' cgroup is just being limited. */
const firstLookPeriod = Duration.seconds(1)
const maxFirstLooks = 10
/** Milliseconds: figures that the tick may share with others. */
const tickAge = 1000

const isShortOfDisk = (settings: EvictionSettings, { layout, observations }: Seen): boolean =>
  thresholdsMet(configOf(settings, layout).thresholds, observations, false).some(
    ({ signal }) => conditionOf(signal) === "DiskPressure"
  )

export type LookNeeds = CgroupStatistics | EvictionLooks | EvictionOptions | Pods | Statistics
type By = "tick" | MemoryNotice["by"]

/** Runs until interrupted. */
export const observeResources = (
  emit: (outgoing: Outgoing) => Effect.Effect<void>
): Effect.Effect<void, never, LookNeeds> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { settings, podsCgroup } = yield* EvictionOptions
      const looks = yield* EvictionLooks
      const noticed = yield* Queue.sliding<MemoryNotice["by"]>(1)
      const notices = yield* makeNotices(podsCgroup, ({ by }) => Queue.offer(noticed, by))
      const tell = (command: EvictionCommand) => emit({ to: evictionActor, command })
      let configured = ""
      let previousAt: number | undefined
      let noticedAt = Number.NEGATIVE_INFINITY
      let firstLooks = maxFirstLooks

      const next: Effect.Effect<{ readonly by: By; readonly age: number }> = Effect.raceFirst(
        Effect.as(
          Effect.suspend(() => Effect.sleep(firstLooks > 0 ? firstLookPeriod : lookPeriod)),
          { by: "tick", age: tickAge } as const
        ),
        Effect.raceFirst(
          Effect.as(looks.rung, { by: "tick", age: 0 } as const),
          Effect.gen(function* () {
            const by = yield* Queue.take(noticed)
            const wait = noticedAt + noticePeriod - (yield* Clock.currentTimeMillis)
            if (wait > 0) yield* Effect.sleep(wait)
            noticedAt = yield* Clock.currentTimeMillis
            return { by, age: 0 }
          })
        )
      )

      let due: { readonly by: By; readonly age: number } = { by: "tick", age: tickAge }
      while (true) {
        const now = settings()
        const text = canonical(now)
        if (text !== configured) {
          yield* tell({ _tag: "ConfigureEviction", at: yield* Clock.currentTimeMillis, ...now })
          configured = text
        }
        const first = yield* look(due.age)
        const seen = first !== undefined && isShortOfDisk(now, first) ? ((yield* lookAnew) ?? first) : first
        if (seen !== undefined) {
          const { summary, ...sight } = seen
          const before = previousAt === undefined ? {} : { previousAt }
          yield* tell({ _tag: "ResourcesObserved", by: due.by, ...before, ...sight })
          previousAt = sight.at
          const isWhole = yield* notices.follow(configOf(now, sight.layout).thresholds, summary)
          firstLooks = isWhole ? 0 : firstLooks - 1
        }
        due = yield* next
      }
    })
  )
