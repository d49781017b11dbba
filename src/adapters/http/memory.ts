/** The proxy's telemetry without servers, for tests and what-if: what was told last, and how often. */
import { Clock, Effect, Stream, SubscriptionRef } from "effect"
import { makeProxyHealth } from "./health.ts"
import { type Changes, type HealthPort, type ListenerState, ProxyTelemetry } from "./port.ts"

/** Twice the usual sync period, milliseconds. */
const patience = 60_000

export interface MemoryTelemetry {
  readonly service: ProxyTelemetry["Service"]
  readonly counts: {
    queued: Changes
    pending: Changes
    fullSyncs: number
    partialSyncs: number
    failures: number
    programmed: number
    removedFlows: number
    withoutLocal: { readonly internal: number; readonly external: number }
  }
  readonly healthPorts: () => ReadonlyArray<HealthPort>
}

export const make: Effect.Effect<MemoryTelemetry> = Effect.gen(function* () {
  const listeners = yield* SubscriptionRef.make<ReadonlyArray<ListenerState>>([])
  const clock = yield* Clock.Clock
  const health = makeProxyHealth(
    ["IPv4", "IPv6"],
    () => patience,
    () => clock.currentTimeMillisUnsafe()
  )
  let ports: ReadonlyArray<HealthPort> = []
  const none: Changes = { services: 0, endpoints: 0 }
  const counts: MemoryTelemetry["counts"] = {
    queued: none,
    pending: none,
    fullSyncs: 0,
    partialSyncs: 0,
    failures: 0,
    programmed: 0,
    removedFlows: 0,
    withoutLocal: { internal: 0, external: 0 }
  }
  const service = ProxyTelemetry.of({
    inMode: () => undefined,
    queued: ({ services, endpoints }) => {
      health.queued()
      counts.queued = { services: counts.queued.services + services, endpoints: counts.queued.endpoints + endpoints }
    },
    pending: (changes) => {
      health.waiting(changes.services + changes.endpoints)
      counts.pending = changes
    },
    synced: ({ full }) => {
      health.synced()
      if (full) counts.fullSyncs += 1
      else counts.partialSyncs += 1
    },
    syncFailed: () => {
      counts.failures += 1
    },
    programmed: () => {
      counts.programmed += 1
    },
    withoutLocalServers: (without) => {
      counts.withoutLocal = without
    },
    flowsReconciled: ({ removed }) => {
      counts.removedFlows += removed
    },
    rules: () => undefined,
    healthy: health.isHealthy,
    healthPorts: (all) =>
      Effect.suspend(() => {
        ports = all
        return SubscriptionRef.set(
          listeners,
          all.map(({ namespace, name, port }) => ({
            server: "health-check",
            address: `0.0.0.0:${port}`,
            service: `${namespace}/${name}`
          }))
        )
      }),
    listeners: Stream.concat(SubscriptionRef.changes(listeners), Stream.never)
  })
  return { service, counts, healthPorts: () => ports }
})
