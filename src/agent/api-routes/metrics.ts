/** /metrics and what is below it, in Prometheus' text format. */
import { Context, Effect } from "effect"
import type { Route } from "../../adapters/api/port.ts"
import { contentType } from "../../adapters/metrics/registry.ts"
import { MetricsTold, metricsPaths } from "../metrics.ts"
import type { Routes } from "./route.ts"

export const metricsRoutes: Routes = ({ services }) => {
  const { text } = Context.get(services, MetricsTold)
  return metricsPaths.map(
    (path): Route => ({
      methods: ["GET", "HEAD"],
      path,
      readOnly: true,
      answer: () => Effect.map(text(path), (body) => ({ status: 200, headers: { "content-type": contentType }, body }))
    })
  )
}
