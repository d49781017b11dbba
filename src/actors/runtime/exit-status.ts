/** How a container ended, with its last words: the runtime's status and the termination message (`kuberuntime_container.go`). */
import { Effect } from "effect"
import { ContainerRuntime, type ContainerState, type ContainerStatus, type CriError } from "../../adapters/cri/port.ts"
import { Host } from "../../adapters/host/port.ts"
import type { ObservedContainer } from "../pod/commands.ts"

/** Bytes of the termination message file that count (`pkg/kubelet/container/helpers.go`). */
export const maxMessageBytes = 4096
/** Bytes of the log that stand in for it, with the policy FallbackToLogsOnError. */
export const maxLogMessageBytes = 2048
/** Lines of the same. */
export const maxLogMessageLines = 80
/** Bytes of the log that are read for it: a runtime cuts lines at 16 KiB, and the first one that is met may be a part. */
const logTailBytes = 2 * 16 * 1024 + 1024

const pathAnnotation = "io.kubernetes.container.terminationMessagePath"
const policyAnnotation = "io.kubernetes.container.terminationMessagePolicy"

/** The runtime's view of one container; `missing` where it does not know it. */
export const observeContainer = (
  containerId: string
): Effect.Effect<ObservedContainer, CriError, ContainerRuntime | Host> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const status = yield* runtime.containerStatus(containerId).pipe(
      Effect.catchIf(
        (error) => error.reason === "NotFound",
        () => Effect.succeed(undefined)
      )
    )
    if (status === undefined) return { containerId, state: "missing" }
    const message = yield* lastWords(status)
    return {
      containerId,
      state: observedState(status.state),
      ...(status.startedAt === undefined ? {} : { startedAt: status.startedAt }),
      ...(status.finishedAt === undefined ? {} : { finishedAt: status.finishedAt }),
      exitCode: status.exitCode,
      reason: status.reason === "" ? (status.exitCode === 0 ? "Completed" : "Error") : status.reason,
      message
    }
  })

/** The pod's word for it (`kuberuntime_helpers.go` toKubeContainerState). */
export const observedState = (state: ContainerState): "created" | "running" | "exited" | "unknown" => {
  switch (state) {
    case "CONTAINER_CREATED":
      return "created"
    case "CONTAINER_RUNNING":
      return "running"
    case "CONTAINER_EXITED":
      return "exited"
    default:
      return "unknown"
  }
}

/**
 * What the runtime says, and behind it what the container wrote to its message file: the end of it, or for a failure with
 * the policy FallbackToLogsOnError and nothing written, the end of its log.
 */
const lastWords = (status: ContainerStatus): Effect.Effect<string, never, Host> =>
  Effect.gen(function* () {
    const host = yield* Host
    if (status.state !== "CONTAINER_EXITED") return status.message
    const path = status.annotations[pathAnnotation]
    const mount = status.mounts.find((m) => m.containerPath === path)
    const written = mount === undefined ? "" : yield* readable(host.readTail(mount.hostPath, maxMessageBytes))
    const wantsLog =
      written === "" &&
      status.exitCode !== 0 &&
      status.logPath !== "" &&
      status.annotations[policyAnnotation] === "FallbackToLogsOnError"
    const words = wantsLog ? lastLines(yield* readable(host.readTail(status.logPath, logTailBytes))) : written
    return [status.message, words].filter((text) => text !== "").join(": ")
  })

/** The text is evidence, not needed: where it cannot be read, that is what is said. */
const readable = <E extends { readonly message: string }>(read: Effect.Effect<string, E>): Effect.Effect<string> =>
  Effect.catch(read, (error) => Effect.succeed(`(the termination message cannot be read: ${error.message})`))

const lastLines = (tail: string): string => Buffer.from(criLogText(tail)).subarray(-maxLogMessageBytes).toString("utf8")

/** `2026-11-21T05:53:47.123Z stdout F text` → `text`; a cut first line is left out. */
const criLogText = (tail: string): string =>
  tail
    .split("\n")
    .flatMap((line) => {
      const match = /^\S+ (?:stdout|stderr) ([FP]) (.*)$/u.exec(line)
      return match === null ? [] : [match[1] === "F" ? `${match[2]}\n` : (match[2] ?? "")]
    })
    .slice(-maxLogMessageLines)
    .join("")
