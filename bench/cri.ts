/**
 * What the runtime itself costs: `node_modules/.bin/bun bench/cri.ts [--json]`, as root. The functions are the peer of
 * the agent's own benches: the same calls, in the same run, without an agent.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { create, fromBinary, toBinary } from "@bufbuild/protobuf"
import { Client, credentials, Metadata } from "@grpc/grpc-js"
import { Effect } from "effect"
import { startContainerd, whyNoContainerd } from "../scripts/lab/containerd.ts"
import { busyboxImage } from "../scripts/lab/image.ts"
import { VersionRequestSchema, VersionResponseSchema } from "../src/adapters/cri/generated/api_pb.js"
import { CriRuntime } from "../src/adapters/cri/live.ts"
import type { ContainerConfig, ContainerRuntime, CriError, SandboxConfig } from "../src/adapters/cri/port.ts"

type Runtime = ContainerRuntime["Service"]

/** Milliseconds. */
export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export const quantilesOf = (samples: ReadonlyArray<number>): Quantiles => {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** What one pod is started from: one sandbox with one container. */
export interface PodPlan {
  readonly sandbox: SandboxConfig
  readonly container: ContainerConfig
}

/** A small pod that sleeps. `root`: where its logs go. */
export const podPlan = (name: string, root: string): PodPlan => {
  const namespaceOptions = { network: "POD", pid: "CONTAINER", ipc: "POD" } as const
  return {
    sandbox: {
      metadata: { name, uid: `uid-${name}`, namespace: "bench", attempt: 0 },
      hostname: name,
      logDirectory: join(root, "logs", name),
      labels: { "io.kubernetes.pod.name": name },
      annotations: {},
      linux: { cgroupParent: "", securityContext: { namespaceOptions } }
    },
    container: {
      metadata: { name: "app", attempt: 0 },
      image: { image: busyboxImage },
      command: ["/bin/sleep", "100000"],
      envs: [],
      mounts: [],
      labels: { "io.kubernetes.pod.name": name },
      annotations: {},
      logPath: "app/0.log",
      linux: { resources: { oomScoreAdj: 1_000 }, securityContext: { namespaceOptions } }
    }
  }
}

export interface PodStarted {
  readonly sandboxId: string
  readonly containerId: string
  readonly milliseconds: number
}

/** The calls that a pod cannot start without, one after another. */
export const startPod = (runtime: Runtime, { sandbox, container }: PodPlan): Effect.Effect<PodStarted, CriError> =>
  Effect.gen(function* () {
    const start = performance.now()
    const sandboxId = yield* runtime.runPodSandbox(sandbox, "")
    const containerId = yield* runtime.createContainer(sandboxId, container, sandbox)
    yield* runtime.startContainer(containerId)
    return { sandboxId, containerId, milliseconds: performance.now() - start }
  })

export interface PodStarts {
  /** From the first call to the last answer, milliseconds. */
  readonly total: number
  readonly each: Quantiles
  readonly pods: ReadonlyArray<PodStarted>
}

/** Starts pods, `concurrency` at a time; 1: one after another. They run on: `removePods`. */
export const startPods = (
  runtime: Runtime,
  plans: ReadonlyArray<PodPlan>,
  concurrency: number
): Effect.Effect<PodStarts, CriError> =>
  Effect.gen(function* () {
    const start = performance.now()
    const pods = yield* Effect.forEach(plans, (plan) => startPod(runtime, plan), { concurrency })
    const total = performance.now() - start
    return { total, each: quantilesOf(pods.map((pod) => pod.milliseconds)), pods }
  })

export const removePods = (runtime: Runtime, pods: ReadonlyArray<PodStarted>): Effect.Effect<void, CriError> =>
  Effect.forEach(pods, (pod) => runtime.removePodSandbox(pod.sandboxId), { concurrency: 4, discard: true })

/** Version() through the adapter, one after another. */
export const versionLatency = (runtime: Runtime, count: number): Effect.Effect<Quantiles, CriError> =>
  Effect.gen(function* () {
    const samples: Array<number> = []
    for (let made = 0; made < count; made++) {
      const start = performance.now()
      yield* runtime.version
      samples.push(performance.now() - start)
    }
    return quantilesOf(samples)
  })

/** Version() through grpc-js and protobuf-es alone: what the adapter can at best be. */
export const bareVersionLatency = async (socket: string, count: number): Promise<Quantiles> => {
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 })
  const identity = (bytes: Buffer) => bytes
  const path = "/runtime.v1.RuntimeService/Version"
  const once = () =>
    new Promise<void>((resolve, reject) => {
      const request = Buffer.from(toBinary(VersionRequestSchema, create(VersionRequestSchema, { version: "0.1.0" })))
      const options = { deadline: Date.now() + 10_000 }
      client.makeUnaryRequest(path, identity, identity, request, new Metadata(), options, (error, response) => {
        if (error !== null) return reject(error)
        fromBinary(VersionResponseSchema, response ?? Buffer.alloc(0))
        resolve()
      })
    })
  try {
    const samples: Array<number> = []
    for (let made = 0; made < count; made++) {
      const start = performance.now()
      await once()
      samples.push(performance.now() - start)
    }
    return quantilesOf(samples)
  } finally {
    client.close()
  }
}

