/**
 * What the agent adds to the runtime's own time for starting pods: the same CRI calls with the same configs are made raw
 * and by the agent, in turns, in one run. Needs root. Limits: at most 50 ms for one pod (from the moment that the agent
 * knows of it to the durable record that its container runs), at most 10 % for 30 pods at once.
 *
 *   bun bench/pod-start.ts [pods one by one] [rounds of 30]
 */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { Context, Effect, Layer, Result } from "effect"
import { startContainerd, whyNoContainerd } from "../scripts/lab/containerd.ts"
import { busyboxImage } from "../scripts/lab/image.ts"
import { natsServerMissing, startNats } from "../scripts/lab/nats.ts"
import { containerConfig } from "../src/actors/pod/effects/container-config.ts"
import { sandboxConfig } from "../src/actors/pod/effects/sandbox-config.ts"
import type { NodeFacts } from "../src/actors/pod/node-facts.ts"
import { CriRuntime } from "../src/adapters/cri/live.ts"
import type { ContainerRuntime } from "../src/adapters/cri/port.ts"
import { layer as hostLayer } from "../src/adapters/host/live.ts"
import { Host } from "../src/adapters/host/port.ts"
import type { Pod } from "../src/events/pod-spec.ts"
import { NodeUnderTest, pause } from "../test/support/agent.ts"
import type { Happened } from "../test/support/journal-tail.ts"
import { type PodPlan, quantilesOf, removePods, startPods } from "./cri.ts"
import { machine } from "./machine.ts"

const oneByOne = Number(process.argv[2] ?? 20)
const rounds = Number(process.argv[3] ?? 4)
const together = 30
const allowedMillis = 50
const allowedShare = 1.1

const spec: Pod["spec"] = {
  terminationGracePeriodSeconds: 2,
  containers: [{ name: "app", image: busyboxImage, command: ["/bin/sleep", "100000"] }]
}
const manifest = (name: string): object => ({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec })

/** The configs that the agent makes for such a pod. */
const planOf = (name: string, facts: NodeFacts, imageId: string): PodPlan => {
  const pod: Pod = { metadata: { name, namespace: "raw", uid: `raw-${name}` }, spec }
  const sandbox = Result.getOrThrow(sandboxConfig(pod, facts, 0))
  const container = Result.getOrThrow(
    containerConfig(pod, spec.containers[0]!, facts, {
      attempt: 0,
      imageId,
      imageUser: { uid: 0 },
      volumes: new Map(),
      env: [],
      hostsFile: true
    })
  )
  // What the agent writes for each container has to be there to be mounted.
  for (const { hostPath } of container.mounts) {
    mkdirSync(dirname(hostPath), { recursive: true })
    writeFileSync(hostPath, "")
  }
  return { sandbox, container }
}

const recordedAt = ({ line }: Happened): number => Date.parse(JSON.parse(line).recordedtime)

/**
 * From when the agent knew of the first pod to the durable record that the last container runs; milliseconds. Looking for
 * it takes from the same two cores, so nobody looks for the first `unwatched` milliseconds.
 */
const byAgent = async (
  node: NodeUnderTest,
  file: string,
  names: ReadonlyArray<string>,
  unwatched: number
): Promise<{ readonly total: number; readonly sinceFile: number }> => {
  const after = await node.head()
  const written = Date.now()
  node.put(file, { apiVersion: "v1", kind: "List", items: names.map(manifest) })
  await pause(unwatched)
  const started = await node.until(
    `${names.length} pods run`,
    (events) => {
      const all = events.filter((e) => e.sequence > after && e.tag === "ContainerStarted")
      return all.length === names.length ? all : undefined
    },
    120_000
  )
  const admitted = (await node.seen("PodAdmitted")).filter((e) => e.sequence > after)
  const end = Math.max(...started.map(recordedAt))
  node.remove(file)
  await node.until(
    "they are gone",
    (events) =>
      events.filter((e) => e.sequence > after && e.tag === "PodRemoved").length === names.length ? true : undefined,
    120_000
  )
  return { total: end - Math.min(...admitted.map(({ time }) => Date.parse(time))), sinceFile: end - written }
}

