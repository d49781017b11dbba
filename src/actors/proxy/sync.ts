/** Watches over the kernel's part of Services: the loop that puts them there, flows to servers that are gone, and what others disturb. */
import { Clock, Effect, Stream } from "effect"
import type { Conntrack } from "../../adapters/conntrack/port.ts"
import { Dataplane } from "../../adapters/dataplane/port.ts"
import { type ListenerState, ProxyTelemetry } from "../../adapters/http/port.ts"
import type { Sysctls } from "../../adapters/sysctl/port.ts"
import { ServiceTable } from "../service/table.ts"
import { awaitDataplane } from "./availability.ts"
import type { ProxyCommand } from "./commands.ts"
import { StaleFlowLooks } from "./flows.ts"
import { proxyActor } from "./identity.ts"
import { ProxySettings } from "./settings.ts"
import { type Emit, SyncLoop } from "./sync-loop.ts"

export type SyncNeeds = Conntrack | Dataplane | ProxySettings | ProxyTelemetry | ServiceTable | Sysctls

/** Runs until interrupted. */
export const observeDataplane = (emit: Emit): Effect.Effect<void, never, SyncNeeds> =>
  Effect.gen(function* () {
    const dataplane = yield* Dataplane
    const table = yield* ServiceTable
    const settings = yield* ProxySettings
    const telemetry = yield* ProxyTelemetry
    const tell = (command: ProxyCommand) => emit({ to: proxyActor, command })
    const flows = new StaleFlowLooks(table)
    const loop = new SyncLoop({ dataplane, table, settings, telemetry, flows, emit })
    const tellListeners = (listeners: ReadonlyArray<ListenerState>) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => tell({ _tag: "ReportListeners", at, listeners }))
    // One that dies ends the others with it, and all begin anew.
    yield* Effect.all(
      [
        awaitDataplane(tell).pipe(
          Effect.andThen(table.ready.await),
          Effect.andThen(
            Effect.all(
              [
                Effect.forever(loop.step),
                Stream.runForEach(dataplane.disturbances, () => loop.disturbed),
                flows.run(settings.nodePortAddresses, tell)
              ],
              { concurrency: "unbounded", discard: true }
            )
          )
        ),
        Stream.runForEach(telemetry.listeners, tellListeners)
      ],
      { concurrency: "unbounded", discard: true }
    )
  })
