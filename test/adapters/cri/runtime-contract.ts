/** What every implementation of `ContainerRuntime` must keep. Run by the in-memory one and, on real runtimes, the live one. */
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { readFile, rename } from "node:fs/promises"
import { after, before, describe, it } from "node:test"
import { Effect, Fiber, Stream } from "effect"
import type {
  ContainerConfig,
  ContainerEvent,
  ContainerRuntime,
  ContainerState,
  ContainerStatus,
  CriError,
  SandboxConfig
} from "../../../src/adapters/cri/port.ts"
import { commands, containerConfig, onHostNetwork, sandboxConfig, testImage } from "./configs.ts"

type Runtime = ContainerRuntime["Service"]

export interface Subject {
  readonly runtime: Runtime
  /** Where logs may be written. */
  readonly root: string
  readonly stop: () => Promise<void>
}

export interface SubjectTraits {
  /** Why it cannot be had here. */
  readonly skip?: string | undefined
  readonly events: boolean
  readonly cgroupDriver: boolean
  /** Its status tells what its handlers can. */
  readonly handlers: boolean
  /** Containers really run, and write files. */
  readonly real: boolean
}

/** Milliseconds: how long a container may take to end, and a test on a busy machine. */
const patience = 20_000
const slow = { timeout: 60_000 }

const run = <A>(effect: Effect.Effect<A, CriError>): Promise<A> => Effect.runPromise(effect)
const refusal = async (effect: Effect.Effect<unknown, CriError>): Promise<CriError["reason"]> =>
  (await Effect.runPromise(Effect.flip(effect))).reason

/** Waits until the container is in the state, and answers its status. */
export const untilState = (runtime: Runtime, id: string, state: ContainerState): Promise<ContainerStatus> =>
  run(
    Effect.gen(function* () {
      const until = Date.now() + patience
      while (true) {
        const status = yield* runtime.containerStatus(id)
        if (status.state === state || Date.now() > until) {
          assert.equal(status.state, state)
          return status
        }
        yield* Effect.sleep(20)
      }
    })
  )

