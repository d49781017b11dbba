/** The agent on this machine, asked by commands over its local socket. Who can open the socket may do everything. */
import { request } from "node:http"
import { join } from "node:path"
import { Effect } from "effect"
import { CommandFailed } from "./exit.ts"

/** In the data directory of the agent; its owner's alone. */
export const localSocket = "chronode.sock"

/** What an answer may take, milliseconds. A drain says how it goes on, and may take long. */
const answerTimeout = 30_000
/** Bytes of an answer. */
const maxAnswerBytes = 64 * 1024 * 1024

export interface LocalAnswer {
  readonly status: number
  readonly body: string
}

interface Asked {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly body?: unknown
  /** Milliseconds; absent: 30 seconds. */
  readonly timeout?: number
}

const unreachable = (socket: string, error: NodeJS.ErrnoException): CommandFailed => {
  switch (error.code) {
    case "ENOENT":
    case "ECONNREFUSED":
      return new CommandFailed(
        `no agent runs with this data directory: nobody listens at ${socket}`,
        "start one with chronode run, or name another directory with --data-dir"
      )
    case "EACCES":
    case "EPERM":
      return new CommandFailed(`this user may not open ${socket}`, "run as the agent's user (root)")
    default:
      return new CommandFailed(`the agent at ${socket} did not answer: ${error.message}`, "its log says more")
  }
}

/** Whatever the agent answers, also a refusal. */
export const askAgent = (dataDir: string, asked: Asked): Effect.Effect<LocalAnswer, CommandFailed> =>
  Effect.callback((resume, signal) => {
    const socketPath = join(dataDir, localSocket)
    const timeout = asked.timeout ?? answerTimeout
    const body = asked.body === undefined ? undefined : Buffer.from(JSON.stringify(asked.body))
    const sent = request({
      socketPath,
      method: asked.method,
      path: asked.path,
      headers: {
        host: "localhost",
        ...(body === undefined ? {} : { "content-type": "application/json", "content-length": body.length })
      },
      agent: false,
      signal
    })
    const fail = (error: CommandFailed): void => {
      clearTimeout(timer)
      sent.destroy()
      resume(Effect.fail(error))
    }
    const timer = setTimeout(
      () => fail(new CommandFailed(`the agent at ${socketPath} did not answer in ${timeout / 1000} s`)),
      timeout
    )
    sent.on("error", (error) => fail(unreachable(socketPath, error)))
    sent.on("response", (response) => {
      const chunks: Array<Uint8Array> = []
      let size = 0
      response.on("data", (chunk: Uint8Array) => {
        size += chunk.length
        if (size > maxAnswerBytes) fail(new CommandFailed(`the agent's answer to ${asked.path} is too large`))
        else chunks.push(chunk)
      })
      response.on("error", (error) => fail(unreachable(socketPath, error)))
      response.on("end", () => {
        clearTimeout(timer)
        resume(Effect.succeed({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }))
      })
    })
    sent.end(body)
  })

/** JSON of an answer that is good; a refusal fails with what the agent said. */
export const askAgentJson = (dataDir: string, asked: Asked): Effect.Effect<unknown, CommandFailed> =>
  Effect.flatMap(askAgent(dataDir, asked), ({ status, body }) => {
    if (status < 200 || status > 299)
      return Effect.fail(
        new CommandFailed(`the agent refused ${asked.method} ${asked.path} (${status}): ${body.trim()}`)
      )
    return Effect.try({
      try: () => (body === "" ? undefined : (JSON.parse(body) as unknown)),
      catch: () => new CommandFailed(`the agent's answer to ${asked.path} is no JSON`)
    })
  })
