/** Routes of the node's API that count and time their requests, as kubelet does (`pkg/kubelet/server/metrics/metrics.go`). */
import { Effect } from "effect"
import type { ApiRequest, Listener, Route, StreamingRoute } from "../api/port.ts"
import type { KubeletFamilies } from "./kubelet-families.ts"
import { timed } from "./metered.ts"
import { type Labels, labelText } from "./registry.ts"

type Families = Pick<KubeletFamilies, "httpRequests" | "httpDuration" | "httpInflight">

const serverTypes: Readonly<Record<Listener, string>> = {
  tls: "readwrite",
  "read-only": "readonly",
  healthz: "healthz",
  local: "local"
}

/** The path without its variable parts: `metrics/cadvisor`, `containerLogs`. */
const pathLabel = (path: string): string => path.replace(/\/\{.*$/u, "").slice(1)

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"])

export const makeRequestMeter = ({ httpRequests, httpDuration, httpInflight }: Families) => {
  const inflight = new Map<string, number>()
  const underWay = (labels: Labels, change: 1 | -1): void => {
    const key = labelText(labels)
    const now = (inflight.get(key) ?? 0) + change
    inflight.set(key, now)
    httpInflight.set(now, labels)
  }
  const labelsOf = ({ method, access }: ApiRequest, path: string, isLong: boolean): Labels => ({
    long_running: String(isLong),
    method: methods.has(method) ? method : "other",
    path: pathLabel(path),
    server_type: serverTypes[access.listener]
  })
  const began = (labels: Labels): void => {
    httpRequests.add(1, labels)
    underWay(labels, 1)
  }
  const ended = (labels: Labels, seconds: number): void => {
    underWay(labels, -1)
    httpDuration.observe(seconds, labels)
  }
  return {
    route: (route: Route): Route => ({
      ...route,
      answer: (request, parts) =>
        Effect.suspend(() => {
          const labels = labelsOf(request, route.path, false)
          began(labels)
          return timed(route.answer(request, parts), (seconds) => ended(labels, seconds))
        })
    }),
    /** Their time is that of the whole connection. */
    streaming: (route: StreamingRoute): StreamingRoute => {
      const begun = new WeakMap<ApiRequest, number>()
      return {
        ...route,
        target: (request, parts) =>
          Effect.suspend(() => {
            const labels = labelsOf(request, route.path, true)
            const at = performance.now()
            begun.set(request, at)
            began(labels)
            const refused = Effect.sync(() => ended(labels, (performance.now() - at) / 1000))
            return Effect.onError(route.target(request, parts), () => refused)
          }),
        ended: (request, bytes) =>
          Effect.suspend(() => {
            const at = begun.get(request) ?? performance.now()
            ended(labelsOf(request, route.path, true), (performance.now() - at) / 1000)
            return route.ended(request, bytes)
          })
      }
    }
  }
}
