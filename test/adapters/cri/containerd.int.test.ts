// runtimes: bun (deno) (vm)
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Exit, Scope } from "effect"
import { type LabOptions, startContainerd, whyNoContainerd } from "../../../scripts/lab/containerd.ts"
import { CriRuntime } from "../../../src/adapters/cri/live.ts"
import { runtimeContract, type Subject, type SubjectTraits } from "./runtime-contract.ts"

/** What this version can do: events since 1.7, RuntimeConfig and the features of handlers since 2.0. */
const traitsOf = (program: string): Pick<SubjectTraits, "events" | "cgroupDriver" | "handlers"> => {
  const told = spawnSync(program, ["--version"], { encoding: "utf8" }).stdout ?? ""
  const [, major = "0", minor = "0"] = / v?(\d+)\.(\d+)\./.exec(told) ?? []
  const version = Number(major) * 100 + Number(minor)
  return { events: version >= 107, cgroupDriver: version >= 200, handlers: version >= 200 }
}

const start = (options: LabOptions) => async (): Promise<Subject> => {
  const dir = await mkdtemp(join(tmpdir(), "cri-"))
  const lab = await startContainerd(dir, options)
  const scope = Scope.makeUnsafe()
  const runtime = await Effect.runPromise(CriRuntime.make({ endpoint: lab.endpoint }).pipe(Scope.provide(scope)))
  return {
    runtime,
    root: lab.dir,
    stop: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      await lab.stop()
      await rm(lab.dir, { recursive: true, force: true })
    }
  }
}

runtimeContract(
  "containerd as installed",
  { skip: whyNoContainerd(), ...traitsOf("containerd"), real: true },
  start({})
)

for (const suite of ["trixie", "sid"]) {
  const binaries = fileURLToPath(new URL(`../../../.cache/lab/containerd/${suite}`, import.meta.url))
  const absent = existsSync(join(binaries, "containerd"))
    ? undefined
    : `needs Debian ${suite}'s containerd: sh scripts/lab/newer-containerd.sh ${suite}`
  runtimeContract(
    `containerd of Debian ${suite}`,
    { skip: whyNoContainerd() ?? absent, ...traitsOf(join(binaries, "containerd")), real: true },
    start({ binaries })
  )
}
