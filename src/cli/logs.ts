/** `chronode logs NS/NAME`: what containers wrote to stdout and stderr, from the files that the runtime keeps. */
import { Effect, Result, Stream } from "effect"
import { type ContainerLog, findLog } from "../actors/pod/effects/log-container.ts"
import type { ContainerInState } from "../actors/pod/state.ts"
import type { ReadLog } from "../adapters/logs/port.ts"
import type { Context, Execute } from "./command.ts"
import { CommandFailed, exitCodes, UsageError } from "./exit.ts"
import { podText } from "./filter/pods.ts"
import { readerLeft } from "./follow-end.ts"
import { ByteLimit, LinePrinter } from "./logs/printer.ts"
import { chooseContainer, findPod, type PodTarget } from "./pod-target.ts"
import { agentDefaults } from "./run/agent-options.ts"
import { untilInterrupted } from "./signals.ts"
import { parseBytes } from "./sizes.ts"
import { timeFlag } from "./times.ts"

interface LogsFlags {
  readonly container?: string
  readonly allContainers?: boolean
  readonly follow?: boolean
  readonly previous?: boolean
  readonly since?: string
  readonly tail?: string
  readonly limitBytes?: string
  readonly timestamps?: boolean
  readonly prefix?: boolean
  readonly output: "text" | "json"
  readonly dataDir: string
  readonly podLogsDir?: string
}

const nanosecondsPerMillisecond = 1_000_000n
/** Events that end a container's log for good. */
const endings = new Set(["ContainerExited", "PodRemoved"])

const choose = (
  target: PodTarget,
  container: ContainerInState,
  flags: LogsFlags
): Result.Result<ContainerLog, string> =>
  findLog(
    { ...target, podLogsDir: flags.podLogsDir ?? target.podLogsDir ?? agentDefaults.podLogsDir },
    container,
    flags.previous === true
  )

const wholeNumber = (flag: string, text: string | undefined): number | undefined => {
  if (text === undefined || text === "-1") return undefined
  if (!/^\d{1,9}$/u.test(text))
    throw new UsageError(`${flag}: '${text}' is no number of lines; write 100, or -1 for all`)
  return Number(text)
}

const limitOf = (text: string | undefined): ByteLimit | undefined => {
  if (text === undefined) return undefined
  const bytes = parseBytes(text)
  if (bytes === undefined) throw new UsageError(`--limit-bytes: '${text}' is no number of bytes; write 4096 or 10Mi`)
  return new ByteLimit(bytes)
}

/** Watches the journal for the end of containers that are followed. */
const watchEnds = (target: PodTarget, ended: Set<string>) =>
  Stream.runForEach(target.log.read({ pod: target.name, types: endings }, true), ({ event }) =>
    Effect.sync(() => {
      if (Result.isFailure(event)) return
      const fact = event.success.event
      if (fact._tag === "ContainerExited") ended.add(fact.containerId)
      else if (fact._tag === "PodRemoved" && fact.uid === target.pod.metadata.uid) ended.add(fact.uid)
    })
  )

const print = (
  context: Context,
  target: PodTarget,
  chosen: ReadonlyArray<ContainerLog>,
  readLog: ReadLog,
  flags: LogsFlags
) =>
  Effect.gen(function* () {
    const { terminal } = context
    const { namespace, name } = target.name
    const follow = flags.follow === true
    const since = timeFlag("--since", flags.since, terminal.now())
    const tail = wholeNumber("--tail", flags.tail)
    const limit = limitOf(flags.limitBytes)
    const ended = new Set<string>()
    const one = ({ container, containerId, path }: ContainerLog) => {
      const printer = new LinePrinter(
        {
          timestamps: flags.timestamps === true,
          prefix: flags.prefix === true ? `[pod/${name}/${container.name}] ` : "",
          json: flags.output === "json" ? { namespace, pod: name, container: container.name } : undefined
        },
        (bytes) => terminal.bytes(limit === undefined ? bytes : limit.take(bytes))
      )
      const hasEnded = () => ended.has(containerId) || ended.has(target.pod.metadata.uid)
      const records = readLog({
        path,
        tail,
        since: since === undefined ? undefined : BigInt(Math.floor(since)) * nanosecondsPerMillisecond,
        follow: follow && container.containerId === containerId ? { hasEnded } : undefined,
        onUnreadable: (file, line) =>
          terminal.note(`chronode: ${file} holds lines of no known format, left out: ${line}`)
      })
      return records.pipe(
        Stream.takeWhile(() => limit?.isReached !== true),
        Stream.runForEach((batch) =>
          Effect.sync(() => {
            for (const record of batch) printer.print(record)
            if (follow) terminal.flush()
          })
        ),
        Effect.andThen(Effect.sync(() => printer.end())),
        Effect.mapError(({ message }) => {
          const advice = "run it as root; --pod-logs-dir names another directory of pods' logs"
          return new CommandFailed(`the log of ${podText(target.name)}/${container.name}: ${message}`, advice)
        })
      )
    }
    const all = Effect.forEach(chosen, one, { concurrency: follow ? Math.max(chosen.length, 1) : 1, discard: true })
    // A journal that cannot be read any more ends it: nobody would tell of the end.
    yield* follow ? Effect.raceFirst(all, Effect.andThen(watchEnds(target, ended), Effect.never)) : all
  })

export const execute: Execute<LogsFlags, [pod: string]> = async (context, flags, text) => {
  const { neighbours, terminal } = context
  if (flags.allContainers === true && flags.container !== undefined)
    throw new UsageError("give either --container or --all-containers")
  // Wrong values are told before anything is read.
  timeFlag("--since", flags.since, terminal.now())
  wholeNumber("--tail", flags.tail)
  limitOf(flags.limitBytes)
  const readLog = await neighbours.readLog()
  let missing = 0
  const printing = Effect.gen(function* () {
    const target = yield* findPod(text, flags.dataDir)
    const containers =
      flags.allContainers === true
        ? target.state.containers
        : [yield* chooseContainer(target, flags.container, terminal.note)]
    const chosen: Array<ContainerLog> = []
    for (const container of containers) {
      const found = choose(target, container, flags)
      if (Result.isSuccess(found)) chosen.push(found.success)
      else {
        missing += 1
        terminal.note(`chronode: ${found.failure}`)
      }
    }
    yield* print(context, target, chosen, readLog, flags)
  })
  const follow = flags.follow === true
  const ends = follow ? [readerLeft(neighbours)] : []
  await untilInterrupted(Effect.raceAllFirst([Effect.scoped(printing), ...ends]), follow)
  return missing === 0 ? exitCodes.good : exitCodes.failed
}
