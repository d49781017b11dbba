/**
 * Removes flows of UDP that lead to servers which are gone, beside the programming of the kernel and never before it. Looks
 * are gathered: one dump of the kernel's table serves all Services that changed meanwhile.
 */
import { Clock, Effect, Latch } from "effect"
import { Conntrack, type Flow } from "../../adapters/conntrack/port.ts"
import { maxExamples } from "../../adapters/dataplane/port.ts"
import { ProxyTelemetry } from "../../adapters/http/port.ts"
import { hostPort } from "../../events/ip-address.ts"
import type { IpFamily } from "../../events/service-shape.ts"
import { type FlowTarget, flowTarget, staleFlows } from "../service/rules/stale-flows.ts"
import type { ServiceEntry, Table } from "../service/table.ts"
import type { ProxyCommand } from "./commands.ts"

/** Milliseconds from one look to the next. */
const pause = 1_000

export class StaleFlowLooks {
  private readonly waiting = new Set<ServiceEntry>()
  private readonly latch = Latch.makeUnsafe(false)
  private readonly table: Table

  constructor(table: Table) {
    this.table = table
  }

  /** Servers of the Service came or went. */
  add(entry: ServiceEntry): void {
    if (!entry.rules.some(({ protocol }) => protocol === "UDP")) return
    this.waiting.add(entry)
    this.latch.openUnsafe()
  }

  /** Runs until interrupted. */
  run(
    nodeAddresses: () => ReadonlyArray<string>,
    tell: (command: ProxyCommand) => Effect.Effect<void>
  ): Effect.Effect<never, never, Conntrack | ProxyTelemetry> {
    const look = this.look(nodeAddresses, tell)
    return Effect.forever(Effect.andThen(this.latch.await, Effect.andThen(look, Effect.sleep(pause))))
  }

  private take(): ReadonlyMap<IpFamily, ReadonlyArray<FlowTarget>> {
    this.latch.closeUnsafe()
    const targets = new Map<IpFamily, Array<FlowTarget>>()
    for (const entry of this.waiting) {
      for (const rules of entry.rules) {
        if (rules.protocol !== "UDP") continue
        const own = targets.get(rules.family) ?? []
        targets.set(rules.family, own)
        own.push(flowTarget(rules, this.table.endpointsOf(entry, rules)))
      }
    }
    this.waiting.clear()
    return targets
  }

  private look(nodeAddresses: () => ReadonlyArray<string>, tell: (command: ProxyCommand) => Effect.Effect<void>) {
    return Effect.gen({ self: this }, function* () {
      const conntrack = yield* Conntrack
      const telemetry = yield* ProxyTelemetry
      const started = performance.now()
      const own = new Set(nodeAddresses())
      let removed = 0
      const examples: Array<Flow> = []
      for (const [family, targets] of this.take()) {
        const work = Effect.gen(function* () {
          const stale = staleFlows(yield* conntrack.flows(family, "UDP"), targets, (address) => own.has(address))
          if (stale.length === 0) return
          removed += yield* conntrack.remove(stale)
          examples.push(...stale.slice(0, maxExamples - examples.length))
        })
        yield* Effect.catch(work, ({ message }) =>
          Effect.logWarning(`flows that lead to servers which are gone could not be removed: ${message}`)
        )
      }
      telemetry.flowsReconciled({ milliseconds: performance.now() - started, removed })
      if (removed === 0) return
      const at = yield* Clock.currentTimeMillis
      yield* tell({ _tag: "ReportStaleFlows", at, count: removed, examples: examples.map(flowText) })
    })
  }
}

/** `10.0.0.9:4000 → 10.96.0.10:53 (10.0.0.1:53)` */
const flowText = ({ original, reply }: Flow): string =>
  `${hostPort(original.source, original.sourcePort)} → ${hostPort(original.destination, original.destinationPort)} (${hostPort(reply.source, reply.sourcePort)})`
