/** What the node and its pods use, in kubelet's JSON (`pkg/kubelet/server/stats/handler.go`). */
import { Context, Effect } from "effect"
import { onlyCpuAndMemory } from "../../actors/statistics/assembly.ts"
import { Statistics } from "../../actors/statistics/statistics.ts"
import { json, type Routes } from "./route.ts"

/** What Go's ParseBool takes for true; anything else is false. */
const truths: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"])

export const statsRoutes: Routes = ({ services }) => [
  {
    methods: ["GET", "POST"],
    path: "/stats/summary",
    readOnly: true,
    answer: ({ query }) =>
      Effect.map(Context.get(services, Statistics).snapshot(), ({ summary }) =>
        json(truths.has(query.get("only_cpu_and_memory") ?? "") ? onlyCpuAndMemory(summary) : summary)
      )
  }
]
