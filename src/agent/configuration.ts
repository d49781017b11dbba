/**
 * The agent's configuration while it runs, tied together: what counts now, its file read again, and what the node's actor is told of
 * both. Part of the agent's wiring.
 */
import { statSync } from "node:fs"
import process from "node:process"
import { Clock, Duration, Effect, Queue, Result } from "effect"
import { canonical } from "../actors/kernel/json.ts"
import type { CommandOf } from "../actors/node/commands.ts"
import { changedFields } from "../actors/node/configuration.ts"
import { encode } from "../cli/kubelet-configuration/codec.ts"
import { withDefaults } from "../cli/kubelet-configuration/defaults.ts"
import { takeLive, viewOf } from "../cli/kubelet-configuration/live.ts"
import { bounded, withoutSecrets } from "../cli/kubelet-configuration/told.ts"
import type { LogThreshold } from "../cli/run/agent-log.ts"
import type { AgentOptions } from "../cli/run/agent-options.ts"
import { logRotationOf } from "../cli/run/agent-settings.ts"

/** How often it is looked whether the file is another; a SIGHUP does not wait for it. */
const checkPeriod = Duration.seconds(10)
/** Problems of a file that are told in one event. */
const maxProblems = 16
/** Characters of one problem's message. */
const maxMessage = 512

type Told = CommandOf<"ConfigurationRead"> | CommandOf<"ConfigurationRefused">
type Problem = CommandOf<"ConfigurationRefused">["problems"][number]

/** `c.yaml:3:14: healthzPort: must be …`; with or without a place, with or without a field. */
const problemOf = (file: string, line: string): Problem => {
  const at = line.startsWith(`${file}:`) ? /^(\d+):(\d+): (.*)$/su.exec(line.slice(file.length + 1)) : null
  const rest = at?.[3] ?? line
  const named = at === null ? null : /^([A-Za-z][\w.[\]-]*): (.*)$/su.exec(rest)
  return {
    ...(at === null ? {} : { line: Number(at[1]), column: Number(at[2]) }),
    ...(named === null ? {} : { field: named[1] as string }),
    message: (named?.[2] ?? rest).slice(0, maxMessage)
  }
}

/** Another text for a file that may be another. */
const markOf = (file: string): string => {
  try {
    const { mtimeMs, size, ino } = statSync(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What a ChronodeConfiguration says beside the level of the log; all of it counts from the next start on. */
const ownOptions = [
  ...[
    "nodeName",
    "dataDir",
    "containerLogsDir",
    "recording",
    "durability",
    "stream",
    "retention",
    "nats",
    "otel",
    "api"
  ],
  "logFormat"
] as ReadonlyArray<keyof AgentOptions>

/** Their names only: some of them hold secrets. */
const othersChanged = (before: AgentOptions, after: AgentOptions): ReadonlyArray<string> =>
  ownOptions.filter((option) => canonical(before[option]) !== canonical(after[option]))

const hangups = Effect.gen(function* () {
  const queue = yield* Queue.sliding<true>(1)
  const onHangup = (): void => void Queue.offerUnsafe(queue, true)
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("SIGHUP", onHangup)),
    () => Effect.sync(() => process.off("SIGHUP", onHangup))
  )
  return Queue.take(queue)
})

/** `options` are those that the agent was started with; the answer's are to be used in their place: readers of it see what counts now. */
export const liveConfiguration = (told: AgentOptions, threshold: LogThreshold) => {
  let running = told.kubelet
  const current = () => running
  const rotation = () => logRotationOf(current())
  const logRotation: AgentOptions["logRotation"] = {
    maxWorkers: told.logRotation.maxWorkers,
    get maxSizeBytes() {
      return rotation().maxSizeBytes
    },
    get maxFiles() {
      return rotation().maxFiles
    },
    get monitorInterval() {
      return rotation().monitorInterval
    }
  }
  const options: AgentOptions = { ...told, kubelet: viewOf(current), logRotation }

  const read = (reason: "Started" | "Reloaded", from: AgentOptions, needsRestart: ReadonlyArray<string>) =>
    Effect.map(Clock.currentTimeMillis, (at): Told => {
      const { configuration, omitted } = bounded(withoutSecrets(current()))
      return {
        _tag: "ConfigurationRead",
        at,
        reason,
        ...(from.configurationFile === undefined ? {} : { file: from.configurationFile }),
        configuration,
        logLevel: threshold.level,
        needsRestart,
        notHonoured: from.notHonoured,
        ...(omitted.length === 0 ? {} : { omitted }),
        beside: changedFields(encode(withDefaults({})), configuration)
      }
    })

  const reload = (file: string, again: () => AgentOptions) =>
    Effect.gen(function* () {
      const next = Result.try({
        try: again,
        catch: (error) => (error instanceof Error ? error.message : String(error))
      })
      if (Result.isFailure(next)) {
        const lines = next.failure.split("\n")
        const problems = lines.slice(0, maxProblems).map((line) => problemOf(file, line))
        const at = yield* Clock.currentTimeMillis
        return { _tag: "ConfigurationRefused", at, file, problems, count: lines.length } as Told
      }
      const { kubelet, needsRestart } = takeLive(current(), next.success.kubelet)
      running = kubelet
      threshold.level = next.success.logLevel
      return yield* read("Reloaded", next.success, [...needsRestart, ...othersChanged(told, next.success)])
    })

  /** Tells what the agent runs with, and then each time that its file is another. Runs until interrupted. */
  const follow = (tell: (command: Told) => Effect.Effect<void>) =>
    Effect.gen(function* () {
      const { configurationFile: file, reload: again } = told
      const hangup = file === undefined ? Effect.never : yield* hangups
      yield* tell(yield* read("Started", told, []))
      if (file === undefined || again === undefined) return yield* Effect.never
      // It may have changed since it was read for the start.
      let mark = ""
      for (;;) {
        const isAsked = (yield* Effect.timeoutOption(hangup, checkPeriod))._tag === "Some"
        const now = markOf(file)
        if (!isAsked && now === mark) continue
        mark = now
        yield* tell(yield* reload(file, again))
      }
    }).pipe(Effect.scoped)

  return { options, follow }
}
