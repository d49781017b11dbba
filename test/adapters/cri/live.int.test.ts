// runtimes: bun (deno)
/** What the live adapter does when the runtime, or what listens in its place, is dead, slow or mad. */
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream, status } from "@grpc/grpc-js"
import { Effect, Fiber, Schedule, Stream } from "effect"
import { type LabContainerd, startContainerd, whyNoContainerd } from "../../../scripts/lab/containerd.ts"
import { CriRuntime } from "../../../src/adapters/cri/live.ts"
import type { ContainerRuntime, CriError } from "../../../src/adapters/cri/port.ts"
import { commands, containerConfig, sandboxConfig } from "./configs.ts"

type Runtime = ContainerRuntime["Service"]
const slow = { timeout: 60_000 }

/** Runs with a connection to `endpoint`; quick calls get `quick` milliseconds. */
const connected = <A, E>(
  endpoint: string,
  use: (runtime: Runtime) => Effect.Effect<A, E>,
  quick = 10_000
): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(CriRuntime.make({ endpoint, deadlines: { quick } }), use)) as Effect.Effect<A, E>
  )
const reasonOf = <A>(call: Effect.Effect<A, CriError>) => Effect.map(Effect.flip(call), (error) => error.reason)
/** Until the runtime answers, at most 20 s: gRPC tries to connect once a second. */
const untilItAnswers = (runtime: Runtime) =>
  Effect.retry(runtime.version, Schedule.spaced("100 millis").pipe(Schedule.upTo({ duration: "20 seconds" })))

describe("the live adapter, where no runtime is", () => {
  let dir = ""
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "cri-"))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it("refuses an endpoint that is no Unix socket", async () => {
    for (const endpoint of ["tcp://127.0.0.1:1", "run/containerd.sock", ""]) {
      const error = await Effect.runPromise(Effect.flip(Effect.scoped(CriRuntime.make({ endpoint }))))
      assert.equal(error.reason, "InvalidArgument")
      assert.match(error.message, /unix:\/\/\/PATH/)
    }
  })

  it("says Unavailable where nobody listens, for calls and for the stream of events", slow, async () => {
    await connected(join(dir, "nobody.sock"), (runtime) =>
      Effect.gen(function* () {
        for (let turn = 0; turn < 2; turn++) {
          const { reason, message } = yield* Effect.flip(runtime.version)
          assert.deepEqual([reason, message], ["Unavailable", `connect ENOENT ${join(dir, "nobody.sock")}`])
        }
        assert.equal(yield* reasonOf(Stream.runDrain(runtime.containerEvents)), "Unavailable")
      })
    )
  })

  it("gives up at the deadline where a socket accepts and says nothing", slow, async () => {
    const sockets = new Set<Socket>()
    const silent = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
    })
    const path = join(dir, "silent.sock")
    await new Promise<void>((resolve) => silent.listen(path, resolve))
    try {
      const reasons = await connected(
        `unix://${path}`,
        (runtime) => Effect.all([reasonOf(runtime.version), reasonOf(runtime.listImages)], { concurrency: 2 }),
        300
      )
      assert.deepEqual(reasons, ["DeadlineExceeded", "DeadlineExceeded"])
    } finally {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => silent.close(resolve))
    }
  })
})

