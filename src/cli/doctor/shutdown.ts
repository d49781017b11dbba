/** The check whether a shutdown of the machine waits for pods, where the configuration wants it to. */
import { Effect } from "effect"
import { graceByPriority, totalGrace } from "../../actors/node/shutdown-groups.ts"
import { readConfiguration } from "../configuration/configuration.ts"
import { withDefaults } from "../kubelet-configuration/defaults.ts"
import type { Neighbours } from "../neighbours.ts"
import { type Check, ok, warn } from "./check.ts"

const name = "shutdown"

/** Seconds; 0: none is wanted, or the file is another check's concern. */
const wantedGrace = (file: string): number => {
  try {
    const told = withDefaults(readConfiguration(file).kubelet)
    const byPriority = told.shutdownGracePeriodByPodPriority
    return totalGrace(
      byPriority.length > 0
        ? byPriority
        : graceByPriority(told.shutdownGracePeriod / 1000, told.shutdownGracePeriodCriticalPods / 1000)
    )
  } catch {
    return 0
  }
}

export const checkShutdown = (
  neighbours: Pick<Neighbours, "probeLogind">,
  file: string | undefined
): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.gen(function* () {
    const grace = file === undefined ? 0 : wantedGrace(file)
    if (grace === 0) return []
    const probe = yield* Effect.promise(neighbours.probeLogind)
    const limit = yield* Effect.result(Effect.scoped(probe))
    if (limit._tag === "Failure") {
      const found = `pods have ${grace} s at shutdown, and logind cannot be asked to wait: ${limit.failure.message}`
      return [warn(name, found, "start systemd-logind and D-Bus, or leave shutdownGracePeriod out")]
    }
    const seconds = limit.success / 1000
    if (seconds >= grace) return [ok(name, `logind waits up to ${seconds} s at shutdown; pods may take ${grace} s`)]
    return [
      warn(
        name,
        `logind waits ${seconds} s at shutdown, less than the ${grace} s that pods may take`,
        `set InhibitDelayMaxSec=${Math.ceil(grace)} under [Login] in /etc/systemd/logind.conf.d/99-chronode.conf`
      )
    ]
  })
