/** Asking by a command in the container (`pkg/probe/exec/exec.go`): exit code 0 is good. */
import { Duration, Effect } from "effect"
import type { ContainerRuntime, CriError } from "../cri/port.ts"
import { clip, failed, late, type Outcome, succeeded, unknown } from "./outcome.ts"
import type { ExecQuestion } from "./port.ts"

/** Bytes of output that are looked at (`maxReadLength`). */
export const maxExecBytes = 10 * 1024
/** The runtime ends the command itself; this long after it nothing more is waited for. Seconds. */
const runtimeGrace = 2
/** What a runtime that works may take to say so, seconds. */
const signOfLife = 2

/** From what a command wrote and its exit code. */
export const judgeExec = (output: string, exitCode: number): Outcome => {
  const seen = clip(output, maxExecBytes)
  if (exitCode === 0) return succeeded(seen)
  return failed(seen === "" ? `exit code ${exitCode}` : seen)
}

/** From the runtime's own failure. */
export const judgeExecError = (error: CriError, timeoutSeconds: number): Outcome =>
  error.reason === "DeadlineExceeded"
    ? late(timeoutSeconds)
    : // The runtime, not the container, is at fault: nothing is concluded.
      unknown(error.message)

/**
 * The command is overdue, and the runtime did not end it. One that answers no other call either is at fault itself, and
 * says nothing of the container (law 10); kubelet waits two minutes for it before it counts that as a failure.
 */
const judgeSilence = (
  runtime: (typeof ContainerRuntime)["Service"],
  timeoutSeconds: number
): Effect.Effect<Outcome, CriError> =>
  runtime.version.pipe(
    Effect.as(late(timeoutSeconds)),
    Effect.timeoutOrElse({
      duration: Duration.seconds(signOfLife),
      orElse: () => Effect.succeed(unknown("the container runtime does not answer"))
    })
  )

export const askExec = (
  runtime: (typeof ContainerRuntime)["Service"],
  { containerId, command, timeoutSeconds }: ExecQuestion
): Effect.Effect<Outcome> =>
  runtime.execSync(containerId, command, timeoutSeconds).pipe(
    Effect.map(({ stdout, stderr, exitCode }) => {
      const decoder = new TextDecoder()
      return judgeExec(decoder.decode(stdout) + decoder.decode(stderr), exitCode)
    }),
    Effect.timeoutOrElse({
      duration: Duration.seconds(timeoutSeconds + runtimeGrace),
      orElse: () => judgeSilence(runtime, timeoutSeconds)
    }),
    Effect.catch((error) => Effect.succeed(judgeExecError(error, timeoutSeconds)))
  )
