/** `npm run demo`: see `--help`. scripts/demo.sh installs what it needs and starts it. */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { whyNoContainerd } from "../lab/containerd.ts"
import { findBusybox } from "../lab/image.ts"
import { natsServerMissing } from "../lab/nats.ts"
import { remove, removeAbandoned } from "./remove.ts"
import { Stage } from "./stage.ts"
import { play } from "./story.ts"
import { complain, explain, good, headline, title } from "./voice.ts"

const help = `Usage: npm run demo [-- options]

Runs a Chronode node of its own for about a minute: a private containerd, a private NATS server with JetStream, and
the pods of examples/. A second program shows the node's events as it receives them from NATS. A container and the
agent are killed; then the log is exported, replayed offline and asked why. Needs root; installs what is missing
(npm packages; on Debian and Ubuntu also containerd, runc, CNI plugins, nats-server and busybox-static).

Options:
  --out FILE   where the exported log goes (default: incident.ndjson here, or the next free name)
  --stop DIR   stop a demo that was left running, and remove it
  -h, --help   print this help

Environment:
  KEEP=1                     leave it running to play with; says how to go on and how to stop it
  CHRONODE_RUNTIME=bun|deno  what Chronode runs on (default bun)
  NO_COLOR=1                 no colours

Exit codes: 0 good, 1 failed, 2 wrong usage, 130 interrupted (all after cleaning up)`

/** Most names that are tried for the exported log. */
const maxNames = 1_000
/** Lines of the agent's log that are shown after a failure. */
const shownLogLines = 12

class Interrupted extends Error {}

/** Where the command was typed: npm goes to the package's own directory. */
const here = (): string =>
  process.env.npm_lifecycle_event === "demo" ? (process.env.INIT_CWD ?? process.cwd()) : process.cwd()

/** Takes a name that nobody has, so that two demos at once do not write to one file. */
const takeName = (out: string | undefined): string => {
  const names =
    out === undefined
      ? Array.from({ length: maxNames }, (_, n) => (n === 0 ? "incident.ndjson" : `incident-${n + 1}.ndjson`))
      : [out]
  for (const name of names) {
    const path = resolve(here(), name)
    try {
      closeSync(openSync(path, "wx", 0o600))
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw new Error(`cannot write ${path}: ${String(error)}`)
    }
  }
  throw new Error(out === undefined ? `${maxNames} incident files are here already` : `${out} exists already`)
}

const whyNot = async (): Promise<string | undefined> => {
  const lacking = whyNoContainerd() ?? natsServerMissing()
  if (lacking !== undefined) return lacking
  return findBusybox().then(
    () => undefined,
    (error: Error) => error.message
  )
}

/** The logs of a demo that failed, gathered in one directory that stays. */
const keepLogs = (stage: Stage): void => {
  mkdirSync(stage.logs, { recursive: true })
  for (const name of ["containerd/containerd.log", "nats/nats-server.log"]) {
    try {
      renameSync(join(stage.root, name), join(stage.logs, name.split("/")[1]!))
    } catch {
      // It did not get that far.
    }
  }
}

/** Whether a name was taken, and nothing came of it. */
const isEmpty = (path: string): boolean => {
  try {
    return statSync(path).size === 0
  } catch {
    return false
  }
}

const show = async (out: string | undefined, keep: boolean): Promise<number> => {
  const began = Date.now()
  const lacking = await whyNot()
  if (lacking !== undefined) {
    complain(lacking)
    return 1
  }
  await removeAbandoned()
  if (out !== undefined && existsSync(resolve(here(), out))) {
    complain(`${out} exists already`)
    return 1
  }
  let incident = ""
  const stage = new Stage(keep)
  let interrupt: (error: Error) => void = () => undefined
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = reject
  })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt(new Interrupted()))
  let code = 0
  try {
    title(`Chronode demo, on ${process.env.CHRONODE_RUNTIME ?? "bun"}`)
    await Promise.race([play(stage, keep, () => (incident = takeName(out))), interrupted])
  } catch (error) {
    code = error instanceof Interrupted ? 130 : 1
    if (code === 130) complain("interrupted; cleaning up")
    else {
      complain(error instanceof Error ? error.message : String(error))
      const words = stage.lastWords(shownLogLines)
      if (words !== "") complain(`the agent's log ends with\n${words}`)
    }
  }
  if (code === 0 && keep) return 0
  if (code === 0) headline("Cleaning up")
  await stage.close()
  if (code === 1) keepLogs(stage)
  await remove(stage.root, code === 1 ? "logs" : undefined)
  if (isEmpty(incident)) rmSync(incident)
  if (code === 1) complain(`cleaned up; the logs are in ${stage.logs}: ${readdirSync(stage.logs).join(", ")}`)
  if (code === 0) {
    good("processes, mounts, network, control groups and directories of the demo are gone")
    good(`the incident stays: ${incident}`)
    explain(`Done in ${Math.round((Date.now() - began) / 1000)} s.`)
  }
  return code
}

const main = async (): Promise<number> => {
  let options: { readonly out?: string; readonly stop?: string; readonly help?: boolean }
  try {
    options = parseArgs({
      options: { out: { type: "string" }, stop: { type: "string" }, help: { type: "boolean", short: "h" } }
    }).values
  } catch (error) {
    complain(`${(error as Error).message.split(". ")[0]}; see --help`)
    return 2
  }
  if (options.help === true) {
    process.stdout.write(`${help}\n`)
    return 0
  }
  if (options.stop !== undefined) {
    await remove(resolve(here(), options.stop))
    good(`${options.stop} and everything that ran for it are gone`)
    return 0
  }
  return show(options.out, (process.env.KEEP ?? "") !== "" && process.env.KEEP !== "0")
}

process.exit(
  await main().catch((error) => {
    complain(error instanceof Error ? error.message : String(error))
    return 1
  })
)
