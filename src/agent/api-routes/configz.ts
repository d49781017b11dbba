/** /configz: the configuration that is in force, as kubelet writes it (`component-base/configz`). */
import { Effect } from "effect"
import { configzText } from "../../cli/kubelet-configuration/told.ts"
import type { Routes } from "./route.ts"

export const configzRoutes: Routes = ({ options }) => [
  {
    methods: ["GET"],
    path: "/configz",
    answer: () =>
      Effect.sync(() => ({
        status: 200,
        headers: { "content-type": "application/json" },
        body: configzText(options.kubelet)
      }))
  }
]
