// runtimes: bun
/** The agent as one program (scripts/build-agent.sh): it starts, with all of its threads, and writes its journal. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { calm } from "../support/agent.ts"
import { withTemporaryDirectory } from "../support/temporary-directory.ts"
import { startProgram } from "./program.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Names of the files that threads are started from. */
const threads = (): ReadonlyArray<string> =>
  readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(join(root, "src", file), "utf8").matchAll(
        /new Worker\(\s*new URL\("\.\/([^"]+)", import\.meta\.url\)/gu
      )
    ])
    .map((match) => match[1]!)

describe("the agent as one program", () => {
  it("is made of the sources, and runs", { timeout: 120_000 }, () =>
    withTemporaryDirectory(async (copy) => {
      for (const part of ["bin", "src", "scripts/build-agent.sh", "package.json", "package-lock.json"]) {
        cpSync(join(root, part), join(copy, part), { recursive: true })
      }
      symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
      execFileSync("sh", [join(copy, "scripts/build-agent.sh")])
      assert.deepEqual(readdirSync(join(copy, "dist")), ["agent"])
      assert.ok(threads().length >= 3)
      for (const file of threads()) assert.ok(existsSync(join(copy, "dist/agent", file)), file)

      mkdirSync(join(copy, "manifests"))
      const kind = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" }
      writeFileSync(join(copy, "kubelet.json"), JSON.stringify({ ...kind, ...calm }))
      const agent = startProgram("bash", [
        "-c",
        `exec '${join(copy, "bin/chronode")}' run --manifests '${join(copy, "manifests")}' --data-dir '${join(copy, "data")}' \
         --cri 'unix://${join(copy, "none.sock")}' --config '${join(copy, "kubelet.json")}' --no-nats --pod-logs-dir '${join(copy, "logs")}' 2>&1`
      ])
      await agent.printed("NodeStarted")
      agent.signal("SIGTERM")
      const { code, out } = await agent.finished
      assert.equal(code, 0, out)
      assert.ok(out.includes("NodeStopped"), out)
    })
  )
})
