import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"
import { after, describe, it } from "node:test"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("../../scripts/check-imports.ts", import.meta.url))
const made: Array<string> = []

const project = async (sources: Readonly<Record<string, string>>): Promise<string> => {
  const dir = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "imports-"))
  made.push(dir)
  for (const [path, text] of Object.entries(sources)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
  return dir
}

const check = (dir: string): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> => {
  const words = process.versions.deno === undefined ? [] : ["run", "-A", "--no-check"]
  return new Promise((resolve) =>
    execFile(process.execPath, [...words, script, dir], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  )
}

describe("scripts/check-imports.ts", () => {
  after(async () => {
    for (const dir of made) await rm(dir, { recursive: true, force: true })
  })

  it("passes a project that keeps the rules", { timeout: 30_000 }, async () => {
    const { code, stdout } = await check(await project({ "src/events/a.ts": 'import { Schema } from "effect"\n' }))
    assert.equal(code, 0)
    assert.match(stdout, /^1 files, all rules kept$/m)
  })

  it("fails one that breaks them, and says where, which and what to do", { timeout: 30_000 }, async () => {
    const { code, stdout } = await check(
      await project({
        "src/events/a.ts": '\nimport { run } from "../cli/run.ts"\n',
        "src/actors/pod/behavior.ts": 'import { live } from "../../adapters/cri/live.ts"\n'
      })
    )
    assert.equal(code, 1)
    assert.match(
      stdout,
      /^src\/events\/a\.ts:2: must not import src\/cli\/run\.ts \[events-import-events\]\n {4}move /m
    )
    assert.match(stdout, /^src\/actors\/pod\/behavior\.ts:1: .*\[actors-use-ports\]\n {4}import .*port\.ts/m)
  })

  it("does not call an empty project good", { timeout: 30_000 }, async () => {
    const { code, stderr } = await check(await project({ "README.md": "" }))
    assert.equal(code, 2)
    assert.match(stderr, /no source files/)
  })
})