describe("the live adapter, with a runtime that makes no sense", () => {
  let dir = ""
  let server: Server
  let cancelled = 0
  const answers = new Map<string, (call: ServerUnaryCall<Buffer, Buffer>) => Buffer | undefined>()
  let tellEvents: (call: ServerWritableStream<Buffer, Buffer>) => void = (call) => call.end()
  const endpoint = () => `unix://${join(dir, "mad.sock")}`

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "cri-"))
    server = new Server()
    const bytes = (buffer: Buffer) => buffer
    const method = (name: string, responseStream = false) => ({
      path: `/runtime.v1.RuntimeService/${name}`,
      requestStream: false as const,
      responseStream,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes
    })
    const names = ["Version", "RunPodSandbox", "ContainerStatus", "ListContainers", "ExecSync"]
    const unary = Object.fromEntries(
      names.map((name) => [
        name,
        (call: ServerUnaryCall<Buffer, Buffer>, reply: (error: object | null, value?: Buffer) => void) => {
          call.on("cancelled", () => {
            cancelled += 1
          })
          const answer = answers.get(name)
          if (answer === undefined) return reply({ code: status.INTERNAL, details: "no script" })
          const value = answer(call)
          if (value !== undefined) reply(null, value)
        }
      ])
    )
    server.addService(
      {
        ...Object.fromEntries(names.map((name) => [name, method(name)])),
        GetContainerEvents: method("GetContainerEvents", true)
      },
      { ...unary, GetContainerEvents: (call: ServerWritableStream<Buffer, Buffer>) => tellEvents(call) } as never
    )
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(endpoint(), ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()))
    )
  }, slow)
  after(async () => {
    server.forceShutdown()
    await rm(dir, { recursive: true, force: true })
  }, slow)

  it("calls an answer that cannot be read a Protocol error, and goes on", slow, async () => {
    answers.set("Version", () => Buffer.from([0xff, 0xff, 0xff]))
    answers.set("RunPodSandbox", () => Buffer.alloc(0))
    answers.set("ContainerStatus", () => Buffer.alloc(0))
    // A container with an id and nothing else.
    answers.set("ListContainers", () => Buffer.from([0x0a, 0x03, 0x0a, 0x01, 0x61]))
    await connected(endpoint(), (runtime) =>
      Effect.gen(function* () {
        assert.equal(yield* reasonOf(runtime.version), "Protocol")
        assert.equal(yield* reasonOf(runtime.runPodSandbox(sandboxConfig("p", dir), "")), "Protocol")
        assert.equal(yield* reasonOf(runtime.containerStatus("x")), "Protocol")
        assert.equal(yield* reasonOf(runtime.listContainers({})), "Protocol")
        // Version: { runtime_name: "a" }
        answers.set("Version", () => Buffer.from([0x12, 0x01, 0x61]))
        assert.equal((yield* runtime.version).runtimeName, "a")
      })
    )
  })

  it("refuses an answer above 16 MB, and takes one of 15 MB", slow, async () => {
    /** ExecSync: { stdout: … }, a bytes field with a varint length. */
    const stdout = (size: number): Buffer => {
      const head = [0x0a]
      for (let rest = size; ; rest >>>= 7) {
        if (rest < 0x80) {
          head.push(rest)
          break
        }
        head.push((rest & 0x7f) | 0x80)
      }
      return Buffer.concat([Buffer.from(head), Buffer.alloc(size, 0x78)])
    }
    await connected(endpoint(), (runtime) =>
      Effect.gen(function* () {
        answers.set("ExecSync", () => stdout(17 * 1024 * 1024))
        assert.equal(yield* reasonOf(runtime.execSync("x", ["cat"], 30)), "ResourceExhausted")
        answers.set("ExecSync", () => stdout(15 * 1024 * 1024))
        assert.equal((yield* runtime.execSync("x", ["cat"], 30)).stdout.length, 15 * 1024 * 1024)
      })
    )
  })

  it("cancels the call at the runtime when it is interrupted", slow, async () => {
    const arrived = Promise.withResolvers<void>()
    answers.set("ExecSync", () => {
      arrived.resolve()
      return undefined
    })
    const before = cancelled
    await connected(endpoint(), (runtime) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(runtime.execSync("x", ["sleep"], 1_000))
        yield* Effect.promise(() => arrived.promise)
        yield* Fiber.interrupt(fiber)
        for (let turn = 0; turn < 200 && cancelled === before; turn++) yield* Effect.sleep(20)
      })
    )
    assert.equal(cancelled, before + 1)
  })

  it(
    "ends the stream of events with an error when the runtime ends it or sends what cannot be read",
    slow,
    async () => {
      const reasons = await connected(endpoint(), (runtime) =>
        Effect.gen(function* () {
          tellEvents = (call) => call.end()
          const ended = yield* reasonOf(Stream.runDrain(runtime.containerEvents))
          tellEvents = (call) => void call.write(Buffer.from([0xff, 0xff]))
          const unreadable = yield* reasonOf(Stream.runDrain(runtime.containerEvents))
          return [ended, unreadable]
        })
      )
      assert.deepEqual(reasons, ["Unavailable", "Protocol"])
    }
  )

  it(
    "ends the stream of events when its reader is too slow, instead of keeping events without bound",
    slow,
    async () => {
      // { container_id: "a", created_at: 1 }
      const event = Buffer.from([0x0a, 0x01, 0x61, 0x18, 0x01])
      tellEvents = (call) => {
        for (let count = 0; count < 5_000; count++) call.write(event)
      }
      const reason = await connected(endpoint(), (runtime) =>
        reasonOf(Stream.runForEach(runtime.containerEvents, () => Effect.sleep(1)))
      )
      assert.equal(reason, "ResourceExhausted")
    }
  )
})

