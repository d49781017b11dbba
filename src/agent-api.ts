/**
 * What the node's HTTP API answers, tied together: one line for each subject. Part of the agent's wiring: routes may know all
 * that is live.
 */
import { join } from "node:path"
import { Context, Effect, type Scope } from "effect"
import { serveApi } from "./adapters/api/live.ts"
import type { NodeApi } from "./adapters/api/port.ts"
import { makeRequestMeter } from "./adapters/metrics/metered-api.ts"
import { MetricsTold } from "./agent-metrics.ts"
import { ownHealthRoutes } from "./api-routes/health.ts"
import { metricsRoutes } from "./api-routes/metrics.ts"
import type { ApiWorld, Routes, StreamingRoutes } from "./api-routes/route.ts"
import { statsRoutes } from "./api-routes/stats.ts"
import { localSocket } from "./cli/local-api.ts"

/** Each in a file of its own in src/api-routes. */
const routes: ReadonlyArray<Routes> = [ownHealthRoutes, statsRoutes, metricsRoutes]
const streaming: ReadonlyArray<StreamingRoutes> = []

const nodeApi = (world: ApiWorld): NodeApi => {
  const told = Context.get(world.services, MetricsTold)
  const meter = makeRequestMeter(told.metrics.families)
  return {
    routes: routes.flatMap((subject) => subject(world)).map(meter.route),
    streaming: streaming.flatMap((subject) => subject(world)).map(meter.streaming),
    saw: (event) => Effect.logDebug(`the API: ${event._tag}`)
  }
}

/** Answers from now on, until the scope ends. */
export const startApi = (world: ApiWorld): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const { nodeName, dataDir } = world.options
    const settings = {
      nodeName,
      socket: join(dataDir, localSocket),
      tls: undefined,
      readOnly: undefined,
      healthz: undefined
    }
    return serveApi({ settings, api: nodeApi(world) })
  })
