/** Waits until the kernel can do what the mode needs, sets its parameters, and says that Services are served from now on. */
import { Clock, Effect } from "effect"
import { Dataplane } from "../../adapters/dataplane/port.ts"
import { ProxyTelemetry } from "../../adapters/http/port.ts"
import { Sysctls } from "../../adapters/sysctl/port.ts"
import { timestamp } from "../../events/definition.ts"
import type { ProxyCommand } from "./commands.ts"
import { ProxySettings } from "./settings.ts"

type Tell = (command: ProxyCommand) => Effect.Effect<void>

/** Milliseconds from one look for what is missing to the next. */
const retryPause = 10_000

type Needs = Dataplane | ProxySettings | ProxyTelemetry | Sysctls

export const awaitDataplane = (tell: Tell): Effect.Effect<void, never, Needs> =>
  Effect.gen(function* () {
    const dataplane = yield* Dataplane
    const telemetry = yield* ProxyTelemetry
    const { mode } = dataplane
    for (let attempt = 1; ; attempt++) {
      const missing = yield* dataplane.missing
      if (missing.length === 0) break
      // All Services wait: before long the proxy is unhealthy.
      telemetry.queued({ services: 0, endpoints: 0 })
      const at = yield* Clock.currentTimeMillis
      yield* tell({ _tag: "ReportUnavailable", at, mode, missing, attempt, retryAt: timestamp(at + retryPause) })
      yield* Effect.sleep(retryPause)
    }
    const { families, insteadOf, nodePortAddresses, settings, sysctls } = yield* ProxySettings
    const at = yield* Clock.currentTimeMillis
    yield* tell({
      _tag: "ReportStarted",
      at,
      mode,
      ...(insteadOf === undefined ? {} : { insteadOf: insteadOf.mode, lacking: insteadOf.lacking }),
      families,
      nodePortAddresses: nodePortAddresses(),
      settings
    })
    const { ensure } = yield* Sysctls
    for (const set of [...(yield* dataplane.prepare), ...(yield* ensure(sysctls))])
      yield* tell({ _tag: "ReportSysctl", at: yield* Clock.currentTimeMillis, ...set })
  })
