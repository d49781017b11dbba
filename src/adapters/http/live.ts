/** Metrics, health and health checks of the proxy over HTTP. */
import { Clock, Effect, Layer, SubscriptionRef } from "effect"
import { hostPort } from "../../events/ip-address.ts"
import type { IpFamily } from "../../events/service-shape.ts"
import type { ProxyMode } from "../dataplane/port.ts"
import { contentType } from "../metrics/registry.ts"
import { makeProxyHealth } from "./health.ts"
import { makeListeners, type WantedListener } from "./listeners.ts"
import { type HealthPort, maxHealthPorts, ProxyTelemetry } from "./port.ts"
import { makeProxyMetrics } from "./proxy-metrics.ts"
import type { Answer, Answerer } from "./server.ts"

export interface TelemetryOptions {
  /** The one that is asked for. */
  readonly mode: ProxyMode
  readonly families: ReadonlyArray<IpFamily>
  /** Milliseconds that a change may wait for the kernel until the proxy is unhealthy: twice the sync period. */
  readonly patience: Readonly<Record<ProxyMode, number>>
  /** `0.0.0.0:10256`; undefined: not served. */
  readonly healthzBindAddress: string | undefined
  readonly metricsBindAddress: string | undefined
  /** Labels of the metric that tells of the program: `version`, `runtime`. */
  readonly build: Readonly<Record<string, string>>
  /** After which an address that cannot be had is tried again; absent: 5 seconds. */
  readonly retryMillis?: number
}

const json = { "content-type": "application/json" }
const text = { "content-type": "text/plain; charset=utf-8" }

const tooMany = {
  message: `this node answers at most ${maxHealthPorts} health checks`,
  remedy: "let fewer Services have externalTrafficPolicy Local"
}

/** `0.0.0.0:10256`, `[::]:10256`: checked before. */
const split = (address: string): { readonly host: string; readonly port: number } => {
  const at = address.lastIndexOf(":")
  return { host: address.slice(0, at).replace(/^\[|\]$/gu, ""), port: Number(address.slice(at + 1)) }
}

const keyOf = ({ namespace, name, port }: HealthPort): string => `${namespace}/${name}:${port}`

