/**
 * Test files in the virtual machine of scripts/lab/vm.ts: one boot for all of them, one after the other, each a process of
 * Bun's. Their reports come out through the run's scratch directory, which is writable in there too.
 */
import { existsSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runInVm, whyNoVm } from "../lab/vm.ts"
import type { Outcome } from "./command.ts"
import type { TestFile } from "./files.ts"
import { levelLimits, vmSlowness } from "./limits.ts"
import { addCounts, type Counts, noCounts } from "./report.ts"
import { commandFor, type FileCommand, type FileResult, judge, type RunnerContext } from "./runner.ts"
import type { Row } from "./table.ts"

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
const fileLimit = (file: TestFile): number => levelLimits[file.level].file * vmSlowness
/** timeout(1): the command took too long. */
const tookTooLong = 124

/** Runs the files in turn; beside the reports of each: `N.out`, its output, and `N.end`, its exit code and seconds. */
const scriptOf = (files: ReadonlyArray<TestFile>, commands: ReadonlyArray<FileCommand>, scratch: string): string => {
  const seconds = `$(cut -d' ' -f1 /proc/uptime)`
  const one = (command: FileCommand, index: number) => {
    const settings = Object.entries({ ...command.env, NO_COLOR: "1" })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${quoted(value!)}`)
    const file = join(scratch, `vm-${index}`)
    const limit = Math.ceil(fileLimit(files[index]!) / 1000)
    return [
      `began=${seconds}`,
      `env ${settings.join(" ")} timeout -k 5 ${limit} ${command.argv.map(quoted).join(" ")} >${quoted(`${file}.out`)} 2>&1`,
      `echo "$? $began ${seconds}" >${quoted(`${file}.end`)}`
    ].join("\n")
  }
  return `${commands.map(one).join("\n")}\n`
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "")

/** How the file at `index` ended, as far as the machine came. */
const outcomeOf = (index: number, scratch: string, fate: string): Outcome => {
  const output = textOf(join(scratch, `vm-${index}.out`))
  const [code, began, ended] = textOf(join(scratch, `vm-${index}.end`))
    .split(" ")
    .filter(Boolean)
    .map(Number)
  const base = { timedOut: code === tookTooLong, leftovers: [] }
  return code === undefined || began === undefined || ended === undefined
    ? { ...base, code: undefined, signal: fate, output, milliseconds: 0 }
    : { ...base, code, signal: undefined, output, milliseconds: (ended - began) * 1000 }
}

/** `limit` in milliseconds. Where no machine can be booted each file counts as skipped, with the reason. */
export const runInMachine = async (
  files: ReadonlyArray<TestFile>,
  limit: number,
  context: RunnerContext,
  tell: (result: FileResult) => void
): Promise<Row> => {
  const row = (counts: Counts, milliseconds: number, reasons: ReadonlyArray<string>): Row => ({
    ...{ stage: "vm", runtime: "bun", files: files.length, milliseconds, reasons },
    ...counts
  })
  const missing = whyNoVm()
  if (missing !== undefined) {
    const reason = `the virtual machine: ${missing}`
    return row(
      { passed: 0, failed: 0, skipped: files.length },
      0,
      files.map(() => reason)
    )
  }
  const commands = files.map((file) => commandFor(file, "bun", context))
  const script = join(context.scratch, "vm.sh")
  await writeFile(script, scriptOf(files, commands, context.scratch))
  const machine = await runInVm({ argv: ["/bin/sh", script], cwd: context.root, results: context.scratch, limit })
  const fate = machine.timedOut
    ? `the machine's limit of ${limit / 1000} s`
    : `the end of the machine:\n${machine.console.slice(-2_000)}`
  const results = files.map((file, index) =>
    judge(file, "bun", commands[index]!, outcomeOf(index, context.scratch, fate), fileLimit(file))
  )
  for (const result of results) tell(result)
  return row(
    results.reduce<Counts>(addCounts, noCounts),
    machine.milliseconds,
    results.flatMap((result) => result.reasons)
  )
}
