/** One test file on one runtime: how it is started, and what came of it. */
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { type Outcome, runCommand } from "./command.ts"
import type { TestFile } from "./files.ts"
import { levelLimits, vmSlowness } from "./limits.ts"
import type { Runtime } from "./options.ts"
import { type Counts, countCases, noCounts, parseNotes, withNotes } from "./report.ts"

export interface FileResult extends Counts {
  readonly path: string
  readonly milliseconds: number
  /** What went wrong beside failing tests: a crash, no tests at all, over the limit. */
  readonly problems: ReadonlyArray<string>
  /** Worth a look, but no failure. */
  readonly remarks: ReadonlyArray<string>
  readonly reasons: ReadonlyArray<string>
  readonly output: string
}

export interface RunnerContext {
  readonly root: string
  /** For reports, coverage and temporary directories of tests; removed at the end. */
  readonly scratch: string
  readonly rounds: number | undefined
  readonly both: boolean
  /** Where unit tests on Bun leave their coverage; undefined: none is taken. */
  readonly coverage: string | undefined
  /** In the virtual machine; absent: on this machine itself. */
  readonly place?: "vm"
}

const recorder = "./test/support/recorder"

/** The file's name as one word, for the files that belong to it. */
const slug = (path: string, place: string): string => `${place}-${path.replaceAll(/[^\w]+/g, "-")}`

const argumentsFor = (
  file: TestFile,
  runtime: Runtime,
  junit: string,
  context: RunnerContext
): ReadonlyArray<string> => {
  if (runtime === "deno") {
    const shared = ["--allow-all", "--no-check", "--no-lock", "--no-prompt"]
    const record = [`--preload=${recorder}/deno.ts`, `--import-map=${recorder}/import-map.json`]
    return ["test", ...shared, ...record, `--junit-path=${junit}`, `./${file.path}`]
  }
  const report = [`--preload=${recorder}/bun.ts`, "--reporter=junit", `--reporter-outfile=${junit}`]
  const coverage =
    context.coverage === undefined || file.level !== "unit"
      ? []
      : ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${join(context.coverage, slug(file.path, runtime))}`]
  const slower = context.place === "vm" ? vmSlowness : 1
  const limit = `--timeout=${levelLimits[file.level].test * slower}`
  // Bun takes a bare word for a filter over all test files; with `./` it is a path.
  return ["--no-install", "test", ...report, ...coverage, limit, `./${file.path}`]
}

/** The program itself: npm's `deno` may be a script of Node's that passes no signals on. */
export const runtimeBinary = (root: string, runtime: Runtime): string =>
  realpathSync(join(root, "node_modules", ".bin", runtime))

const ownNetns = fileURLToPath(new URL("own-netns.sh", import.meta.url))

/** Why this user cannot run the file at all, or undefined. */
export const whyNotHere = (file: TestFile, userId: number | undefined): string | undefined =>
  file.ownNetns && userId !== 0 ? "needs root, for a network namespace of its own" : undefined

const notRun = (file: TestFile, reason: string): FileResult => ({
  ...{ path: file.path, passed: 0, failed: 0, skipped: 1, milliseconds: 0 },
  ...{ problems: [], remarks: [], reasons: [reason], output: "" }
})

/** What is started for one file, and where it leaves what it reports. */
export interface FileCommand {
  readonly argv: readonly [string, ...ReadonlyArray<string>]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly junit: string
  readonly notes: string
}

export const commandFor = (file: TestFile, runtime: Runtime, context: RunnerContext): FileCommand => {
  const name = slug(file.path, context.place ?? runtime)
  const junit = join(context.scratch, `${name}.xml`)
  const notes = join(context.scratch, `${name}.notes`)
  const argv = [runtimeBinary(context.root, runtime), ...argumentsFor(file, runtime, junit, context)] as const
  return {
    argv: file.ownNetns ? ["sh", ownNetns, ...argv] : argv,
    env: {
      PATH: `${join(context.root, "node_modules", ".bin")}:${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
      CHRONODE_RUNTIME: runtime,
      CHRONODE_TEST_NOTES: notes,
      CHRONODE_TEST_DIR: context.scratch,
      CHRONODE_BOTH: context.both ? "1" : process.env.CHRONODE_BOTH,
      CHRONODE_ROUNDS: context.rounds?.toString() ?? process.env.CHRONODE_ROUNDS,
      ...(context.place === "vm" ? { CHRONODE_SLOWNESS: String(vmSlowness) } : {}),
      DENO_NO_UPDATE_CHECK: "1"
    },
    junit,
    notes
  }
}

/** What came of a file's command: its reports, and how it ended. `limit` in milliseconds. */
export const judge = (
  file: TestFile,
  runtime: Runtime,
  command: FileCommand,
  outcome: Outcome,
  limit: number
): FileResult => {
  const notes = existsSync(command.notes) ? parseNotes(readFileSync(command.notes, "utf8")) : []
  const xml = existsSync(command.junit) ? readFileSync(command.junit, "utf8") : undefined
  const counts = withNotes(xml === undefined ? noCounts : countCases(xml, runtime), notes, runtime)
  const uncaught = notes.filter((n) => n.kind === "uncaught")
  const problems: Array<string> = uncaught.map((n) => `an error that no test caught: ${n.message}`)
  if (outcome.timedOut) problems.push(`stopped after ${Math.round(limit / 1000)} s`)
  else if (outcome.signal !== undefined) problems.push(`ended by ${outcome.signal}`)
  else if (counts.passed + counts.failed + counts.skipped === 0) {
    problems.push(outcome.code === 0 ? "has no tests, or ended before they did" : "crashed before its tests ran")
  } else if (outcome.code !== 0 && counts.failed === 0) problems.push(`the runner ended with exit code ${outcome.code}`)
  return {
    ...counts,
    // A file whose only trouble is beside its tests still has to count.
    failed: counts.failed + (problems.length > 0 ? 1 : 0),
    path: file.path,
    milliseconds: outcome.milliseconds,
    problems,
    remarks: outcome.leftovers.length === 0 ? [] : [`left running and now killed: ${outcome.leftovers.join(", ")}`],
    reasons: notes.flatMap((n) => (n.kind === "skip" ? [n.reason] : [])),
    output: outcome.output
  }
}

/** `limit` in milliseconds. */
export const runFile = async (
  file: TestFile,
  runtime: Runtime,
  limit: number,
  context: RunnerContext
): Promise<FileResult> => {
  const missing = whyNotHere(file, process.getuid?.())
  if (missing !== undefined) return notRun(file, missing)
  const command = commandFor(file, runtime, context)
  const [program, ...args] = command.argv
  const outcome = await runCommand(program, args, { cwd: context.root, limit, env: command.env })
  return judge(file, runtime, command, outcome, limit)
}
