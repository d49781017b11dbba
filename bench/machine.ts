/** One line about the machine, at the head of every benchmark's output. */
import { cpus, release, totalmem } from "node:os"
import { runtimeName } from "../src/adapters/host/runtime.ts"

export const machine = (): string =>
  `# ${runtimeName()}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`
