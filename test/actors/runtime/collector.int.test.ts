// runtimes: bun
/** Garbage on a real containerd: old sandboxes and dead containers of this node's pods go, what is in use or another's stays. */
import assert from "node:assert/strict"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Context, Effect, Layer } from "effect"
import { startContainerd, whyNoContainerd } from "../../../scripts/lab/containerd.ts"
import { busyboxImage } from "../../../scripts/lab/image.ts"
import { imageGcPolicy } from "../../../src/actors/image/garbage.ts"
import { Pods } from "../../../src/actors/pod/pods.ts"
import { PodSettings } from "../../../src/actors/pod/settings.ts"
import { emptyContainer, emptyPod, type PodState } from "../../../src/actors/pod/state.ts"
import { lookForGarbage, removeGarbage } from "../../../src/actors/runtime/collector.ts"
import { ImageGc, removeImage, surveyImages } from "../../../src/actors/runtime/image-survey.ts"
import { CriRuntime } from "../../../src/adapters/cri/live.ts"
import { ContainerRuntime } from "../../../src/adapters/cri/port.ts"
import { layer as hostLayer } from "../../../src/adapters/host/live.ts"
import { Host } from "../../../src/adapters/host/port.ts"
import { service as logs } from "../../../src/adapters/logs/live.ts"
import { ContainerLogs } from "../../../src/adapters/logs/port.ts"
import { layer as volumesLayer } from "../../../src/adapters/volumes/memory.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { containerConfig, sandboxConfig } from "../../adapters/cri/configs.ts"
import { untilState } from "../../adapters/cri/runtime-contract.ts"

const skip = whyNoContainerd()

const podState = (uid: string, sandboxId: string, dead: ReadonlyArray<string>): PodState => ({
  ...emptyPod("default/web"),
  definition: {
    pod: { metadata: { namespace: "default", name: "web", uid }, spec: { containers: [{ name: "app", image: "i" }] } },
    source: "",
    qosClass: "BestEffort",
    maxRestartPeriodSeconds: 300,
    because: ""
  },
  sandbox: { status: "ready", attempt: 1, sandboxId, ips: [], createdAt: "", retry: null, because: "" },
  containers: [{ ...emptyContainer("app", false), status: "running", attempt: 3, containerId: "running", dead }],
  phase: "Running"
})

