/**
 * What the node's HTTP API answers, tied together: one line for each subject. Part of the agent's wiring: routes may know all
 * that is live.
 */
import { hostname } from "node:os"
import { join } from "node:path"
import { Clock, Context, Effect, type Scope } from "effect"
import { apiServer } from "./actors/api/identity.ts"
import { ApiSessions } from "./actors/api/sessions.ts"
import { serveApi } from "./adapters/api/live.ts"
import type { ApiSettings, ListenerAddress, NodeApi, Route, StreamingRoute } from "./adapters/api/port.ts"
import { Host } from "./adapters/host/port.ts"
import { makeRequestMeter } from "./adapters/metrics/metered-api.ts"
import { passThrough } from "./adapters/streaming/pass-through.ts"
import { upgradeProblem } from "./adapters/streaming/upgrade-request.ts"
import { MetricsTold } from "./agent-metrics.ts"
import { containerLogRoutes } from "./api-routes/container-logs.ts"
import { ownHealthRoutes } from "./api-routes/health.ts"
import { metricsRoutes } from "./api-routes/metrics.ts"
import { nodeRoutes } from "./api-routes/node.ts"
import { notServed, pageRoutes } from "./api-routes/pages.ts"
import { podRoutes } from "./api-routes/pods.ts"
import type { ApiWorld, Routes, StreamingRoutes } from "./api-routes/route.ts"
import { statsRoutes } from "./api-routes/stats.ts"
import { commandRoutes, streamingRoutes } from "./api-routes/streams.ts"
import { systemLogRoutes } from "./api-routes/system-logs.ts"
import { localSocket } from "./cli/local-api.ts"

/** Where the machine's logs are (`kubelet.go` ServeLogs). */
const systemLogs = "/var/log"

/** Each in a file of its own in src/api-routes. What `debugging` holds can be switched off (enableDebuggingHandlers). */
const routes: ReadonlyArray<Routes> = [ownHealthRoutes, podRoutes, statsRoutes, metricsRoutes, nodeRoutes]
const debugging: ReadonlyArray<Routes> = [
  commandRoutes,
  containerLogRoutes,
  ({ options }) =>
    options.kubelet.enableSystemLogHandler
      ? systemLogRoutes(systemLogs)
      : [notServed("/logs/{path*}", 405, "logs endpoint is disabled.")]
]
const streaming: ReadonlyArray<StreamingRoutes> = [streamingRoutes]

/** `server.go` InstallDebuggingDisabledHandlers */
const debuggingPaths = [
  "/run",
  "/exec",
  "/attach",
  "/portForward",
  "/containerLogs",
  "/runningpods",
  "/checkpoint",
  "/logs"
]
const isDebugging = ({ path }: { readonly path: string }): boolean =>
  debuggingPaths.some((root) => path === root || path.startsWith(`${root}/`))

interface Served {
  readonly routes: ReadonlyArray<Route>
  readonly streaming: ReadonlyArray<StreamingRoute>
}

const served = (world: ApiWorld): Served => {
  const listed: Array<string> = []
  const all = [...routes, ...debugging, pageRoutes(() => listed)].flatMap((subject) => subject(world))
  const streams = streaming.flatMap((subject) => subject(world))
  const isOn = world.options.kubelet.enableDebuggingHandlers
  const kept = {
    routes: isOn
      ? all
      : [
          ...all.filter((route) => !isDebugging(route)),
          ...debuggingPaths.map((path) => notServed(`${path}/{rest*}`, 405, "Debug endpoints are disabled."))
        ],
    streaming: isOn ? streams : []
  }
  const paths = [...kept.routes, ...kept.streaming].map(({ path }) => path.replace(/\/\{.*$/u, ""))
  listed.push(...[...new Set(paths)].toSorted())
  return kept
}

/** How often files of certificates, tokens and rules are looked at for changes; milliseconds. */
const certificateLookPeriod = 10_000

const nodeApi = (world: ApiWorld): NodeApi => {
  const told = Context.get(world.services, MetricsTold)
  const sessions = Context.get(world.services, ApiSessions)
  const meter = makeRequestMeter(told.metrics.families)
  const { routes: answering, streaming: passing } = served(world)
  return {
    routes: answering.map(meter.route),
    streaming: passing.map(meter.streaming),
    passing: {
      problem: upgradeProblem,
      pass: (client, target) =>
        passThrough(client, target, { idleTimeout: world.options.kubelet.streamingConnectionIdleTimeout })
    },
    saw: (event) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        sessions.send({ to: apiServer(world.options.nodeName), command: { _tag: "ServerSaw", at, event } as never })
      )
  }
}

/** An address to listen at; undefined: port 0. */
const at = (host: string, port: number): ListenerAddress | undefined => (port > 0 ? { host, port } : undefined)

/** By what names and addresses the node is reached: what its own certificate is for. */
const namesOf = ({ options, services }: ApiWorld): ReadonlyArray<string> => {
  const { addresses } = Context.get(services, Host).facts
  return [...new Set([options.nodeName, hostname().toLowerCase(), "localhost", "127.0.0.1", "::1", ...addresses])]
}

const apiSettings = (world: ApiWorld): ApiSettings => {
  const { nodeName, dataDir, kubelet, api } = world.options
  const { x509, webhook, anonymous } = kubelet.authentication
  const { mode, webhook: access } = kubelet.authorization
  const hasFiles = kubelet.tlsCertFile !== "" && kubelet.tlsPrivateKeyFile !== ""
  const secure = kubelet.enableServer ? at(kubelet.address, kubelet.port) : undefined
  return {
    nodeName,
    socket: join(dataDir, localSocket),
    readOnly: at(kubelet.address, kubelet.readOnlyPort),
    healthz: at(kubelet.healthzBindAddress, kubelet.healthzPort),
    tls: secure && {
      ...secure,
      certificate: hasFiles
        ? { cert: kubelet.tlsCertFile, key: kubelet.tlsPrivateKeyFile }
        : { directory: join(dataDir, "pki"), names: namesOf(world) },
      minVersion: kubelet.tlsMinVersion,
      cipherSuites: kubelet.tlsCipherSuites,
      clientCAFile: x509.clientCAFile || undefined,
      tokenFile: api.tokenAuthFile,
      policyFile: api.authorizationPolicyFile,
      kubeconfig: api.authenticationKubeconfig,
      webhook: {
        tokens: webhook.enabled,
        access: mode === "Webhook",
        tokenTtl: webhook.cacheTTL,
        allowedTtl: access.cacheAuthorizedTTL,
        deniedTtl: access.cacheUnauthorizedTTL
      },
      anonymous: anonymous.enabled,
      alwaysAllow: mode === "AlwaysAllow",
      lookPeriod: certificateLookPeriod
    }
  }
}

/** Answers from now on, until the scope ends. */
export const startApi = (world: ApiWorld): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => serveApi({ settings: apiSettings(world), api: nodeApi(world) }))
