/** What routes of the node's API are made from, and how they answer. Part of the agent's wiring. */
import type { Context } from "effect"
import type { ActorServices } from "../../actors/behaviors.ts"
import type { ActorSystemShape } from "../../actors/kernel/system.ts"
import type { ApiAnswer, Route, StreamingRoute } from "../../adapters/api/port.ts"
import type { AgentOptions } from "../../cli/run/agent-options.ts"
import type { MetricsTold } from "../metrics.ts"

/** All that the agent has, once its actors run. */
export interface ApiWorld {
  readonly options: AgentOptions
  readonly system: ActorSystemShape
  /** What actors are given, and whatever else the agent built. */
  readonly services: Context.Context<ActorServices | MetricsTold>
}

/** Routes of one subject, in a file of their own. */
export type Routes = (world: ApiWorld) => ReadonlyArray<Route>
export type StreamingRoutes = (world: ApiWorld) => ReadonlyArray<StreamingRoute>

export const text = (body: string, status = 200): ApiAnswer => ({ status, body })

export const json = (value: unknown, status = 200): ApiAnswer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value)
})
