/** One test file on one runtime: how it is started, and what came of it. */
import { existsSync, readFileSync, realpathSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { runCommand } from "./command.ts"
import type { TestFile } from "./files.ts"
import { levelLimits } from "./limits.ts"
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
}

const recorder = "./test/support/recorder"

/** The file's name as one word, for the files that belong to it. */
const slug = (path: string, runtime: Runtime): string => `${runtime}-${path.replaceAll(/[^\w]+/g, "-")}`

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
  const limit = `--timeout=${levelLimits[file.level].test}`
  // Bun takes a bare word for a filter over all test files; with `./` it is a path.
  return ["--no-install", "test", ...report, ...coverage, limit, `./${file.path}`]
}

/** The program itself: npm's `deno` may be a script of Node's that passes no signals on. */
export const runtimeBinary = (root: string, runtime: Runtime): string =>
  realpathSync(join(root, "node_modules", ".bin", runtime))

/** `limit` in milliseconds. */
export const runFile = async (
  file: TestFile,
  runtime: Runtime,
  limit: number,
  context: RunnerContext
): Promise<FileResult> => {
  const name = slug(file.path, runtime)
  const junit = join(context.scratch, `${name}.xml`)
  const notesFile = join(context.scratch, `${name}.notes`)
  const outcome = await runCommand(runtimeBinary(context.root, runtime), argumentsFor(file, runtime, junit, context), {
    cwd: context.root,
    limit,
    env: {
      PATH: `${join(context.root, "node_modules", ".bin")}:${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
      CHRONODE_RUNTIME: runtime,
      CHRONODE_TEST_NOTES: notesFile,
      CHRONODE_TEST_DIR: context.scratch,
      CHRONODE_BOTH: context.both ? "1" : process.env.CHRONODE_BOTH,
      CHRONODE_ROUNDS: context.rounds?.toString() ?? process.env.CHRONODE_ROUNDS,
      DENO_NO_UPDATE_CHECK: "1"
    }
  })
  const notes = existsSync(notesFile) ? parseNotes(readFileSync(notesFile, "utf8")) : []
  const xml = existsSync(junit) ? readFileSync(junit, "utf8") : undefined
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