const warmUp = 500
const versionCalls = 3_000
const rounds = 5
const podsOneByOne = 20
const podsTogether = 30

export const measure = async () => {
  const lab = await startContainerd(await mkdtemp(join(tmpdir(), "bench-")))
  try {
    return await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const runtime = yield* CriRuntime.make({ endpoint: lab.endpoint })
          yield* versionLatency(runtime, warmUp)
          yield* Effect.promise(() => bareVersionLatency(lab.socket, warmUp))
          // In turns, so that whatever else the machine does falls on both.
          const adapter: Array<Quantiles> = []
          const bare: Array<Quantiles> = []
          for (let round = 0; round < rounds; round++) {
            adapter.push(yield* versionLatency(runtime, versionCalls / rounds))
            bare.push(yield* Effect.promise(() => bareVersionLatency(lab.socket, versionCalls / rounds)))
          }
          const median = (all: ReadonlyArray<Quantiles>, of: "p50" | "p99") =>
            quantilesOf(all.map((one) => one[of])).p50
          const plans = (prefix: string, count: number) =>
            Array.from({ length: count }, (_, index) => podPlan(`${prefix}-${index}`, lab.dir))
          yield* removePods(runtime, (yield* startPods(runtime, plans("warm", 3), 1)).pods)
          const serial = yield* startPods(runtime, plans("serial", podsOneByOne), 1)
          yield* removePods(runtime, serial.pods)
          const together = yield* startPods(runtime, plans("together", podsTogether), podsTogether)
          yield* removePods(runtime, together.pods)
          return {
            version: {
              adapter: { p50: median(adapter, "p50"), p99: median(adapter, "p99") },
              bare: { p50: median(bare, "p50"), p99: median(bare, "p99") }
            },
            oneByOne: { total: serial.total, ...serial.each },
            together: { total: together.total, ...together.each }
          }
        })
      )
    )
  } finally {
    await lab.stop()
    await rm(lab.dir, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const reason = whyNoContainerd()
  if (reason !== undefined) {
    process.stderr.write(`bench/cri: ${reason}\n`)
    process.exit(1)
  }
  const figures = await measure()
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(figures)}\n`)
  else {
    const { version, oneByOne, together } = figures
    const ms = (value: number) => `${value.toFixed(value < 10 ? 3 : 0)} ms`
    const ratio = (version.adapter.p50 / version.bare.p50).toFixed(2)
    process.stdout.write(
      [
        `Version(), adapter       p50 ${ms(version.adapter.p50)}  p99 ${ms(version.adapter.p99)}`,
        `Version(), bare grpc-js  p50 ${ms(version.bare.p50)}  p99 ${ms(version.bare.p99)}  (adapter / bare: ${ratio})`,
        `pod start, one by one    p50 ${ms(oneByOne.p50)}  p99 ${ms(oneByOne.p99)}  ${oneByOne.count} pods in ${ms(oneByOne.total)}`,
        `pod start, all at once   p50 ${ms(together.p50)}  p99 ${ms(together.p99)}  ${together.count} pods in ${ms(together.total)}`,
        ""
      ].join("\n")
    )
  }
}
