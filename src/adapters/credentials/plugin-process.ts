/** One run of a credential provider plugin: the request on its stdin, the answer on its stdout. */
import { spawn } from "node:child_process"
import process from "node:process"
import { Effect } from "effect"
import type { ProviderSettings } from "./port.ts"

/** Milliseconds that a plugin may take, as with kubelet (`plugin.go` ExecPlugin). */
export const pluginTimeout = 60_000
/** Bytes of an answer. */
export const maxAnswerBytes = 1024 * 1024
/** Bytes of what it writes on stderr, which stands in the agent's own log at level debug and nowhere else. */
const maxComplaintBytes = 4096

/** `complaint`: the plugin's stderr. It may hold anything, so it does not belong into events. */
export interface PluginRun {
  readonly outcome: { readonly answer: string } | { readonly problem: string }
  readonly complaint: string
}

const seconds = (millis: number): string => `${millis / 1000} s`

export const runPlugin = (
  { program, args, env }: ProviderSettings,
  request: string,
  timeout: number = pluginTimeout
): Effect.Effect<PluginRun> =>
  Effect.callback<PluginRun>((resume) => {
    // A group of its own, so that what it has started ends with it.
    const child = spawn(program, [...args], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, ...Object.fromEntries(env.map(({ name, value }) => [name, value])) }
    })
    const answer: Array<Buffer> = []
    const complaint: Array<Buffer> = []
    let answered = 0
    let complained = 0
    let isDone = false
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
      } catch {
        // It has ended already.
      }
    }
    const done = (outcome: PluginRun["outcome"]): void => {
      if (isDone) return
      isDone = true
      clearTimeout(timer)
      kill()
      child.stdout.destroy()
      child.stderr.destroy()
      resume(Effect.succeed({ outcome, complaint: Buffer.concat(complaint).toString("utf8") }))
    }
    const timer = setTimeout(() => done({ problem: `did not answer within ${seconds(timeout)}` }), timeout)
    child.stdout.on("data", (bytes: Buffer) => {
      answered += bytes.length
      if (answered > maxAnswerBytes) done({ problem: `answered more than ${maxAnswerBytes} bytes` })
      else answer.push(bytes)
    })
    child.stderr.on("data", (bytes: Buffer) => {
      if (complained < maxComplaintBytes) complaint.push(bytes.subarray(0, maxComplaintBytes - complained))
      complained += bytes.length
    })
    child.on("error", (error) => {
      done({ problem: `cannot be run (${(error as { readonly code?: string }).code ?? error.name})` })
    })
    child.on("close", (code, signal) => {
      if (code === 0) done({ answer: Buffer.concat(answer).toString("utf8") })
      else done({ problem: code === null ? `was ended by ${signal}` : `ended with exit code ${code}` })
    })
    // One that ends without reading leaves a broken pipe; how it ended says more.
    child.stdin.on("error", () => undefined)
    child.stdin.end(request)
    return Effect.sync(() => {
      isDone = true
      clearTimeout(timer)
      kill()
    })
  })