const measure = async (dir: string): Promise<boolean> => {
  const lab = await startContainerd(join(dir, "c"))
  const nats = await startNats(join(dir, "n"))
  const node = new NodeUnderTest({ dir: join(dir, "node"), name: "bench", cri: lab.endpoint, nats: nats.url })
  try {
    await node.start()
    return await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const runtime: ContainerRuntime["Service"] = yield* CriRuntime.make({ endpoint: lab.endpoint })
          const { facts: host } = Context.get(yield* Layer.build(hostLayer("raw")), Host)
          const imageId = (yield* runtime.imageStatus(busyboxImage))?.id ?? busyboxImage
          const facts: NodeFacts = {
            ...host,
            cgroupVersion: host.cgroupVersion === "v2" ? "v2" : "v1",
            podLogsDir: join(dir, "raw-logs"),
            rootDir: dir,
            cgroupDriver: "cgroupfs",
            maskedPaths: host.thermalPaths,
            clusterDns: [],
            clusterDomain: "",
            nodeIps: host.addresses
          }
          const plans = (prefix: string, count: number) =>
            Array.from({ length: count }, (_, i) => planOf(`${prefix}-${i}`, facts, imageId))
          const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
          const raw = (prefix: string, count: number) =>
            Effect.tap(startPods(runtime, plans(prefix, count), count), ({ pods }) => removePods(runtime, pods))
          const agent = (prefix: string, count: number, unwatched = 0) =>
            Effect.promise(() => byAgent(node, `${prefix}.json`, names(prefix, count), unwatched))

          yield* raw("warm", 2)
          yield* agent("warm", 2)
          const one = { raw: [] as Array<number>, agent: [] as Array<number>, file: [] as Array<number> }
          for (let n = 0; n < oneByOne; n++) {
            one.raw.push((yield* raw(`one-${n}`, 1)).total)
            const { total, sinceFile } = yield* agent(`one-${n}`, 1)
            one.agent.push(total)
            one.file.push(sinceFile)
          }
          const many = { raw: [] as Array<number>, agent: [] as Array<number> }
          for (let n = 0; n < rounds; n++) {
            const { total } = yield* raw(`many-${n}`, together)
            many.raw.push(total)
            many.agent.push((yield* agent(`many-${n}`, together, total)).total)
          }
          const median = (samples: ReadonlyArray<number>) => quantilesOf(samples).p50
          const ms = (value: number) => `${value.toFixed(0).padStart(6)} ms`
          const added = median(one.agent) - median(one.raw)
          const ratio = median(many.agent) / median(many.raw)
          console.log(`one pod, raw calls          ${ms(median(one.raw))}   (median of ${oneByOne})`)
          console.log(
            `one pod, agent              ${ms(median(one.agent))}   added: ${added.toFixed(0)} ms, ${(added / allowedMillis).toFixed(2)}× of the allowed ${allowedMillis} ms`
          )
          console.log(
            `  since its file was written${ms(median(one.file))}   (with the pause that gathers changes of the directory)`
          )
          console.log(`${together} pods at once, raw calls ${ms(median(many.raw))}   (median of ${rounds})`)
          console.log(
            `${together} pods at once, agent     ${ms(median(many.agent))}   ratio: ${ratio.toFixed(2)}, allowed ${allowedShare.toFixed(2)}`
          )
          return added <= allowedMillis && ratio <= allowedShare
        })
      )
    )
  } finally {
    await node.kill()
    await nats.kill()
    await lab.stop()
  }
}

const missing = whyNoContainerd() ?? natsServerMissing()
if (missing !== undefined) {
  console.error(`bench/pod-start: ${missing}`)
  process.exit(1)
}
console.log(machine())
const dir = realpathSync(mkdtempSync(join(tmpdir(), "bs-")))
const isWithin = await measure(dir).finally(() => rm(dir, { recursive: true, force: true }))
console.log(isWithin ? "within the limits" : "OVER A LIMIT")
process.exit(isWithin ? 0 : 1)
