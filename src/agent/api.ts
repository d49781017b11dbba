/**
 * What the node's HTTP API answers, tied together: one line for each subject. Part of the agent's wiring: routes may know all
 * that is live.
 */
import { hostname } from "node:os"
import { Clock, Context, Duration, Effect, type Scope } from "effect"
import { apiServer } from "../actors/api/identity.ts"
import { ApiSessions } from "../actors/api/sessions.ts"
import { serveApi } from "../adapters/api/live.ts"
import type { NodeApi, Route, StreamingRoute } from "../adapters/api/port.ts"
import { Host } from "../adapters/host/port.ts"
import { makeRequestMeter } from "../adapters/metrics/metered-api.ts"
import { sendMessages } from "../adapters/streaming/messages.ts"
import { passThrough } from "../adapters/streaming/pass-through.ts"
import { upgradeProblem } from "../adapters/streaming/upgrade-request.ts"
import { apiSettings } from "../cli/run/api-settings.ts"
import { configzRoutes } from "./api-routes/configz.ts"
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
import { MetricsTold } from "./metrics.ts"

/** Where the machine's logs are (`kubelet.go` ServeLogs). */
const systemLogs = "/var/log"

/** Each in a file of its own in api-routes. What `debugging` holds can be switched off (enableDebuggingHandlers). */
const routes: ReadonlyArray<Routes> = [
  ownHealthRoutes,
  podRoutes,
  statsRoutes,
  metricsRoutes,
  configzRoutes,
  nodeRoutes
]
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

/** `life`: whether the server is being closed; a stream that ends then was ended by it. */
const nodeApi = (world: ApiWorld, life: { readonly isEnding: boolean }): NodeApi => {
  const told = Context.get(world.services, MetricsTold)
  const sessions = Context.get(world.services, ApiSessions)
  const meter = makeRequestMeter(told.metrics.families)
  const { routes: answering, streaming: passing } = served(world)
  return {
    routes: answering.map(meter.route),
    streaming: passing.map(meter.streaming).map((route) => ({
      ...route,
      ended: (request, end) => route.ended(request, life.isEnding ? { ...end, outcome: "stopped" } : end)
    })),
    passing: {
      problem: upgradeProblem,
      messages: sendMessages,
      pass: (client, target) =>
        passThrough(client, target, { idleTimeout: world.options.kubelet.streamingConnectionIdleTimeout })
    },
    saw: (event) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        sessions.send({ to: apiServer(world.options.nodeName), command: { _tag: "ServerSaw", at, event } as never })
      )
  }
}

/** By what names and addresses the node is reached: what its own certificate is for. */
const namesOf = ({ options, services }: ApiWorld): ReadonlyArray<string> => {
  const { addresses } = Context.get(services, Host).facts
  return [...new Set([options.nodeName, hostname().toLowerCase(), "localhost", "127.0.0.1", "::1", ...addresses])]
}

/** How long the ends of streams are waited for when the server is closed, and how often they are looked at. */
const endsTimeout = Duration.seconds(1)
const endsPeriod = Duration.millis(5)

/** Answers from now on, until the scope ends; by then it is written down how each stream ended. */
export const startApi = (world: ApiWorld): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sessions = Context.get(world.services, ApiSessions)
    const life = { isEnding: false }
    const written = Effect.gen(function* () {
      while (sessions.open() > 0) yield* Effect.sleep(endsPeriod)
    })
    yield* Effect.addFinalizer(() => Effect.timeoutOption(written, endsTimeout))
    yield* serveApi({ settings: apiSettings(world.options, namesOf(world)), api: nodeApi(world, life) })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        life.isEnding = true
      })
    )
  })
