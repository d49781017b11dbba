/** Runs bin/chronode as a user does. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

export const binary = fileURLToPath(new URL("../../bin/chronode", import.meta.url))
export const runtimes = ["bun", "deno"] as const
export type Runtime = (typeof runtimes)[number]
/**
 * The runtimes that a file of command-line tests starts: its own, so that both are in every run without each case being paid
 * for twice; with `npm test -- --both` (CHRONODE_BOTH) every file starts both.
 */
export const runtimesOf = (own: Runtime): ReadonlyArray<Runtime> =>
  process.env.CHRONODE_BOTH === "1" ? runtimes : [own]

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** What a program may take, milliseconds: a bound for a test that hangs, no claim about speed. */
const limit = 30_000

export interface Running {
  readonly finished: Promise<Finished>
  readonly signal: (name: NodeJS.Signals) => void
  /** Resolves when stdout holds the text. */
  readonly printed: (text: string) => Promise<void>
}

export const startProgram = (
  command: string,
  words: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  cwd?: string
): Running => {
  const { NO_COLOR: _, CHRONODE_DATA_DIR: __, ...inherited } = process.env
  const child = spawn(command, [...words], {
    env: { ...inherited, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd })
  })
  let out = ""
  let err = ""
  let waiting: Array<{ readonly text: string; readonly resolve: () => void }> = []
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text
    for (const waiter of waiting) if (out.includes(waiter.text)) waiter.resolve()
    waiting = waiting.filter((waiter) => !out.includes(waiter.text))
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text
  })
  const finished = new Promise<Finished>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      reject(new Error(`${command} ${words.join(" ")} did not end\n${out}\n${err}`))
    }, limit)
    child.on("error", reject)
    child.on("close", (code) => {
      clearTimeout(timer)
      resolve({ code, out, err })
    })
  })
  return {
    finished,
    signal: (name) => void child.kill(name),
    printed: (text) =>
      Promise.race([
        new Promise<void>((resolve) => (out.includes(text) ? resolve() : waiting.push({ text, resolve }))),
        finished.then(({ err: said }) => {
          if (!out.includes(text)) throw new Error(`it ended without printing ${text}\n${said}`)
        })
      ])
  }
}

/** Runs `chronode` with these words to its end. */
export const chronode = (
  runtime: Runtime,
  words: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {},
  cwd?: string
): Promise<Finished> => startProgram(binary, words, { CHRONODE_RUNTIME: runtime, ...environment }, cwd).finished
