/**
 * A private nats-server with JetStream on a file store, for tests, the demo and benches: own directory, own free port on
 * 127.0.0.1, kept over restarts. Needs `nats-server` in PATH (Debian: `apt-get install nats-server`).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { freePort } from "./free-port.ts"

export interface NatsServerOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Also serve the HTTP monitoring endpoint. */
  readonly monitor?: boolean
  readonly user?: string
  readonly password?: string
  readonly token?: string
  /** Public user nkey (`U…`) that may connect. */
  readonly nkey?: string
  /** Permissions of the user or nkey, in the server's configuration language: `publish: "a.>", subscribe: ">"`. */
  readonly permissions?: string
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string; readonly verify?: boolean }
  /** More lines of server configuration. */
  readonly config?: string
  /** False: core NATS only. */
  readonly jetstream?: boolean
}

export interface NatsServer {
  readonly url: string
  readonly port: number
  readonly monitorPort: number | undefined
  readonly dir: string
  /** Of the present process; changes with `restart`. */
  readonly pid: number
  /** Graceful; answers when the process is gone. */
  readonly stop: () => Promise<void>
  /** SIGKILL; answers when the process is gone. */
  readonly kill: () => Promise<void>
  /** SIGSTOP and SIGCONT: a server that holds its connections and says nothing. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Starts again (killing first what still runs) on the same port; `wipe` throws the stored streams away. */
  readonly restart: (options?: { readonly wipe?: boolean }) => Promise<void>
}

/** Milliseconds until all threads of a process must have stopped. */
const stopLimit = 2_000

/** SIGSTOP is on its way for a moment yet when kill(2) returns: a thread may still answer. Waits until none runs. */
const awaitStopped = (pid: number | undefined): void => {
  const clock = new Int32Array(new SharedArrayBuffer(4))
  for (let waited = 0; waited < stopLimit; waited++) {
    const threads = readdirSync(`/proc/${pid}/task`)
    const states = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8"))
    if (states.every((stat) => /\) [Tt] /u.test(stat))) return
    Atomics.wait(clock, 0, 0, 1)
  }
  throw new Error(`process ${pid} did not stop within ${stopLimit} ms`)
}

/** Milliseconds until a server that does not listen is an error. */
const startTimeout = 15_000
const stopTimeout = 10_000
const startAttempts = 5

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Not `ChildProcess.kill`: on Deno a second call of it does nothing, whatever the signal. */
const signalTo = (child: ChildProcess | undefined, signal: NodeJS.Signals): void => {
  if (child?.pid === undefined) return
  try {
    process.kill(child.pid, signal)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ESRCH") throw error
  }
}

/** Why nats-server cannot be used here, or `undefined`. For `it(…, { skip })`. */
export const natsServerMissing = (): string | undefined =>
  spawnSync("nats-server", ["--version"]).status === 0 ? undefined : "nats-server is not installed"

/** True when the port answers with the server's greeting. */
const greets = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, () => done(false))
    socket.once("error", () => done(false))
    socket.once("close", () => done(false))
    socket.once("data", (bytes) => done(String(bytes).startsWith("INFO")))
  })

const configuration = (
  dir: string,
  port: number,
  monitorPort: number | undefined,
  options: NatsServerOptions
): string => {
  const quoted = (text: string) => JSON.stringify(text)
  const permissions = options.permissions === undefined ? "" : `, permissions: { ${options.permissions} }`
  const lines = [`server_name: lab`, `listen: "127.0.0.1:${port}"`]
  if (monitorPort !== undefined) lines.push(`http: "127.0.0.1:${monitorPort}"`)
  if (options.jetstream !== false) lines.push(`jetstream { store_dir: ${quoted(join(dir, "store"))} }`)
  if (options.token !== undefined) lines.push(`authorization { token: ${quoted(options.token)} }`)
  if (options.nkey !== undefined) lines.push(`authorization { users: [{ nkey: ${options.nkey}${permissions} }] }`)
  if (options.user !== undefined) {
    const login = `user: ${quoted(options.user)}, password: ${quoted(options.password ?? "")}`
    lines.push(`authorization { users: [{ ${login}${permissions} }] }`)
  }
  if (options.tls !== undefined) {
    const { ca, cert, key, verify } = options.tls
    const authority = ca === undefined ? "" : `, ca_file: ${quoted(ca)}`
    lines.push(`tls { cert_file: ${quoted(cert)}, key_file: ${quoted(key)}${authority}, verify: ${verify === true} }`)
  }
  if (options.config !== undefined) lines.push(options.config)
  return `${lines.join("\n")}\n`
}

/** Starts a server in `dir` (made if absent); answers when it accepts connections. Its log is `dir/nats-server.log`. */
export const startNats = async (dir: string, options: NatsServerOptions = {}): Promise<NatsServer> => {
  mkdirSync(dir, { recursive: true })
  const log = join(dir, "nats-server.log")
  const file = join(dir, "nats-server.conf")
  let port = options.port ?? (await freePort())
  const monitorPort = options.monitor === true ? await freePort() : undefined
  let child: ChildProcess | undefined
  let exited: Promise<void> = Promise.resolve()

  const launch = async (): Promise<boolean> => {
    writeFileSync(file, configuration(dir, port, monitorPort, options), { mode: 0o600 })
    const out = openSync(log, "a")
    const started = spawn("nats-server", ["-c", file], { stdio: ["ignore", out, out] })
    closeSync(out)
    child = started
    let gone = false
    exited = new Promise((resolve) => {
      const end = () => {
        gone = true
        resolve()
      }
      started.once("exit", end)
      started.once("error", end)
    })
    const deadline = Date.now() + startTimeout
    while (!gone && Date.now() < deadline) {
      if (await greets(port)) return !gone
      await pause(15)
    }
    signalTo(started, "SIGKILL")
    await exited
    return false
  }

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return exited
    signalTo(running, "SIGCONT")
    signalTo(running, signal)
    const late = setTimeout(() => signalTo(running, "SIGKILL"), stopTimeout)
    await exited
    clearTimeout(late)
  }

  const start = async (mayMove: boolean): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      if (await launch()) return
      if (attempt >= startAttempts) {
        throw new Error(`nats-server does not start in ${dir}: ${readFileSync(log, "utf8").slice(-1_000)}`)
      }
      // Somebody took the port between the kernel's answer and the listen.
      if (mayMove) port = await freePort()
      await pause(50 * attempt)
    }
  }

  await start(options.port === undefined)
  return {
    get url() {
      return `nats://127.0.0.1:${port}`
    },
    get port() {
      return port
    },
    monitorPort,
    dir,
    get pid() {
      return child?.pid ?? 0
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    freeze: () => {
      signalTo(child, "SIGSTOP")
      awaitStopped(child?.pid)
    },
    thaw: () => signalTo(child, "SIGCONT"),
    restart: async (restart = {}) => {
      await end("SIGKILL")
      if (restart.wipe === true) rmSync(join(dir, "store"), { recursive: true, force: true })
      await start(false)
    }
  }
}
