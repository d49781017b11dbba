/** `chronode port-forward NS/NAME LOCAL:REMOTE…`: connections to this machine's ports go to the pod's. */
import { createServer, type Server, type Socket } from "node:net"
import { Deferred, Effect, FiberSet } from "effect"
import { podNameLabel, podNamespaceLabel } from "../actors/pod/labels.ts"
import type { ContainerRuntime } from "../adapters/cri/port.ts"
import type { ConnectPort } from "../adapters/streaming/port.ts"
import type { Execute } from "./command.ts"
import { CommandFailed, exitCodes, UsageError } from "./exit.ts"
import { podText } from "./filter/pods.ts"
import { findPod, type PodTarget } from "./pod-target.ts"
import { untilInterrupted } from "./signals.ts"
import { openRuntime, runtimeFailed } from "./streams/run-process.ts"

interface PortForwardFlags {
  readonly address: string
  readonly cri?: string
  readonly dataDir: string
}

export interface PortPair {
  /** 0: any that is free. */
  readonly local: number
  readonly remote: number
}

/** Connections that are forwarded at one time; more are refused. */
const maxConnections = 1000
const maxPort = 65_535

/** `8080`, `8080:80`, `:80` @throws UsageError */
export const parsePorts = (text: string): PortPair => {
  const match = /^(?:(\d{0,5}):)?(\d{1,5})$/u.exec(text)
  const remote = Number(match?.[2] ?? 0)
  const local = match?.[1] === undefined ? remote : Number(match[1])
  if (match === null || remote < 1 || remote > maxPort || local > maxPort)
    throw new UsageError(`'${text}' are no ports; write 8080:80, 8080 (both), or :80 (any local port that is free)`)
  return { local, remote }
}

type Runtime = ContainerRuntime["Service"]

/** The sandbox that the pod has now: a pod that is made anew is found again. */
const sandboxOf = (runtime: Runtime, { name }: PodTarget) =>
  Effect.gen(function* () {
    const labels = { [podNameLabel]: name.name, [podNamespaceLabel]: name.namespace }
    const sandboxes = yield* Effect.mapError(runtime.listPodSandboxes(labels), runtimeFailed(runtime.endpoint))
    const ready = sandboxes.filter((s) => s.state === "SANDBOX_READY")
    const newest = ready.sort((a, b) => a.createdAt.localeCompare(b.createdAt)).at(-1)
    if (newest === undefined) return yield* Effect.fail(new CommandFailed(`pod ${podText(name)} does not run`))
    return newest.id
  })

/** One connection, until both sides have ended it. */
const forward = (runtime: Runtime, target: PodTarget, connectPort: ConnectPort, socket: Socket, port: number) =>
  Effect.gen(function* () {
    const sandboxId = yield* sandboxOf(runtime, target)
    const url = yield* Effect.mapError(runtime.portForward(sandboxId, [port]), runtimeFailed(runtime.endpoint))
    const over = yield* Deferred.make<void, CommandFailed>()
    const finish = (result: Effect.Effect<void, CommandFailed>): void => void Deferred.doneUnsafe(over, result)
    const remote = yield* connectPort(url, port, {
      onData: (bytes) => {
        if (!socket.write(bytes)) remote.pause()
      },
      onEnd: () => {
        socket.end()
        if (socket.readableEnded) finish(Effect.void)
      },
      onDrain: () => void socket.resume(),
      onClose: (problem) =>
        finish(problem === undefined ? Effect.void : Effect.fail(new CommandFailed(problem.message)))
    }).pipe(Effect.mapError(({ message }) => new CommandFailed(message)))
    socket.on("data", (bytes) => {
      if (!remote.write(bytes)) socket.pause()
    })
    socket.on("drain", remote.resume)
    socket.once("end", () => {
      remote.end()
      if (socket.writableEnded) finish(Effect.void)
    })
    socket.once("close", () => finish(Effect.void))
    socket.resume()
    yield* Deferred.await(over)
  }).pipe(Effect.scoped, Effect.ensuring(Effect.sync(() => socket.destroySoon())))

const listen = (server: Server, port: number, address: string): Effect.Effect<number, CommandFailed> =>
  Effect.callback((resume) => {
    server.once("error", (error) =>
      resume(
        Effect.fail(
          new CommandFailed(
            `cannot listen on ${address}:${port}: ${error.message}`,
            "name another local port, or : for any"
          )
        )
      )
    )
    server.listen(port, address, () => {
      const bound = server.address()
      resume(Effect.succeed(typeof bound === "object" && bound !== null ? bound.port : port))
    })
  })

export const execute: Execute<PortForwardFlags, [pod: string, ports: ReadonlyArray<string>]> = async (
  context,
  flags,
  text,
  ports
) => {
  const { neighbours, terminal } = context
  const pairs = ports.map(parsePorts)
  const connectPort = await neighbours.connectPort()
  const forwarding = Effect.gen(function* () {
    const target = yield* findPod(text, flags.dataDir)
    const runtime = yield* openRuntime(context, target, flags.cri)
    yield* sandboxOf(runtime, target)
    const run = yield* FiberSet.makeRuntime<never>()
    for (const { local, remote } of pairs) {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
        // What goes wrong with the socket is followed by its close.
        socket.on("error", () => {})
        run(
          forward(runtime, target, connectPort, socket, remote).pipe(
            Effect.catch((error) => Effect.sync(() => terminal.note(`chronode: port ${remote}: ${error.message}`)))
          )
        )
      })
      server.maxConnections = maxConnections
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      const bound = yield* listen(server, local, flags.address)
      terminal.out(`forwarding ${flags.address}:${bound} to port ${remote} of ${podText(target.name)}\n`)
    }
    terminal.flush()
    yield* Effect.never
  })
  await untilInterrupted(Effect.scoped(forwarding), true)
  return exitCodes.good
}
