/** One look at the node's resources: statistics in, what the decision goes by out. */
import { Clock, Duration, Effect, Option } from "effect"
import { Pods } from "../pod/pods.ts"
import { type Snapshot, Statistics } from "../statistics/statistics.ts"
import { candidatesOf } from "./candidates.ts"
import type { ResourcesObserved } from "./commands.ts"
import type { FsLayout } from "./rules/container-fs.ts"
import { observationsOf } from "./rules/observations.ts"

/** A pass of statistics that takes longer is given up; the next look tries again. */
const passTimeout = Duration.seconds(30)

/** As the age of figures: those of before do not count. */
const alwaysAnew = -1

/** What is not known is one file system. */
export const layoutOf = ({ nodefs, imagefs, containerfs }: Snapshot["devices"]): FsLayout => ({
  dedicatedImageFs: nodefs !== undefined && imagefs !== undefined && nodefs !== imagefs,
  separateContainerFs: containerfs !== undefined && imagefs !== undefined && containerfs !== imagefs
})

export type Seen = Omit<ResourcesObserved, "_tag" | "by" | "previousAt"> & { readonly summary: Snapshot["summary"] }

/** Sizes are up to a minute old: before a pod goes for want of disk it is looked at who has taken it by now. */
export const lookAnew: Effect.Effect<Seen | undefined, never, Pods | Statistics> = Effect.flatMap(
  Statistics,
  ({ renewSizes }) =>
    Effect.andThen(
      renewSizes,
      Effect.suspend(() => look(alwaysAnew))
    )
)

/** Figures no older than `maxAge` (ms); `undefined`: they could not be had in time. */
export const look = (maxAge: number): Effect.Effect<Seen | undefined, never, Pods | Statistics> =>
  Effect.gen(function* () {
    const statistics = yield* Statistics
    const pods = yield* Pods
    const snapshot = yield* Effect.timeoutOption(statistics.brief(maxAge), passTimeout)
    if (Option.isNone(snapshot)) {
      yield* Effect.logWarning("eviction: the node's figures could not be had in time")
      return undefined
    }
    const { summary, devices } = snapshot.value
    const layout = layoutOf(devices)
    return {
      at: yield* Clock.currentTimeMillis,
      layout,
      observations: observationsOf(summary) as Seen["observations"],
      ...candidatesOf(
        pods.all().map(({ state }) => state),
        summary,
        layout
      ),
      summary
    }
  })
