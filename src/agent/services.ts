/**
 * What the agent needs to serve Services, tied together: live adapters, the table that the actors fill, and the dataplane of
 * the mode that this machine can do. Part of the agent's wiring.
 */
import { networkInterfaces } from "node:os"
import { Context, Effect, Layer } from "effect"
import type { EndpointState } from "../actors/endpoint/state.ts"
import type { ActorSystemShape } from "../actors/kernel/system.ts"
import { hostIpsOf } from "../actors/pod/network/pod-ips.ts"
import { conntrackWishes } from "../actors/proxy/conntrack-limits.ts"
import { ProxySettings } from "../actors/proxy/settings.ts"
import { ServiceActors } from "../actors/service/observer.ts"
import { PodEndpoints, PodsBehindServices } from "../actors/service/pod-endpoints.ts"
import { type InterfaceAddress, nodePortAddresses } from "../actors/service/rules/node-port-addresses.ts"
import type { ServiceState } from "../actors/service/state.ts"
import { isServed, ServiceTable, Table } from "../actors/service/table.ts"
import { layer as conntrackLayer } from "../adapters/conntrack/live.ts"
import { Dataplane, type DataplaneSettings, type ProxyMode } from "../adapters/dataplane/port.ts"
import { Host } from "../adapters/host/port.ts"
import { layer as telemetryLayer } from "../adapters/http/live.ts"
import { ProxyTelemetry } from "../adapters/http/port.ts"
import { Manifests, type Service } from "../adapters/manifests/port.ts"
import { layer as servicesLayer } from "../adapters/manifests/services/live.ts"
import { layer as sysctlLayer } from "../adapters/sysctl/live.ts"
import type { AgentOptions, ProxyOptions } from "../cli/run/agent-options.ts"
import { version } from "../cli/version.ts"
import { chooseDataplane } from "./dataplanes.ts"

/** What the agent made in the kernel itself is no address of the node. */
const isOwnInterface = (name: string, dataplane: DataplaneSettings): boolean =>
  name === "kube-ipvs0" || name.startsWith(dataplane.name)

const interfaceAddresses = (dataplane: DataplaneSettings): ReadonlyArray<InterfaceAddress> =>
  Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    isOwnInterface(name, dataplane)
      ? []
      : infos.filter(({ address }) => !/^fe80:/iu.test(address)).map(({ address }) => ({ interface: name, address }))
  )

/** Node ports are answered on these, as they are now. `ranges`: CIDRs, or `primary`; none: all. */
const nodeAddresses =
  (ranges: ReadonlyArray<string>, dataplane: DataplaneSettings, primary: ReadonlyArray<string>) =>
  (): ReadonlyArray<string> => {
    if (ranges[0] === "primary") return hostIpsOf(primary)
    const interfaces = interfaceAddresses(dataplane)
    return dataplane.families.flatMap((family) => nodePortAddresses(ranges, interfaces, family).addresses)
  }

/** Patience of health checks: twice the sync period, as kube-proxy has it. */
const patienceOf = (proxy: ProxyOptions): Readonly<Record<ProxyMode, number>> => ({
  nftables: 2 * proxy.modes.nftables.syncPeriod,
  ipvs: 2 * proxy.modes.ipvs.syncPeriod,
  iptables: 2 * proxy.modes.iptables.syncPeriod
})

/** Everything for Services, over what the agent has anyway. `current`: the actors, once they are there. */
export const buildServices = (
  options: AgentOptions,
  proxy: ProxyOptions,
  current: { readonly system: ActorSystemShape | undefined }
) =>
  Effect.gen(function* () {
    const { facts } = yield* Host
    const { dataplane, insteadOf, options: chosen } = yield* chooseDataplane(proxy)
    const { families } = chosen.dataplane
    const vantage = { nodeName: options.nodeName, ...(proxy.zone === undefined ? {} : { zone: proxy.zone }) }
    const table = new Table(vantage, families)
    const podEndpoints = new PodsBehindServices(table, vantage)
    const outside = yield* Layer.build(
      Layer.mergeAll(
        servicesLayer({ directory: proxy.services, fileCheckMillis: options.fileCheckFrequency }),
        conntrackLayer,
        sysctlLayer,
        telemetryLayer({
          mode: proxy.mode,
          families,
          patience: patienceOf(proxy),
          healthzBindAddress: proxy.healthzBindAddress,
          metricsBindAddress: proxy.metricsBindAddress,
          build: { version, runtime: facts.host }
        })
      )
    )
    Context.get(outside, ProxyTelemetry).inMode(dataplane.mode)
    return outside.pipe(
      Context.add(Dataplane, dataplane),
      Context.add(ServiceTable, table),
      Context.add(PodEndpoints, podEndpoints),
      Context.add(ServiceActors, {
        all: () =>
          (current.system?.actors("service") ?? []).map(({ id, state }) => ({ id, state: state as ServiceState }))
      }),
      Context.add(ProxySettings, {
        vantage,
        families,
        insteadOf,
        syncPeriod: chosen.syncPeriod,
        minSyncPeriod: chosen.minSyncPeriod,
        nodePortAddresses: nodeAddresses(chosen.nodePortAddresses, chosen.dataplane, facts.addresses),
        healthChecksOnNodePortAddresses: chosen.nodePortAddresses.length > 0,
        settings: chosen.settings,
        ranges: { clusterIPs: proxy.serviceClusterIpRange, nodePorts: proxy.serviceNodePortRange },
        sysctls: conntrackWishes(proxy.conntrack, facts.cpus)
      })
    )
  })

/** Takes over what the log says, after recovery and before anything runs. */
export const seedServices = (system: ActorSystemShape, services: Context.Context<ServiceTable>): void => {
  const table = Context.get(services, ServiceTable)
  const podEndpoints = Context.get(services, PodEndpoints)
  const endpoints = system.actors("endpoint")
  table.seed(system.actors("service"), endpoints)
  for (const { state } of endpoints) {
    const endpoint = state as EndpointState
    if (endpoint !== null) podEndpoints?.seed(endpoint)
  }
}

/** Services of a namespace as containers are told of them in their environment, with the addresses that this node allotted. */
const servedIn = (table: Table, namespace: string): ReadonlyArray<Service> =>
  [...table.all()].flatMap((entry): ReadonlyArray<Service> => {
    const { spec, name } = entry
    if (spec === undefined || entry.namespace !== namespace || !isServed(entry)) return []
    const [clusterIP = ""] = spec.clusterIPs
    const ports = spec.ports.map(({ name: port, protocol, port: number }) => ({
      ...(port === "" ? {} : { name: port }),
      protocol,
      port: number
    }))
    return [{ namespace, name, type: spec.type, clusterIP, ports, hash: "" }]
  })

/** The objects beside pods, with the Services that are served on this node in place of what their manifests say. */
export const withServices = (manifests: Manifests["Service"], table: Table): Manifests["Service"] => {
  const { configMap, secret, runtimeClass, fingerprint, services } = manifests.objects
  const all = (namespace: string) =>
    Effect.map(services(namespace), (declared) => {
      const served = servedIn(table, namespace)
      const names = new Set(served.map(({ name }) => name))
      return [...served, ...declared.filter(({ name }) => !names.has(name))].toSorted((a, b) =>
        a.name < b.name ? -1 : 1
      )
    })
  return Manifests.of({
    ...manifests,
    objects: { configMap, secret, runtimeClass, fingerprint, services: all }
  })
}
