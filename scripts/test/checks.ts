/** The checks that run no test: formatting, lint, types, directions of imports, generated files, the lockfile. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { cp, mkdir, symlink } from "node:fs/promises"
import { join } from "node:path"
import process from "node:process"
import { runCommand } from "./command.ts"
import { findTestFiles } from "./files.ts"
import { checkLimit } from "./limits.ts"
import { type Lockfile, lockfileFaults } from "./lockfile.ts"

interface Verdict {
  readonly passed: boolean
  readonly output: string
}
export interface Check {
  readonly name: string
  readonly run: () => Promise<Verdict>
}
export interface CheckResult extends Verdict {
  readonly name: string
  readonly milliseconds: number
}

const json = (path: string) => JSON.parse(readFileSync(path, "utf8"))
const verdict = (faults: ReadonlyArray<string>): Verdict => ({
  passed: faults.length === 0,
  output: faults.map((line) => `${line}\n`).join("")
})

const execute = async (root: string, command: string, args: ReadonlyArray<string>): Promise<Verdict> => {
  const { code, output, timedOut } = await runCommand(command, args, { cwd: root, limit: checkLimit })
  return { passed: code === 0, output: timedOut ? `${output}stopped after ${checkLimit / 1000} s\n` : output }
}

const criScript = "scripts/generate-cri.sh"
const criGenerated = "src/adapters/cri/generated"

/** Generates the CRI code again in a copy below `scratch`, and compares. */
const compareCri = async (root: string, scratch: string): Promise<Verdict> => {
  const copy = join(scratch, "cri")
  for (const path of [criScript, "src/adapters/cri/api.proto"]) {
    await mkdir(join(copy, path, ".."), { recursive: true })
    await cp(join(root, path), join(copy, path))
  }
  await symlink(join(root, "node_modules"), join(copy, "node_modules"))
  const made = await execute(copy, "sh", [criScript])
  if (!made.passed) return made
  const names = new Set([join(root, criGenerated), join(copy, criGenerated)].flatMap((folder) => readdirSync(folder)))
  const textOf = (from: string, name: string) => {
    const path = join(from, criGenerated, name)
    return existsSync(path) ? readFileSync(path, "utf8") : undefined
  }
  const stale = [...names].filter((name) => textOf(root, name) !== textOf(copy, name)).sort()
  return verdict(stale.map((name) => `${criGenerated}/${name} is stale: run ${criScript}`))
}

/** Quick ones first. `scratch` is a directory that may be written to. */
export const checksOf = (root: string, scratch: string): ReadonlyArray<Check> => {
  const has = (path: string) => existsSync(join(root, path))
  const bin = (name: string) => join(root, "node_modules", ".bin", name)
  const script = (...args: ReadonlyArray<string>) => execute(root, process.execPath, args)
  const generators = readdirSync(join(root, "scripts")).filter((name) => /^generate-.*\.ts$/.test(name))
  return [
    {
      name: "package-lock.json is whole",
      run: async () =>
        verdict(lockfileFaults(json(join(root, "package.json")), json(join(root, "package-lock.json")) as Lockfile))
    },
    {
      name: "test files tell their level",
      run: async () =>
        verdict(
          findTestFiles(root).misnamed.map((path) => `${path}: name it *.unit.test.ts, *.int.test.ts or *.e2e.test.ts`)
        )
    },
    { name: "imports point one way", run: () => script("scripts/check-imports.ts") },
    {
      name: "format and lint",
      run: () =>
        execute(root, bin("biome"), ["ci", "--colors=off", "--diagnostic-level=error", "--max-diagnostics=none"])
    },
    { name: "types", run: () => execute(root, bin("tsc"), ["--pretty", "false"]) },
    {
      name: "types of the report's page",
      run: () => execute(root, bin("tsc"), ["--pretty", "false", "-p", "src/reports/viewer"])
    },
    ...generators.map((name) => ({ name: `${name}: up to date`, run: () => script(`scripts/${name}`, "--check") })),
    ...(has(criScript) && has(criGenerated)
      ? [{ name: "generate-cri.sh: up to date", run: () => compareCri(root, scratch) }]
      : [])
  ]
}

export const runCheck = async ({ name, run }: Check): Promise<CheckResult> => {
  const began = performance.now()
  const found = await run().catch((error: unknown): Verdict => ({ passed: false, output: `${String(error)}\n` }))
  return { name, ...found, milliseconds: performance.now() - began }
}