describe("garbage on a real runtime", () => {
  it("goes, the oldest first, and nothing else", {
    timeout: 60_000,
    ...(skip === undefined ? {} : { skip })
  }, async () => {
    const dir = realpathSync(mkdtempSync(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "g-")))
    const unused = "chronode.local/unused:1"
    const lab = await startContainerd(join(dir, "c"), { images: { [unused]: { config: { Cmd: ["true"] } } } })
    try {
      await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const runtime = yield* CriRuntime.make({ endpoint: lab.endpoint })
            const podLogsDir = join(dir, "pods")
            const labels = (uid: string) => ({
              "io.kubernetes.pod.uid": uid,
              "io.kubernetes.pod.name": "web",
              "io.kubernetes.pod.namespace": "default"
            })
            const sandbox = (uid: string, attempt: number) =>
              sandboxConfig(`${uid}-${attempt}`, dir, {
                metadata: { name: "web", namespace: "default", uid, attempt },
                labels: labels(uid),
                logDirectory: join(podLogsDir, `default_web_${uid}`)
              })
            const stopped = (uid: string, attempt: number) =>
              Effect.gen(function* () {
                const id = yield* runtime.runPodSandbox(sandbox(uid, attempt), "")
                yield* runtime.stopPodSandbox(id)
                return id
              })
            for (const uid of ["mine", "gone", "other"])
              mkdirSync(join(podLogsDir, `default_web_${uid}`, "app"), { recursive: true })
            for (const uid of ["mine", "nobody"])
              mkdirSync(join(dir, "data", "pods", uid, "volumes"), { recursive: true })
            const old = yield* stopped("mine", 0)
            const other = yield* stopped("other", 0)
            const otherNewer = yield* stopped("other", 1)
            const config = sandbox("mine", 1)
            const current = yield* runtime.runPodSandbox(config, "")
            const dead: Array<string> = []
            for (const attempt of [0, 1, 2]) {
              const id = yield* runtime.createContainer(
                current,
                containerConfig("app", ["true"], {
                  metadata: { name: "app", attempt },
                  image: { image: busyboxImage },
                  labels: { ...labels("mine"), "io.kubernetes.container.name": "app" },
                  logPath: `app/${attempt}.log`
                }),
                config
              )
              yield* runtime.startContainer(id)
              // It ends by itself; a stop at the same moment may meet a shim that is just going.
              yield* Effect.promise(() => untilState(runtime, id, "CONTAINER_EXITED"))
              dead.push(id)
            }
            const state = podState("mine", current, dead)
            const services = (yield* Layer.build(volumesLayer)).pipe(
              Context.add(ContainerRuntime, runtime),
              Context.add(ContainerLogs, logs),
              Context.add(Host, Context.get(yield* Layer.build(hostLayer("n")), Host)),
              Context.add(PodSettings, { facts: { podLogsDir, rootDir: join(dir, "data") } } as PodSettings["Service"]),
              Context.add(Pods, {
                all: () => [{ id: actorId("pod", "default", "web"), state }],
                everRan: (uid) => Effect.succeed(uid === "gone")
              })
            )
            const found = yield* lookForGarbage.pipe(Effect.provide(services))
            assert.deepEqual(
              found.map(({ what, id }) => [what, id]),
              [
                ["Container", dead[0]],
                ["Container", dead[1]],
                ["Sandbox", old],
                ["LogDirectory", join(podLogsDir, "default_web_gone")],
                ["PodDirectory", join(dir, "data", "pods", "nobody")]
              ]
            )
            const told = yield* Effect.forEach(found, (garbage) =>
              removeGarbage(garbage).pipe(Effect.provide(services))
            )
            assert.deepEqual(
              told.flat().map(({ to, command }) => [to.kind, command._tag]),
              [
                ["runtime", "GarbageGone"],
                ["pod", "ReportContainersRemoved"],
                ["runtime", "GarbageGone"],
                ["pod", "ReportContainersRemoved"],
                ["runtime", "GarbageGone"],
                ["runtime", "GarbageGone"],
                ["runtime", "GarbageGone"]
              ]
            )
            const left = yield* runtime.listContainers({})
            assert.deepEqual(
              left.map(({ id }) => id),
              [dead[2]]
            )
            const sandboxes = yield* runtime.listPodSandboxes({})
            assert.deepEqual(sandboxes.map(({ id }) => id).toSorted(), [current, other, otherNewer].toSorted())
            assert.deepEqual(
              [0, 1, 2].map((n) => existsSync(join(podLogsDir, "default_web_mine", "app", `${n}.log`))),
              [false, false, true]
            )
            assert.deepEqual(
              ["gone", "other"].map((uid) => existsSync(join(podLogsDir, `default_web_${uid}`))),
              [false, true]
            )
            assert.deepEqual(readdirSync(join(dir, "data", "pods")), ["mine"])
            // Of the images only that goes which no container, and no sandbox, is made of.
            const images = Context.add(
              services,
              ImageGc,
              ImageGc.make(() => ({ ...imageGcPolicy, minAge: 0 }), Effect.succeed(undefined))
            )
            const survey = yield* surveyImages("Eviction").pipe(Effect.provide(images))
            assert.deepEqual(
              survey.unused.map(({ name, size }) => [name, size > 0]),
              [[unused, true]]
            )
            const used = (yield* runtime.imageStatus(busyboxImage))?.id ?? ""
            assert.equal(yield* removeImage(used).pipe(Effect.provide(services)), "a container uses it by now")
            assert.equal(yield* removeImage(survey.unused[0]!.id).pipe(Effect.provide(services)), undefined)
            assert.equal(yield* runtime.imageStatus(unused), undefined)
            // Once more: nothing is left to find, and what is gone already is gone.
            assert.deepEqual(yield* lookForGarbage.pipe(Effect.provide(services)), [])
            yield* removeGarbage(found[0]!).pipe(Effect.provide(services))
          })
        )
      )
    } finally {
      await lab.stop()
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
