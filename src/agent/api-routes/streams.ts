/** What leads into pods: /exec, /attach, /portForward, /run, /checkpoint. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Context } from "effect"
import { ApiSessions } from "../../actors/api/sessions.ts"
import { makeStreamRoutes } from "../../actors/api/stream-routes.ts"
import type { PodState } from "../../actors/pod/state.ts"
import { actorId } from "../../events/actor-id.ts"
import type { ApiWorld, Routes, StreamingRoutes } from "./route.ts"

/** kubelet's name (`pkg/kubelet/kubelet_getters.go`: getCheckpointsDir). */
const directoryOf = ({ options }: ApiWorld): string => join(options.dataDir, "checkpoints")

const routesOf = (world: ApiWorld) =>
  makeStreamRoutes({
    sessions: Context.get(world.services, ApiSessions),
    pod: (namespace, name) => world.system.state(actorId("pod", namespace, name)) as PodState | undefined,
    checkpoints: directoryOf(world)
  })

/** Whoever has a checkpoint has all that the container had in memory. */
export const commandRoutes: Routes = (world) => {
  if (world.options.manifests === undefined) return []
  mkdirSync(directoryOf(world), { recursive: true, mode: 0o700 })
  return routesOf(world).routes
}

export const streamingRoutes: StreamingRoutes = (world) =>
  world.options.manifests === undefined ? [] : routesOf(world).streaming