const newer = fileURLToPath(new URL("../../../.cache/lab/containerd/trixie", import.meta.url))

describe("the live adapter, with a containerd that comes and goes", () => {
  const skip = whyNoContainerd()
  const given = skip === undefined ? slow : { ...slow, skip }
  let lab: LabContainerd
  before(async () => {
    if (skip === undefined) lab = await startContainerd(await mkdtemp(join(tmpdir(), "cri-")))
  }, slow)
  after(async () => {
    if (skip !== undefined) return
    await lab.stop()
    await rm(lab.dir, { recursive: true, force: true })
  }, slow)

  it("finds the runtime again after it was killed and started, and containers as they were", given, async () => {
    await connected(lab.endpoint, (runtime) =>
      Effect.gen(function* () {
        const sandbox = sandboxConfig("survivor", lab.dir)
        const sandboxId = yield* runtime.runPodSandbox(sandbox, "")
        const id = yield* runtime.createContainer(sandboxId, containerConfig("app", commands.forever), sandbox)
        yield* runtime.startContainer(id)
        const before = yield* runtime.containerStatus(id)
        const pid = lab.pid

        yield* Effect.promise(lab.kill)
        assert.equal(yield* reasonOf(runtime.version), "Unavailable")
        assert.equal(yield* reasonOf(runtime.containerStatus(id)), "Unavailable")
        yield* Effect.promise(lab.restart)
        assert.notEqual(lab.pid, pid)
        yield* untilItAnswers(runtime)

        assert.deepEqual(yield* runtime.containerStatus(id), before)
        assert.equal((yield* runtime.podSandboxStatus(sandboxId)).state, "SANDBOX_READY")
        assert.equal((yield* runtime.execSync(id, ["/bin/true"], 10)).exitCode, 0)
        yield* runtime.removePodSandbox(sandboxId)
      })
    )
  })

  it("fails a call that is under way when the runtime is killed", given, async () => {
    await connected(lab.endpoint, (runtime) =>
      Effect.gen(function* () {
        const sandbox = sandboxConfig("underway", lab.dir)
        const sandboxId = yield* runtime.runPodSandbox(sandbox, "")
        const id = yield* runtime.createContainer(sandboxId, containerConfig("app", commands.forever), sandbox)
        yield* runtime.startContainer(id)
        const fiber = yield* Effect.forkChild(reasonOf(runtime.execSync(id, commands.forever, 600)))
        yield* Effect.sleep(300)
        yield* Effect.promise(lab.kill)
        assert.equal(yield* Fiber.join(fiber), "Unavailable")
        yield* Effect.promise(lab.restart)
        yield* untilItAnswers(runtime)
        yield* runtime.removePodSandbox(sandboxId)
      })
    )
  })

  it("gives up at the deadline while the runtime hangs, and goes on when it answers again", given, async () => {
    await connected(
      lab.endpoint,
      (runtime) =>
        Effect.gen(function* () {
          yield* untilItAnswers(runtime)
          lab.freeze()
          assert.equal(yield* reasonOf(runtime.version), "DeadlineExceeded")
          lab.thaw()
          yield* untilItAnswers(runtime)
        }).pipe(Effect.ensuring(Effect.sync(lab.thaw))),
      1_000
    )
  })

  const noEvents = skip ?? (existsSync(newer) ? undefined : "needs sh scripts/lab/newer-containerd.sh trixie")
  const withEvents = noEvents === undefined ? slow : { ...slow, skip: noEvents }
  it("ends the stream of events when the runtime is killed, and can read it again afterwards", withEvents, async () => {
    const other = await startContainerd(await mkdtemp(join(tmpdir(), "cri-")), { binaries: newer })
    try {
      await connected(other.endpoint, (runtime) =>
        Effect.gen(function* () {
          yield* runtime.version
          const broken = yield* Effect.forkChild(reasonOf(Stream.runDrain(runtime.containerEvents)))
          yield* Effect.sleep(300)
          yield* Effect.promise(other.kill)
          assert.equal(yield* Fiber.join(broken), "Unavailable")
          yield* Effect.promise(other.restart)
          yield* untilItAnswers(runtime)
          const first = yield* Effect.forkChild(Stream.runHead(runtime.containerEvents))
          yield* Effect.sleep(300)
          const sandboxId = yield* runtime.runPodSandbox(sandboxConfig("told", other.dir), "")
          yield* Fiber.join(first)
          yield* runtime.removePodSandbox(sandboxId)
        })
      )
    } finally {
      await other.stop()
      await rm(other.dir, { recursive: true, force: true })
    }
  })
})
