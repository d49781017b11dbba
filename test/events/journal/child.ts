/** Programs of their own beside a test, on the runtime that the test runs on. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { Effect, type Scope } from "effect"

export interface Child {
  readonly process: ChildProcess
  /** What it has printed so far. */
  readonly output: () => string
  readonly exited: Promise<void>
}

const runtimeFlags = "bun" in process.versions ? [] : ["run", "-A", "--no-check", "--quiet"]

/** Starts `script` (beside this file). Killed when the scope closes. */
export const startChild = (script: string, args: ReadonlyArray<string>): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = fileURLToPath(new URL(script, import.meta.url))
      const child = spawn(process.execPath, [...runtimeFlags, path, ...args], { stdio: ["ignore", "pipe", "inherit"] })
      let output = ""
      child.stdout.on("data", (bytes: Buffer) => {
        output += bytes.toString("latin1")
      })
      return { process: child, output: () => output, exited: once(child, "close").then(() => {}) }
    }),
    (child) =>
      Effect.promise(() => {
        child.process.kill("SIGKILL")
        return child.exited
      })
  )
