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

/** What a probe is answered by a server that is not well. */
export const unavailable = { result: "failure", output: "HTTP probe failed with statuscode: 503" } as const

/** One life of the agent, ended as by SIGKILL. */
export const life = (
  world: World,
  story: (agent: SimulatedAgent) => Effect.Effect<unknown, unknown, Scope.Scope>,
  options: Pick<SimulationOptions, "flags"> & { readonly bootId?: string } = {}
): Effect.Effect<unknown, unknown, Scope.Scope> => Effect.scoped(Effect.flatMap(startAgent(world, options), story))
