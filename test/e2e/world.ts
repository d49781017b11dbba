/** A private world for one test file: containerd, NATS, and nodes on them. Everything in it is gone after `close`. */
import { mkdtempSync, realpathSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { Effect, Exit, Scope } from "effect"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../scripts/lab/containerd.ts"
import { type NatsServer, type NatsServerOptions, natsServerMissing, startNats } from "../../scripts/lab/nats.ts"
import { CriRuntime } from "../../src/adapters/cri/live.ts"
import type { ContainerRuntime, CriError } from "../../src/adapters/cri/port.ts"
import { type NodeOptions, NodeUnderTest } from "../support/agent.ts"

type Runtime = ContainerRuntime["Service"]

/** Why these tests cannot run on this machine, or undefined. */
export const whyNotHere = (): string | undefined => whyNoContainerd() ?? natsServerMissing()

/** Options of a test: skipped with the reason where the machine lacks something; else at most `seconds`. */
export const within = (seconds: number): { readonly timeout: number; readonly skip?: string } => {
  const skip = whyNotHere()
  return skip === undefined ? { timeout: seconds * 1000 } : { timeout: seconds * 1000, skip }
}

/** The runtime that agents are started on: the test run's own, or what CHRONODE_RUNTIME says. */
export const agentRuntime = process.env.CHRONODE_RUNTIME ?? "bun"
/** On the second runtime the two main files run in a shorter form. */
export const isShort = agentRuntime !== "bun"

export interface World {
  readonly dir: string
  readonly containerd: LabContainerd
  readonly nats: NatsServer
  readonly node: (
    name: string,
    options?: Partial<Pick<NodeOptions, "nats" | "dataDir" | "configuration" | "flags">>
  ) => NodeUnderTest
  /** One look at the runtime, past the agent. */
  readonly ask: <A>(question: (runtime: Runtime) => Effect.Effect<A, CriError>) => Promise<A>
  readonly close: () => Promise<void>
}

export const startWorld = async (natsOptions: NatsServerOptions = {}): Promise<World> => {
  // Short: the runtime's socket must fit into 108 bytes (unix(7)).
  const dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "e-")))
  const containerd = await startContainerd(join(dir, "c"))
  const nats = await startNats(join(dir, "n"), natsOptions).catch(async (error) => {
    await containerd.stop()
    throw error
  })
  const scope = await Effect.runPromise(Scope.make())
  const runtime = await Effect.runPromise(Scope.provide(CriRuntime.make({ endpoint: containerd.endpoint }), scope))
  const nodes: Array<NodeUnderTest> = []
  return {
    dir,
    containerd,
    nats,
    node: (name, options = {}) => {
      const node = new NodeUnderTest({
        dir: join(dir, name),
        name,
        cri: containerd.endpoint,
        nats: nats.url,
        ...options
      })
      nodes.push(node)
      return node
    },
    ask: (question) => Effect.runPromise(question(runtime)),
    close: async () => {
      await Promise.all(nodes.map((node) => node.kill()))
      await Effect.runPromise(Scope.close(scope, Exit.void))
      await nats.kill()
      await containerd.stop()
      await rm(dir, { recursive: true, force: true })
    }
  }
}