export const make = (options: TelemetryOptions) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const { families } = options
    let mode = options.mode
    const health = makeProxyHealth(families, () => options.patience[mode], now)
    const metrics = makeProxyMetrics(families, options.build)
    const listeners = yield* makeListeners(options.retryMillis)
    let checks: ReadonlyMap<string, HealthPort> = new Map()

    const report = (counter: typeof metrics.healthz, extra?: { readonly nodeEligible: boolean }): Answer => {
      const { isHealthy, body } = health.report(extra)
      const status = isHealthy ? 200 : 503
      counter.add(1, { code: String(status) })
      return { status, headers: json, body }
    }
    const proxyMode = (): Answer => ({ status: 200, headers: text, body: mode })
    const answerHealth: Answerer = (path) => {
      if (path === "/healthz") return report(metrics.healthz, { nodeEligible: true })
      if (path === "/livez") return report(metrics.livez)
      return path === "/proxyMode" ? proxyMode() : undefined
    }
    const answerMetrics: Answerer = (path) => {
      if (path === "/metrics")
        return { status: 200, headers: { "content-type": contentType }, body: metrics.text(mode) }
      // As kube-proxy's: that this server answers; the proxy's own health is the other server's.
      if (path === "/healthz") return { status: 200, headers: text, body: "ok" }
      return path === "/proxyMode" ? proxyMode() : undefined
    }
    /** `pkg/proxy/healthcheck/service_health.go` */
    const answerCheck =
      (key: string): Answerer =>
      () => {
        const check = checks.get(key)
        const serviceProxyHealthy = health.isHealthy()
        const localEndpoints = check?.localEndpoints ?? 0
        const { namespace, name } = check ?? { namespace: "", name: "" }
        return {
          status: localEndpoints > 0 && serviceProxyHealthy ? 200 : 503,
          headers: { ...json, "x-load-balancing-endpoint-weight": String(localEndpoints) },
          body: JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }, null, "\t")
        }
      }

    const own = new Map<string, WantedListener>()
    const ownListener = (server: "healthz" | "metrics", address: string | undefined, answer: Answerer): void => {
      if (address === undefined) return
      const remedy = `set ${server}BindAddress or --${server}-bind-address to another one`
      own.set(server, { server, options: { ...split(address), address, remedy, answer }, refused: undefined })
    }
    ownListener("healthz", options.healthzBindAddress, answerHealth)
    ownListener("metrics", options.metricsBindAddress, answerMetrics)
    yield* listeners.want(own)

    const checkListeners = (
      ports: ReadonlyArray<HealthPort>,
      addresses: ReadonlyArray<string> | undefined
    ): ReadonlyMap<string, WantedListener> => {
      const wanted = new Map(own)
      for (const [i, check] of ports.entries()) {
        const service = `${check.namespace}/${check.name}`
        for (const host of addresses ?? ["0.0.0.0"]) {
          const address = hostPort(host, check.port)
          const remedy = `give ${service} another spec.healthCheckNodePort`
          const answer = answerCheck(keyOf(check))
          const listen = { host, port: check.port, address, remedy, answer }
          const refused = i < maxHealthPorts ? undefined : tooMany
          const key = `${keyOf(check)}@${host}${refused === undefined ? "" : " refused"}`
          wanted.set(key, { server: "health-check", service, options: listen, refused })
        }
      }
      return wanted
    }

    const seconds = (milliseconds: number): number => milliseconds / 1000
    const observe = (histogram: typeof metrics.syncDuration, milliseconds: number): void => {
      for (const family of metrics.families) histogram.observe(seconds(milliseconds), family)
    }

    return ProxyTelemetry.of({
      inMode: (to) => {
        mode = to
      },
      queued: ({ services, endpoints }) => {
        health.queued()
        for (const family of metrics.families) {
          metrics.lastQueued.set(seconds(now()), family)
          metrics.servicesTotal.add(services, family)
          metrics.endpointsTotal.add(endpoints, family)
        }
      },
      pending: ({ services, endpoints }) => {
        health.waiting(services + endpoints)
        for (const family of metrics.families) {
          metrics.servicesPending.set(services, family)
          metrics.endpointsPending.set(endpoints, family)
        }
      },
      synced: ({ full, milliseconds }) => {
        health.synced()
        observe(metrics.syncDuration, milliseconds)
        observe(full ? metrics.fullSyncDuration : metrics.partialSyncDuration, milliseconds)
        for (const family of metrics.families) metrics.lastSync.set(seconds(now()), family)
      },
      syncFailed: ({ full }) => {
        const failures = [
          mode === "iptables" ? metrics.iptablesRestoreFailures : metrics.nftablesSyncFailures,
          ...(mode === "iptables" && !full ? [metrics.iptablesPartialFailures] : [])
        ]
        for (const counter of failures) for (const family of metrics.families) counter.add(1, family)
      },
      programmed: (milliseconds) => observe(metrics.programming, milliseconds),
      withoutLocalServers: ({ internal, external }) => {
        for (const family of metrics.families) {
          metrics.noLocalEndpoints.set(internal, { ...family, traffic_policy: "internal" })
          metrics.noLocalEndpoints.set(external, { ...family, traffic_policy: "external" })
        }
      },
      flowsReconciled: ({ milliseconds, removed }) => {
        observe(metrics.conntrackDuration, milliseconds)
        for (const family of metrics.families) metrics.conntrackDeleted.add(removed, family)
      },
      rules: (counts) => {
        for (const { family, table, total, last } of counts) {
          metrics.iptablesTotal.set(total, { ip_family: family, table })
          metrics.iptablesLast.set(last, { ip_family: family, table })
        }
      },
      healthy: health.isHealthy,
      healthPorts: (ports, addresses) =>
        Effect.suspend(() => {
          checks = new Map(ports.map((check) => [keyOf(check), check]))
          return listeners.want(checkListeners(ports, addresses))
        }),
      listeners: SubscriptionRef.changes(listeners.states)
    })
  })

export const layer = (options: TelemetryOptions): Layer.Layer<ProxyTelemetry> =>
  Layer.effect(ProxyTelemetry, make(options))
