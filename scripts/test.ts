/**
 * The test run behind `npm test`: checks, then each level of tests on each runtime, one process for each file. Prints a
 * line for each file as it ends, the whole output of those that fail, and one table at the end. See `--help`.
 */
import { existsSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { stopMachines } from "./lab/vm.ts"
import { checksOf, runCheck } from "./test/checks.ts"
import { stopAll } from "./test/command.ts"
import { summarizeCoverage } from "./test/coverage.ts"
import { findTestFiles, type TestFile } from "./test/files.ts"
import { runInMachine } from "./test/in-vm.ts"
import { levelLimits, plannedRounds, runLimit, vmLimits } from "./test/limits.ts"
import { help, type Level, type Options, parseOptions, type Runtime, runtimes } from "./test/options.ts"
import { addCounts, type Counts, noCounts } from "./test/report.ts"
import { type FileResult, type RunnerContext, runFile } from "./test/runner.ts"
import { removeScratch } from "./test/scratch.ts"
import { type Row, reasonLines, seconds, tableLines } from "./test/table.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const say = (text = "") => void process.stdout.write(`${text}\n`)
const began = performance.now()

const countsText = ({ passed, failed, skipped }: Counts): string =>
  [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} FAILED`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : [])
  ].join(", ")

const sayFile = (result: FileResult, options: Options) => {
  say(
    `  ${result.failed > 0 ? "FAIL" : "ok  "} ${result.path}   ${countsText(result)}   ${seconds(result.milliseconds)}`
  )
  for (const remark of result.remarks) say(`       note: ${remark}`)
  if (result.failed === 0 && !options.verbose) return
  say(`  ┌── ${result.path}`)
  say(result.output.trimEnd())
  for (const problem of result.problems) say(`  │ ${problem}`)
  say(`  └── ${result.path}`)
}

const runChecks = async (scratch: string): Promise<Row> => {
  say("\nchecks")
  let [counts, milliseconds] = [noCounts, 0]
  for (const check of checksOf(root, scratch)) {
    const result = await runCheck(check)
    milliseconds += result.milliseconds
    counts = addCounts(counts, { passed: result.passed ? 1 : 0, failed: result.passed ? 0 : 1, skipped: 0 })
    say(`  ${result.passed ? "ok  " : "FAIL"} ${result.name}   ${seconds(result.milliseconds)}`)
    if (!result.passed) say(result.output.trimEnd())
  }
  return { stage: "checks", runtime: "", files: undefined, milliseconds, reasons: [], ...counts }
}

/** Containers of a test that was killed: the lab that made them knows how to find them. */
const sweepLabs = async () => {
  const lab = join(root, "scripts/lab/containerd.ts")
  if (!existsSync(lab)) return
  const { sweepAbandoned } = (await import(lab)) as { readonly sweepAbandoned?: () => Promise<void> }
  await sweepAbandoned?.().catch((error: unknown) =>
    say(`  note: what a killed test left could not be swept: ${error}`)
  )
}

const runStage = async (
  level: Level,
  runtime: Runtime,
  files: ReadonlyArray<TestFile>,
  options: Options,
  context: RunnerContext
): Promise<Row> => {
  const stretch = Math.max(1, (options.rounds ?? 0) / plannedRounds) * (options.both ? 1.5 : 1)
  const limits = levelLimits[level]
  const start = performance.now()
  const end = Math.min(start + limits.stage * stretch, began + runLimit * stretch)
  say(`\n${level} tests on ${runtime}: ${files.length} files`)
  const results: Array<FileResult> = []
  const work = async (waiting: Array<TestFile>) => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const limit = Math.min(limits.file * stretch, end - performance.now())
      const result: FileResult =
        limit > 0
          ? await runFile(file, runtime, limit, context)
          : {
              ...{ path: file.path, passed: 0, failed: 1, skipped: 0, milliseconds: 0, output: "" },
              ...{
                problems: ["not run: the time of this stage is over (scripts/test/limits.ts)"],
                remarks: [],
                reasons: []
              }
            }
      results.push(result)
      sayFile(result, options)
      if (result.problems.length > 0 || result.remarks.length > 0) await sweepLabs()
    }
  }
  const atOnce = Math.min(limits.concurrency, availableParallelism())
  const together = files.filter(({ alone }) => !alone)
  await Promise.all(Array.from({ length: atOnce }, () => work(together)))
  await work(files.filter(({ alone }) => alone))
  return {
    stage: level,
    runtime,
    files: files.length,
    milliseconds: performance.now() - start,
    reasons: results.flatMap((r) => r.reasons),
    ...results.reduce<Counts>(addCounts, noCounts)
  }
}

const runAll = async (options: Options, scratch: string): Promise<number> => {
  const { files } = findTestFiles(root, options)
  const chosen = files.filter((file) => file.path.includes(options.filter) && options.only.includes(file.level))
  if (chosen.length === 0 && !options.only.includes("checks")) {
    process.stderr.write(`test: no ${options.only.join(" or ")} test file has "${options.filter}" in its path\n`)
    return 2
  }
  const coverage = options.filter === "" ? join(scratch, "coverage") : undefined
  const context: RunnerContext = { root, scratch, rounds: options.rounds, both: options.both, coverage }
  const rows: Array<Row> = []
  if (options.only.includes("checks")) rows.push(await runChecks(scratch))
  for (const level of ["unit", "int", "e2e"] as const) {
    for (const runtime of runtimes.filter((name) => options.runtime.includes(name))) {
      const stage = chosen.filter((file) => file.level === level && file.runtimes.includes(runtime))
      if (stage.length > 0) rows.push(await runStage(level, runtime, stage, options, context))
    }
  }
  const inVm = chosen.filter((file) => file.runtimes.includes("vm"))
  if (options.runtime.includes("vm") && inVm.length > 0) {
    const limit = options.vm ? vmLimits.campaign : vmLimits.always
    say(`\ntests in a virtual machine, on bun: ${inVm.length} files`)
    const row = await runInMachine(inVm, limit, { ...context, coverage: undefined, place: "vm" }, (result) =>
      sayFile(result, options)
    )
    rows.push(row)
  }
  if (coverage !== undefined && rows.some((row) => row.stage === "unit" && row.runtime === "bun")) {
    say(`\n${summarizeCoverage(root, coverage).join("\n")}`)
  }
  say(`\n${tableLines(rows).join("\n")}`)
  const reasons = reasonLines(rows)
  if (reasons.length > 0) say(`\nskipped because:\n${reasons.join("\n")}`)
  const failed = rows.some((row) => row.failed > 0)
  const empty = rows.every((row) => row.passed === 0)
  say(`\n${failed ? "FAILED" : empty ? "FAILED: nothing ran" : "passed"} in ${seconds(performance.now() - began)}`)
  return failed || empty ? 1 : 0
}

const main = async (): Promise<number> => {
  let options: Options
  try {
    options = parseOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`test: ${(error as Error).message}\nnpm test -- --help lists the options\n`)
    return 2
  }
  if (options.help) {
    say(help.trimEnd())
    return 0
  }
  // Short: sockets below it must fit into 108 bytes (unix(7)).
  const scratch = await mkdtemp(join(tmpdir(), "ct-"))
  let stopping = false
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      process.stderr.write(`test: ${signal}: stopping what runs\n`)
      stopMachines()
      void stopAll()
        .then(() => sweepLabs())
        .then(() => removeScratch(scratch))
        .finally(() => process.exit(1))
    })
  }
  try {
    const code = await runAll(options, scratch)
    // The signal's handler has the last word.
    return stopping ? await new Promise<number>(() => undefined) : code
  } finally {
    if (!stopping) await removeScratch(scratch)
  }
}

process.exitCode = await main()
