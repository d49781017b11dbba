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

const grpcScript = "scripts/generate-grpc.sh"
const grpcProtocols = ["src/adapters/cri/api.proto", "src/adapters/probing/health.proto"]

/** Generates the code of the gRPC protocols again in a copy below `scratch`, and compares. */
const compareGrpc = async (root: string, scratch: string): Promise<Verdict> => {
  const copy = join(scratch, "grpc")
  for (const path of [grpcScript, ...grpcProtocols]) {
    await mkdir(join(copy, path, ".."), { recursive: true })
    await cp(join(root, path), join(copy, path))
  }
  await symlink(join(root, "node_modules"), join(copy, "node_modules"))
  const made = await execute(copy, "sh", [grpcScript])
  if (!made.passed) return made
  const stale = grpcProtocols.flatMap((protocol) => staleBeside(join(protocol, "..", "generated"), root, copy))
  return verdict(stale.map((path) => `${path} is stale: run ${grpcScript}`))
}

/** Files of a folder that differ between two roots. */
const staleBeside = (folder: string, root: string, copy: string): ReadonlyArray<string> => {
  const filesOf = (at: string) => (existsSync(join(at, folder)) ? readdirSync(join(at, folder)) : [])
  const textOf = (at: string, name: string) => {
    const path = join(at, folder, name)
    return existsSync(path) ? readFileSync(path, "utf8") : undefined
  }
  const names = new Set([root, copy].flatMap(filesOf))
  return [...names]
    .filter((name) => textOf(root, name) !== textOf(copy, name))
    .sort()
    .map((name) => join(folder, name))
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
    ...(has(grpcScript) && grpcProtocols.every(has)
      ? [{ name: "generate-grpc.sh: up to date", run: () => compareGrpc(root, scratch) }]
      : [])
  ]
}

export const runCheck = async ({ name, run }: Check): Promise<CheckResult> => {
  const began = performance.now()
  const found = await run().catch((error: unknown): Verdict => ({ passed: false, output: `${String(error)}\n` }))
  return { name, ...found, milliseconds: performance.now() - began }
}
