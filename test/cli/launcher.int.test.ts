/** Which program bin/chronode starts: the sources, or the one made of them (scripts/build-agent.sh). */
import assert from "node:assert/strict"
import { cpSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { withTemporaryDirectory } from "../support/temporary-directory.ts"
import { binary, type Runtime, startProgram } from "./program.ts"

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url))
const built = 1_000
const slow = { timeout: 60_000 }

/** An installation whose programs say which of them runs. `changed`: a source, at this time in seconds. */
const installation = (root: string, changed: number): void => {
  for (const dir of ["bin", "src/events", "dist/agent"]) mkdirSync(join(root, dir), { recursive: true })
  cpSync(binary, join(root, "bin/chronode"))
  symlinkSync(modules, join(root, "node_modules"))
  const files = {
    "src/main.ts": "sources",
    "src/events/a.ts": "",
    "dist/agent/main.js": "one program",
    "package-lock.json": ""
  }
  for (const [file, says] of Object.entries(files)) writeFileSync(join(root, file), `console.log("${says}")`)
  for (const file of ["src", "src/events", "src/main.ts", "dist/agent/main.js", "package-lock.json"]) {
    utimesSync(join(root, file), built, built)
  }
  utimesSync(join(root, "src/events/a.ts"), changed, changed)
}

const started = async (root: string, words: ReadonlyArray<string>, runtime: Runtime = "bun"): Promise<string> => {
  const { finished } = startProgram(join(root, "bin/chronode"), words, { CHRONODE_RUNTIME: runtime })
  const { code, out, err } = await finished
  assert.equal(code, 0, err)
  return out.trim()
}

describe("bin/chronode", () => {
  it("starts the agent on Bun as one program, and all else from the sources", slow, () =>
    withTemporaryDirectory(async (root) => {
      installation(root, built)
      assert.equal(await started(root, ["run"]), "one program")
      assert.equal(await started(root, ["get", "pods"]), "sources")
      assert.equal(await started(root, ["run"], "deno"), "sources")
      rmSync(join(root, "dist"), { recursive: true })
      assert.equal(await started(root, ["run"]), "sources")
    })
  )

  it("starts the sources of a checkout where one of them is newer", slow, () =>
    withTemporaryDirectory(async (root) => {
      installation(root, built + 1)
      // An installed package is what it is, whenever its files were unpacked.
      assert.equal(await started(root, ["run"]), "one program")
      mkdirSync(join(root, ".git"))
      assert.equal(await started(root, ["run"]), "sources")
      utimesSync(join(root, "src/events/a.ts"), built, built)
      assert.equal(await started(root, ["run"]), "one program")
      // One that is gone, too.
      rmSync(join(root, "src/events/a.ts"))
      assert.equal(await started(root, ["run"]), "sources")
    })
  )
})
