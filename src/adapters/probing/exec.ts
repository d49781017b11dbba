/** Asking by a command in the container (`pkg/probe/exec/exec.go`): exit code 0 is good. */
import { Duration, Effect } from "effect"
import type { ContainerRuntime, CriError } from "../cri/port.ts"
import { clip, failed, late, type Outcome, succeeded } from "./outcome.ts"
import type { ExecQuestion } from "./port.ts"

/** Bytes of output that are looked at (`maxReadLength`). */
export const maxExecBytes = 10 * 1024
/** The runtime ends the command itself; this long after it nothing more is waited for. Seconds. */
const runtimeGrace = 2

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
      { result: "error", output: error.message, timedOut: false }

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
      orElse: () => Effect.succeed(late(timeoutSeconds))
    }),
    Effect.catch((error) => Effect.succeed(judgeExecError(error, timeoutSeconds)))
  )
