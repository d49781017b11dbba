/** What a golden log is recorded from: a story that the world and its people tell a simulated node. */
import { Effect, type Scope } from "effect"
import {
  type SimulatedAgent,
  type SimulationOptions,
  simulatedPod,
  startAgent,
  type World
} from "../../test/support/simulated-node.ts"

export type Story = (world: World) => Effect.Effect<unknown, unknown, Scope.Scope>
/** By the name of the file that is recorded. */
export type Stories = Readonly<Record<string, readonly [Story, SimulationOptions?]>>

/** With a secret, which must not be found in any log. */
export const pod = (name: string, container = "", spec = ""): string =>
  simulatedPod(name, `env: [{ name: SECRET, value: s3cret }]\n    ${container}`, spec)

export const http = "httpGet: { port: 8080, path: /healthz }"

/** One life of the agent, ended as by SIGKILL. */
export const life = (
  world: World,
  story: (agent: SimulatedAgent) => Effect.Effect<unknown, unknown, Scope.Scope>
): Effect.Effect<unknown, unknown, Scope.Scope> => Effect.scoped(Effect.flatMap(startAgent(world), story))