export const runtimeContract = (name: string, traits: SubjectTraits, start: () => Promise<Subject>): void => {
  const given = traits.skip === undefined ? slow : { ...slow, skip: traits.skip }

  describe(`${name} keeps the contract of a container runtime`, () => {
    let subject: Subject
    let runtime: Runtime
    before(async () => {
      if (traits.skip !== undefined) return
      subject = await start()
      runtime = subject.runtime
    }, slow)
    after(async () => {
      await subject?.stop()
    }, slow)

    /** A sandbox for the time of one test. */
    const inSandbox = async (pod: string, test: (id: string, config: SandboxConfig) => Promise<void>) => {
      const config = sandboxConfig(pod, subject.root)
      const id = await run(runtime.runPodSandbox(config, ""))
      try {
        await test(id, config)
      } finally {
        await run(runtime.removePodSandbox(id))
      }
    }
    const startIn = async (sandboxId: string, sandbox: SandboxConfig, config: ContainerConfig): Promise<string> => {
      const id = await run(runtime.createContainer(sandboxId, config, sandbox))
      await run(runtime.startContainer(id))
      return id
    }

    it("tells its version and that it is ready", given, async () => {
      const version = await run(runtime.version)
      assert.notEqual(version.runtimeName, "")
      assert.match(version.runtimeVersion, /^v?\d+\.\d+/)
      assert.equal(version.runtimeApiVersion, "v1")
      const ready = new Map(
        (await run(runtime.status)).conditions.map((condition) => [condition.type, condition.status])
      )
      assert.equal(ready.get("RuntimeReady"), true)
      assert.equal(ready.get("NetworkReady"), true)
    })

    it("tells what its handlers can, or tells of none", given, async () => {
      const { handlers } = await run(runtime.status)
      assert.equal(
        handlers.some(({ name }) => name === ""),
        traits.handlers,
        JSON.stringify(handlers)
      )
      if (!traits.handlers) assert.deepEqual(handlers, [])
    })

    it("tells its cgroup driver or that it cannot", given, async () => {
      if (traits.cgroupDriver) assert.match(await run(runtime.cgroupDriver), /^(cgroupfs|systemd)$/)
      else assert.equal(await refusal(runtime.cgroupDriver), "Unimplemented")
    })

    it("leads a container through created, running and exited, and forgets it when removed", given, () =>
      inSandbox("life", async (sandboxId, sandbox) => {
        assert.equal((await run(runtime.podSandboxStatus(sandboxId))).state, "SANDBOX_READY")
        const id = await run(runtime.createContainer(sandboxId, containerConfig("app", commands.forever), sandbox))
        const created = await run(runtime.containerStatus(id))
        assert.equal(created.state, "CONTAINER_CREATED")
        assert.equal(created.startedAt, undefined)
        assert.equal(created.finishedAt, undefined)
        await run(runtime.startContainer(id))
        const running = await run(runtime.containerStatus(id))
        assert.equal(running.state, "CONTAINER_RUNNING")
        assert.ok(Date.parse(running.startedAt ?? "") >= Date.parse(running.createdAt))
        assert.equal(running.finishedAt, undefined)
        assert.equal(await refusal(runtime.startContainer(id)), "Failed")
        await run(runtime.stopContainer(id, 0))
        const exited = await run(runtime.containerStatus(id))
        assert.equal(exited.state, "CONTAINER_EXITED")
        assert.equal(exited.exitCode, 137)
        assert.equal(exited.reason, "Error")
        assert.ok(Date.parse(exited.finishedAt ?? "") >= Date.parse(exited.startedAt ?? ""))
        await run(runtime.removeContainer(id))
        assert.equal(await refusal(runtime.containerStatus(id)), "NotFound")
        const left = await run(runtime.listContainers(containerConfig("app", []).labels))
        assert.deepEqual(left, [])
      })
    )

    it("gives labels, annotations and metadata back as they were, and finds by labels", given, async () => {
      const labels = { "io.kubernetes.pod.uid": "uid-labels", empty: "", "with/slash": "Ünïcode" }
      const annotations = { json: '{"a":[1,2,"\\n"]}', "io.kubernetes.container.hash": "3408b2ef" }
      const metadata = { name: "labels", uid: "uid-labels", namespace: "contract", attempt: 4 }
      const config = sandboxConfig("labels", subject.root, { labels, annotations, metadata })
      const sandboxId = await run(runtime.runPodSandbox(config, ""))
      try {
        const status = await run(runtime.podSandboxStatus(sandboxId))
        assert.deepEqual({ ...status.labels }, labels)
        assert.deepEqual({ ...status.annotations }, annotations)
        assert.deepEqual(status.metadata, metadata)
        const listed = await run(runtime.listPodSandboxes({ "with/slash": "Ünïcode" }))
        assert.deepEqual(
          listed.map((sandbox) => [sandbox.id, sandbox.metadata, { ...sandbox.annotations }]),
          [[sandboxId, metadata, annotations]]
        )
        assert.deepEqual(await run(runtime.listPodSandboxes({ "with/slash": "else" })), [])

        const app = containerConfig("app", commands.forever, {
          labels,
          annotations,
          metadata: { name: "app", attempt: 2 }
        })
        const id = await run(runtime.createContainer(sandboxId, app, config))
        const container = await run(runtime.containerStatus(id))
        assert.deepEqual({ ...container.labels }, labels)
        assert.deepEqual({ ...container.annotations }, annotations)
        assert.deepEqual(container.metadata, { name: "app", attempt: 2 })
        const [found, ...more] = await run(runtime.listContainers(labels))
        assert.equal(more.length, 0)
        assert.equal(found?.id, id)
        assert.equal(found?.podSandboxId, sandboxId)
        assert.deepEqual({ ...found?.annotations }, annotations)
        assert.equal(found?.state, "CONTAINER_CREATED")
      } finally {
        await run(runtime.removePodSandbox(sandboxId))
      }
    })

    it("tells as whom a container runs, from containerd 2.0 on", given, () =>
      inSandbox("user", async (sandboxId, sandbox) => {
        const plain = containerConfig("app", commands.forever)
        const user = { runAsUser: 1_000, runAsGroup: 2_000, supplementalGroups: [7] }
        const securityContext = { ...plain.linux.securityContext, ...user }
        const id = await startIn(sandboxId, sandbox, { ...plain, linux: { ...plain.linux, securityContext } })
        const { user: told } = await run(runtime.containerStatus(id))
        // The one in memory does not tell, as older ones.
        if (!traits.real || !traits.handlers) assert.equal(told, undefined)
        else {
          assert.deepEqual([told?.uid, told?.gid], [1_000, 2_000])
          assert.ok(told?.supplementalGroups.includes(7))
        }
      })
    )

    it("reports how containers end: code and reason", given, () =>
      inSandbox("endings", async (sandboxId, sandbox) => {
        for (const [code, reason] of [
          [0, "Completed"],
          [3, "Error"],
          [255, "Error"]
        ] as const) {
          const id = await startIn(sandboxId, sandbox, containerConfig(`exit-${code}`, commands.exit(code)))
          const status = await untilState(runtime, id, "CONTAINER_EXITED")
          assert.deepEqual([status.exitCode, status.reason], [code, reason])
        }
      })
    )

    it("reports a container that ran out of memory as OOMKilled", given, () =>
      inSandbox("hungry", async (sandboxId, sandbox) => {
        const limited = containerConfig("hungry", commands.eatMemory)
        const resources = { memoryLimitInBytes: 16 * 1024 * 1024, oomScoreAdj: 1_000 }
        const config = { ...limited, linux: { ...limited.linux, resources } }
        const status = await untilState(runtime, await startIn(sandboxId, sandbox, config), "CONTAINER_EXITED")
        assert.deepEqual([status.exitCode, status.reason], [137, "OOMKilled"])
      })
    )

    it("reports a program that cannot be started as StartError with 128", given, () =>
      inSandbox("unstartable", async (sandboxId, sandbox) => {
        const id = await run(runtime.createContainer(sandboxId, containerConfig("app", commands.missing), sandbox))
        assert.equal(await refusal(runtime.startContainer(id)), "Failed")
        const status = await run(runtime.containerStatus(id))
        assert.deepEqual([status.state, status.exitCode, status.reason], ["CONTAINER_EXITED", 128, "StartError"])
        assert.equal(status.startedAt, undefined)
        assert.match(status.message, /\/no\/such\/program/)
      })
    )

    it("stops with the program's own code, and kills what does not heed the signal", given, () =>
      inSandbox("stopping", async (sandboxId, sandbox) => {
        const obedient = await startIn(sandboxId, sandbox, containerConfig("obedient", commands.obedient))
        // The shell must have set its trap before the signal comes.
        if (traits.real) await new Promise((resolve) => setTimeout(resolve, 500))
        await run(runtime.stopContainer(obedient, 30))
        assert.equal((await run(runtime.containerStatus(obedient))).exitCode, 7)
        const deaf = await startIn(sandboxId, sandbox, containerConfig("deaf", commands.forever))
        await run(runtime.stopContainer(deaf, 1))
        assert.equal((await run(runtime.containerStatus(deaf))).exitCode, 137)
      })
    )

    it("stops and removes any number of times, also what never was", given, () =>
      inSandbox("again", async (sandboxId, sandbox) => {
        const id = await startIn(sandboxId, sandbox, containerConfig("app", commands.forever))
        const never = await run(runtime.createContainer(sandboxId, containerConfig("never", commands.forever), sandbox))
        await run(runtime.stopContainer(never, 1))
        assert.equal((await run(runtime.containerStatus(never))).state, "CONTAINER_CREATED")
        await run(runtime.stopContainer(id, 0))
        await run(runtime.stopContainer(id, 0))
        await run(runtime.removeContainer(id))
        await run(runtime.removeContainer(id))
        await run(runtime.stopContainer(id, 0))
        await run(runtime.stopPodSandbox(sandboxId))
        await run(runtime.stopPodSandbox(sandboxId))
        await run(runtime.removePodSandbox(sandboxId))
        await run(runtime.removePodSandbox(sandboxId))
        await run(runtime.stopPodSandbox(sandboxId))
        for (const call of [runtime.stopPodSandbox, runtime.removePodSandbox, runtime.removeContainer]) {
          await run(call("f".repeat(64)))
        }
      })
    )

    it("removes a running container", given, () =>
      inSandbox("forced", async (sandboxId, sandbox) => {
        const id = await startIn(sandboxId, sandbox, containerConfig("app", commands.forever))
        await run(runtime.removeContainer(id))
        assert.equal(await refusal(runtime.containerStatus(id)), "NotFound")
      })
    )

    it("keeps names reserved until what bears them is removed", given, () =>
      inSandbox("names", async (sandboxId, sandbox) => {
        assert.equal(await refusal(runtime.runPodSandbox(sandbox, "")), "AlreadyExists")
        const app = containerConfig("app", commands.exit(0))
        const first = await startIn(sandboxId, sandbox, app)
        assert.equal(await refusal(runtime.createContainer(sandboxId, app, sandbox)), "AlreadyExists")
        await untilState(runtime, first, "CONTAINER_EXITED")
        assert.equal(await refusal(runtime.createContainer(sandboxId, app, sandbox)), "AlreadyExists")
        const next = { ...app, metadata: { name: "app", attempt: 1 } }
        assert.notEqual(await run(runtime.createContainer(sandboxId, next, sandbox)), first)
        await run(runtime.removeContainer(first))
        await run(runtime.createContainer(sandboxId, app, sandbox))
        await run(runtime.removePodSandbox(sandboxId))
        const again = await run(runtime.runPodSandbox(sandbox, ""))
        await run(runtime.removePodSandbox(again))
      })
    )

    it("says NotFound for what is not there, and keeps no name for what it refused", given, () =>
      inSandbox("absent", async (sandboxId, sandbox) => {
        const nobody = "e".repeat(64)
        const app = containerConfig("app", commands.forever)
        assert.equal(await refusal(runtime.podSandboxStatus(nobody)), "NotFound")
        assert.equal(await refusal(runtime.containerStatus(nobody)), "NotFound")
        assert.equal(await refusal(runtime.startContainer(nobody)), "NotFound")
        assert.equal(await refusal(runtime.execSync(nobody, ["/bin/true"], 5)), "NotFound")
        assert.equal(await refusal(runtime.reopenContainerLog(nobody)), "NotFound")
        assert.equal(await refusal(runtime.createContainer(nobody, app, sandbox)), "NotFound")
        const imageless = { ...app, image: { image: "chronode.local/none:1" } }
        assert.equal(await refusal(runtime.createContainer(sandboxId, imageless, sandbox)), "NotFound")
        await run(runtime.createContainer(sandboxId, app, sandbox))
      })
    )

    it("refuses a runtime handler that it has not", given, async () => {
      const config = sandboxConfig("handler", subject.root)
      assert.equal(await refusal(runtime.runPodSandbox(config, "no-such-handler")), "Failed")
      assert.deepEqual(await run(runtime.listPodSandboxes(config.labels)), [])
    })

    it("sets resources of a container that runs, one after another", given, () =>
      inSandbox("resources", async (sandboxId, sandbox) => {
        const id = await run(runtime.createContainer(sandboxId, containerConfig("app", commands.forever), sandbox))
        await run(runtime.startContainer(id))
        await run(runtime.updateContainerResources(id, { cpuShares: 512 }))
        await run(runtime.updateContainerResources(id, { cpuQuota: 20_000, cpuPeriod: 100_000 }))
        assert.equal((await run(runtime.containerStatus(id))).state, "CONTAINER_RUNNING")
        await run(runtime.stopContainer(id, 0))
        assert.equal(await refusal(runtime.updateContainerResources("e".repeat(64), { cpuShares: 256 })), "NotFound")
      })
    )

    it("tells what containers that run use, and what the images take", given, () =>
      inSandbox("usage", async (sandboxId, sandbox) => {
        const config = containerConfig("app", commands.forever)
        const id = await startIn(sandboxId, sandbox, config)
        const ended = await startIn(sandboxId, sandbox, containerConfig("ended", commands.exit(0)))
        await untilState(runtime, ended, "CONTAINER_EXITED")
        const listed = await run(runtime.listContainerStats(config.labels))
        const own = listed.find((usage) => usage.id === id)
        assert.deepEqual([own?.name, (own?.memory?.workingSet ?? -1) >= 0, own?.cpu !== undefined], ["app", true, true])
        assert.equal(listed.find((usage) => usage.id === ended)?.cpu, undefined)
        assert.deepEqual(await run(runtime.listContainerStats({ nobody: "has it" })), [])
        const alone = await run(runtime.containerStats(id))
        assert.deepEqual([alone.id, alone.name], [id, "app"])
        assert.ok((alone.cpu?.usage ?? -1) >= (own?.cpu?.usage ?? 0))
        assert.equal(await refusal(runtime.containerStats("e".repeat(64))), "NotFound")
        const { images, containers } = await run(runtime.imageFilesystems)
        assert.match(images[0]?.mountpoint ?? "", /^\//)
        assert.ok((images[0]?.usedBytes ?? -1) >= 0 && (images[0]?.at ?? 0) > 0)
        for (const { mountpoint } of containers) assert.match(mountpoint, /^\//)
        // Counted by the runtime every few seconds.
        if (alone.writableLayer !== undefined) assert.match(alone.writableLayer.mountpoint, /^\//)
      })
    )

    it("begins a new log for a container that runs, and only for one", given, () =>
      inSandbox("reopen", async (sandboxId, sandbox) => {
        const id = await run(runtime.createContainer(sandboxId, containerConfig("app", commands.forever), sandbox))
        assert.equal(await refusal(runtime.reopenContainerLog(id)), "Failed")
        await run(runtime.startContainer(id))
        const { logPath } = await run(runtime.containerStatus(id))
        if (traits.real) await rename(logPath, `${logPath}.aside`)
        await run(runtime.reopenContainerLog(id))
        if (traits.real) assert.equal(existsSync(logPath), true)
        await run(runtime.stopContainer(id, 0))
        assert.equal(await refusal(runtime.reopenContainerLog(id)), "Failed")
      })
    )

    it("runs commands in a container: output, exit code, timeout, refusals", given, () =>
      inSandbox("exec", async (sandboxId, sandbox) => {
        const id = await run(runtime.createContainer(sandboxId, containerConfig("app", commands.forever), sandbox))
        assert.equal(await refusal(runtime.execSync(id, ["/bin/true"], 5)), "Failed")
        await run(runtime.startContainer(id))
        const { stdout, stderr, exitCode } = await run(runtime.execSync(id, commands.talk, 30))
        assert.equal(new TextDecoder().decode(stdout), "to-out\n")
        assert.equal(new TextDecoder().decode(stderr), "to-err\n")
        assert.equal(exitCode, 3)
        assert.equal((await run(runtime.execSync(id, ["/bin/true"], 30))).exitCode, 0)
        assert.equal(await refusal(runtime.execSync(id, commands.forever, 1)), "DeadlineExceeded")
        assert.equal(await refusal(runtime.execSync(id, commands.missing, 30)), "Failed")
        await run(runtime.stopContainer(id, 0))
        assert.equal(await refusal(runtime.execSync(id, ["/bin/true"], 5)), "Failed")
      })
    )

    it("gives up a call that is interrupted, and goes on answering others meanwhile", given, () =>
      inSandbox("interrupt", async (sandboxId, sandbox) => {
        const id = await startIn(sandboxId, sandbox, containerConfig("app", commands.forever))
        await run(
          Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(runtime.execSync(id, commands.forever, 3_000))
            yield* Effect.sleep(100)
            assert.equal((yield* runtime.containerStatus(id)).state, "CONTAINER_RUNNING")
            assert.equal(fiber.pollUnsafe(), undefined)
            yield* Fiber.interrupt(fiber)
            assert.equal((yield* runtime.containerStatus(id)).state, "CONTAINER_RUNNING")
          })
        )
      })
    )

    it("stops a sandbox with everything in it and takes its network down", given, () =>
      inSandbox("whole", async (sandboxId, sandbox) => {
        const id = await startIn(sandboxId, sandbox, containerConfig("app", commands.forever))
        const waiting = await run(
          runtime.createContainer(sandboxId, containerConfig("late", commands.forever), sandbox)
        )
        assert.equal((await run(runtime.podSandboxStatus(sandboxId))).ips.length, 1)
        await run(runtime.stopPodSandbox(sandboxId))
        const status = await run(runtime.podSandboxStatus(sandboxId))
        assert.deepEqual([status.state, status.ips], ["SANDBOX_NOTREADY", []])
        assert.equal((await untilState(runtime, id, "CONTAINER_EXITED")).exitCode, 137)
        assert.equal(await refusal(runtime.startContainer(waiting)), "Failed")
        assert.equal((await run(runtime.containerStatus(waiting))).reason, "StartError")
        // Refused at once by containerd up to 1.7, at the start since 2.0.
        const more = runtime.createContainer(sandboxId, containerConfig("more", commands.forever), sandbox)
        assert.match(await refusal(Effect.flatMap(more, runtime.startContainer)), /^(NotFound|Failed)$/)
        await run(runtime.removePodSandbox(sandboxId))
        assert.equal(await refusal(runtime.podSandboxStatus(sandboxId)), "NotFound")
        assert.equal(await refusal(runtime.containerStatus(id)), "NotFound")
      })
    )

    it("gives each pod an address of its own, and none to pods on the host's network", given, () =>
      inSandbox("network-a", (a) =>
        inSandbox("network-b", async (b) => {
          const [first] = (await run(runtime.podSandboxStatus(a))).ips
          const [second] = (await run(runtime.podSandboxStatus(b))).ips
          assert.match(first ?? "", /^\d+\.\d+\.\d+\.\d+$/)
          assert.notEqual(first, second)
          const onHost = onHostNetwork(sandboxConfig("network-c", subject.root))
          assert.equal(await refusal(runtime.runPodSandbox({ ...onHost, hostname: "named" }, "")), "Failed")
          const host = await run(runtime.runPodSandbox(onHost, ""))
          assert.deepEqual((await run(runtime.podSandboxStatus(host))).ips, [])
          await run(runtime.removePodSandbox(host))
        })
      )
    )

    it("names the log file, below the sandbox's log directory", given, () =>
      inSandbox("logging", async (sandboxId, sandbox) => {
        const id = await startIn(sandboxId, sandbox, containerConfig("app", commands.talk))
        const { logPath } = await untilState(runtime, id, "CONTAINER_EXITED")
        assert.equal(logPath, `${sandbox.logDirectory}/app/0.log`)
        if (!traits.real) return
        const lines = (await readFile(logPath, "utf8")).trimEnd().split("\n").sort()
        const told = lines.map((line) => line.replace(/^\S+ /, "")).sort()
        assert.deepEqual(told, ["stderr F to-err", "stdout F to-out"])
        assert.ok(lines.every((line) => !Number.isNaN(Date.parse(line.split(" ")[0] ?? ""))))
      })
    )

    it("knows its images by name and by id, and those of containers", given, () =>
      inSandbox("images", async (sandboxId, sandbox) => {
        const image = await run(runtime.imageStatus(testImage))
        assert.ok(image !== undefined && image.size > 0)
        assert.match(image.id, /^sha256:[0-9a-f]{64}$/)
        assert.ok(image.repoTags.includes(testImage))
        assert.equal((await run(runtime.imageStatus(image.id)))?.id, image.id)
        assert.equal(await run(runtime.imageStatus("chronode.local/none:1")), undefined)
        const listed = (await run(runtime.listImages)).find((one) => one.id === image.id)
        assert.deepEqual(listed?.repoTags, image.repoTags)
        const byId = containerConfig("app", commands.forever, {
          image: { image: image.id, userSpecifiedImage: testImage }
        })
        const status = await run(runtime.containerStatus(await startIn(sandboxId, sandbox, byId)))
        assert.deepEqual([status.image, status.imageRef], [testImage, image.id])
        await run(runtime.removeImage("chronode.local/none:1"))
      })
    )

    it("tells which image sandboxes are made of, or that it is pinned: it must never be removed", given, () =>
      inSandbox("pause", async () => {
        const name = await run(runtime.sandboxImage)
        const images = await run(runtime.listImages)
        assert.ok(name === undefined ? images.some(({ pinned }) => pinned) : name.length > 0)
      })
    )

    it("fails to pull an image that is nowhere", given, async () => {
      const reason = await refusal(runtime.pullImage("chronode.local/none:1", undefined))
      assert.ok(reason === "Failed" || reason === "NotFound", reason)
      assert.equal(await run(runtime.imageStatus("chronode.local/none:1")), undefined)
    })

    it("answers lists that are larger than gRPC's usual 4 MB", { ...given, timeout: 120_000 }, () =>
      inSandbox("large", async (sandboxId, sandbox) => {
        const annotations = { padding: "x".repeat(150_000) }
        const make = (index: number) => {
          const config = containerConfig(`c${index}`, commands.forever, { annotations, labels: { large: "yes" } })
          return runtime.createContainer(sandboxId, config, sandbox)
        }
        const ids = await run(
          Effect.forEach(
            Array.from({ length: 40 }, (_, index) => index),
            make,
            { concurrency: 4 }
          )
        )
        const listed = await run(runtime.listContainers({ large: "yes" }))
        assert.deepEqual(listed.map((container) => container.id).sort(), [...ids].sort())
        assert.ok(listed.every((container) => container.annotations.padding?.length === 150_000))
      })
    )

    it("hints at what happens to containers, or says that it cannot", given, async () => {
      if (!traits.events) {
        assert.equal(await refusal(Stream.runDrain(runtime.containerEvents)), "Unimplemented")
        return
      }
      const seen: Array<ContainerEvent> = []
      const pod = { namespace: "contract", name: "events", uid: "uid-events" }
      const collect = Stream.runForEach(runtime.containerEvents, (event) => Effect.sync(() => void seen.push(event)))
      const fiber = Effect.runFork(collect)
      // The runtime does not say when it has begun to tell.
      await new Promise((resolve) => setTimeout(resolve, 500))
      let id = ""
      await inSandbox("events", async (sandboxId, sandbox) => {
        id = await startIn(sandboxId, sandbox, containerConfig("app", commands.forever))
        await run(runtime.stopContainer(id, 0))
        await run(runtime.removeContainer(id))
      })
      const types = () => seen.filter((event) => event.containerId === id).map((event) => event.type)
      const wanted = ["CREATED", "STARTED", "STOPPED", "DELETED"].map((what) => `CONTAINER_${what}_EVENT`)
      const until = Date.now() + patience
      while (types().length < wanted.length && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await Effect.runPromise(Fiber.interrupt(fiber))
      assert.deepEqual(types(), wanted)
      const created = seen.find((event) => event.containerId === id)
      assert.deepEqual(created?.pod, pod)
      assert.ok(!Number.isNaN(Date.parse(created?.createdAt ?? "")))
    })
  })
}
