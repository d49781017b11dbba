/** The part of a simulated node that serves Services: a directory, a kernel and its connections in memory. */
import { Context, Effect, Layer } from "effect"
import type { EndpointState } from "../../src/actors/endpoint/state.ts"
import type { ActorSystemShape } from "../../src/actors/kernel/system.ts"
import { ProxySettings, type ProxySettingsShape } from "../../src/actors/proxy/settings.ts"
import { defaultClusterIpRange, defaultNodePorts } from "../../src/actors/service/allotment.ts"
import { ServiceActors } from "../../src/actors/service/observer.ts"
import { PodEndpoints, PodsBehindServices } from "../../src/actors/service/pod-endpoints.ts"
import type { ServiceState } from "../../src/actors/service/state.ts"
import { ServiceTable, Table } from "../../src/actors/service/table.ts"
import { makeMemoryConntrack } from "../../src/adapters/conntrack/memory.ts"
import { Conntrack } from "../../src/adapters/conntrack/port.ts"
import { DataplaneControl, layer as dataplaneLayer } from "../../src/adapters/dataplane/memory.ts"
import { make as makeTelemetry } from "../../src/adapters/http/memory.ts"
import { ProxyTelemetry } from "../../src/adapters/http/port.ts"
import { ServiceManifestsControl, layer as servicesLayer } from "../../src/adapters/manifests/services/memory.ts"
import { make as makeSysctls } from "../../src/adapters/sysctl/memory.ts"
import { Sysctls } from "../../src/adapters/sysctl/port.ts"

/** What outlives an agent: the directory and the kernel. */
export const makeServicesWorld = (files: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const outside = yield* Layer.build(Layer.mergeAll(servicesLayer(files), dataplaneLayer))
    const conntrack = makeMemoryConntrack()
    const sysctls = makeSysctls()
    return {
      outside: outside.pipe(Context.add(Conntrack, conntrack.service), Context.add(Sysctls, sysctls.service)),
      manifests: Context.get(outside, ServiceManifestsControl),
      kernel: Context.get(outside, DataplaneControl),
      conntrack
    }
  })
export type ServicesWorld = Effect.Success<ReturnType<typeof makeServicesWorld>>

/** One life of the agent: what it keeps in memory. */
export const makeServicesLife = (
  world: ServicesWorld,
  nodeName: string,
  current: { readonly system: ActorSystemShape | undefined },
  settings: Partial<ProxySettingsShape> = {}
) =>
  Effect.gen(function* () {
    const vantage = { nodeName }
    const table = new Table(vantage, ["IPv4", "IPv6"])
    const podEndpoints = new PodsBehindServices(table, vantage)
    const telemetry = yield* makeTelemetry
    const context = world.outside.pipe(
      Context.add(ServiceTable, table),
      Context.add(PodEndpoints, podEndpoints),
      Context.add(ProxyTelemetry, telemetry.service),
      Context.add(ServiceActors, {
        all: () =>
          (current.system?.actors("service") ?? []).map(({ id, state }) => ({ id, state: state as ServiceState }))
      }),
      Context.add(ProxySettings, {
        vantage,
        families: ["IPv4", "IPv6"],
        insteadOf: undefined,
        syncPeriod: 30_000,
        minSyncPeriod: 0,
        nodePortAddresses: () => ["192.0.2.1"],
        healthChecksOnNodePortAddresses: false,
        settings: {},
        ranges: { clusterIPs: [defaultClusterIpRange], nodePorts: defaultNodePorts },
        sysctls: [],
        ...settings
      })
    )
    const seed = (system: ActorSystemShape): void => {
      const endpoints = system.actors("endpoint")
      table.seed(system.actors("service"), endpoints)
      for (const { state } of endpoints) podEndpoints.seed((state as EndpointState)!)
    }
    return { context, table, telemetry, seed }
  })
