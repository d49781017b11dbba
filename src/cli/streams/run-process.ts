/** What `exec` and `attach` share: the pod's container, a URL of the runtime's streaming server, and this program's streams on it. */
import process from "node:process"
import { Effect, type Scope } from "effect"
import type { ContainerInState } from "../../actors/pod/state.ts"
import { type ContainerRuntime, CriError, deadlines, type StreamOptions } from "../../adapters/cri/port.ts"
import type { StreamingError } from "../../adapters/streaming/port.ts"
import type { Context } from "../command.ts"
import { CommandFailed } from "../exit.ts"
import { podText } from "../filter/pods.ts"
import { chooseContainer, findPod, type PodTarget } from "../pod-target.ts"
import { agentDefaults } from "../run/agent-options.ts"
import { socketOf } from "../run/agent-settings.ts"
import { openInput, openTerminal } from "./local-terminal.ts"

export interface ProcessFlags {
  readonly container?: string
  readonly stdin?: boolean
  readonly tty?: boolean
  readonly cri?: string
  readonly dataDir: string
}

/** A shell's: 128 and the signal's number. */
const signalCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
type Signal = keyof typeof signalCodes

/** Answers the exit code for the signal that came. */
const signalled: Effect.Effect<number> = Effect.callback((resume) => {
  const listeners = (Object.keys(signalCodes) as ReadonlyArray<Signal>).map((name) => {
    const listener = (): void => resume(Effect.succeed(signalCodes[name]))
    process.on(name, listener)
    return () => process.off(name, listener)
  })
  return Effect.sync(() => {
    for (const stop of listeners) stop()
  })
})

export const runtimeFailed =
  (endpoint: string) =>
  (error: CriError): CommandFailed =>
    new CommandFailed(
      `${error.call}: ${error.message}`,
      error.reason === "Unavailable" ? `nobody answers at ${endpoint}; --cri names another socket` : undefined
    )

/** The runtime that the agent uses, or the one that is named. */
export const openRuntime = (
  { neighbours }: Context,
  target: Pick<PodTarget, "endpoint">,
  cri: string | undefined
): Effect.Effect<Runtime, CommandFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const endpoint = socketOf(cri ?? target.endpoint ?? agentDefaults.cri)
    const make = yield* Effect.promise(() => neighbours.openRuntime())
    return yield* Effect.mapError(make({ endpoint, deadlines: { quick: deadlines.quick } }), runtimeFailed(endpoint))
  })

const runningContainer = (
  target: PodTarget,
  wanted: string | undefined,
  note: (line: string) => void
): Effect.Effect<ContainerInState, CommandFailed> =>
  Effect.flatMap(chooseContainer(target, wanted, note), (container) => {
    if (container.status === "running" || container.status === "killing") return Effect.succeed(container)
    const pod = podText(target.name)
    return Effect.fail(
      new CommandFailed(
        `container ${pod}/${container.name} does not run`,
        `chronode get containers tells its state, chronode why pod ${pod} the reason`
      )
    )
  })

const streamingFailed = (error: StreamingError): CommandFailed =>
  new CommandFailed(
    error.message,
    error.reason === "Broken" ? "the process may go on in the container; is the runtime running?" : undefined
  )

type Runtime = ContainerRuntime["Service"]

/** Asks for the URL of the runtime's streaming server; `tty`: whether the process there has a terminal. */
export type AskForUrl = (
  runtime: Runtime,
  target: PodTarget,
  container: ContainerInState,
  streams: StreamOptions
) => Effect.Effect<{ readonly url: string; readonly tty: boolean }, CriError | CommandFailed>

/** Runs to the end of the process or a signal; answers the exit code. */
export const runInContainer = async (
  context: Context,
  flags: ProcessFlags,
  text: string,
  ask: AskForUrl
): Promise<number> => {
  const { neighbours, terminal } = context
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  const wantsTerminal = flags.tty === true && isTerminal
  if (flags.tty === true && !isTerminal)
    terminal.note("chronode: stdin and stdout are no terminal: the process gets none")
  const streams: StreamOptions = { stdin: flags.stdin === true, tty: wantsTerminal }
  const runProcess = await neighbours.runProcess()
  const running = Effect.gen(function* () {
    const target = yield* findPod(text, flags.dataDir)
    const container = yield* runningContainer(target, flags.container, terminal.note)
    const runtime = yield* openRuntime(context, target, flags.cri)
    const { url, tty } = yield* ask(runtime, target, container, streams).pipe(
      Effect.mapError((error) => (error instanceof CriError ? runtimeFailed(runtime.endpoint)(error) : error))
    )
    const stdin = streams.stdin ? yield* openInput : undefined
    const screen = wantsTerminal ? yield* openTerminal : undefined
    const stdout = (bytes: Uint8Array): void => {
      terminal.bytes(bytes)
      terminal.flush()
    }
    const remote = runProcess(url, { stdin, tty, terminal: screen, stdout, stderr: terminal.noteBytes })
    return yield* Effect.mapError(remote, streamingFailed)
  })
  return await Effect.runPromise(Effect.raceFirst(Effect.scoped(running), signalled))
}
